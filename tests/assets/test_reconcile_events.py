"""Events are reconciled with the platform's log of interactions and its list of subscriptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from installation import TODAY, YESTERDAY, World

from assets.checks import RECEIVED, SUBSCRIBED, check_results
from catalog import EVENTS, TABLES
from resources.state.load_status import LoadStatus, Outcome
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from services.ingest.run import IngestResult
from services.maintenance.reconcile import (
    GRACE,
    LOGGED,
    EventReconciliation,
    LostSubscription,
    lost_subscriptions,
    reconcile_events,
)

AT = datetime(2026, 11, 16, 1, 30, tzinfo=UTC)
NOW = AT + timedelta(hours=6)
SINCE = {"app": AT - timedelta(days=5)}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def write(lake: Lake, table: str, dt: date, *rows: dict[str, Any]) -> None:
    """Write a partition of a table; missing columns are null."""
    schema = arrow_schema(TABLES[table])
    standard = {
        "dt": dt,
        "observed_at": AT,
        "source": "test",
        "client_key": "app",
        "open_id": "account",
        "event_id": "m",
    }
    whole = [{name: (standard | row).get(name) for name in schema.names} for row in rows]
    lake.write(table, dt, pa.Table.from_pylist(whole, schema))


def log(
    event: str, message_id: str | None = None, at: datetime = AT, who: str = "person", **more: Any
) -> dict[str, Any]:
    return {
        "event": event,
        "message_id": message_id,
        "event_at": at,
        "actor_open_id": who,
        "message_text": "你好",
        **more,
    }


def pushed(event: str, message_id: str | None = None, at: datetime = AT, **more: Any) -> dict[str, Any]:
    return {"event": event, "message_id": message_id, "event_at": at, "person_open_id": "person", **more}


def landed(lake: Lake, *dts: date) -> None:
    """Days of all tables of events, without an event."""
    for table in set(LOGGED.values()):
        for dt in dts or (TODAY,):
            write(lake, table, dt)


# --------------------------------------------------------------------------- the log of interactions


def test_events_that_both_sides_have_are_those_of_the_catalogue():
    for event, table in LOGGED.items():
        assert table in EVENTS[f"webhook_{event}"].tables
        assert {"open_id", "person_open_id", "event", "event_at"} <= set(TABLES[table].fields)


def test_what_arrived_is_found_by_its_message_id_or_by_who_did_it_when(lake):
    landed(lake)
    write(
        lake,
        "lead_events",
        TODAY,
        log("im_receive_msg", "1"),
        log("im_send_msg", "2", who="account"),
        log("im_enter_direct_msg", "3"),
        log("new_follow_action", at=AT + timedelta(milliseconds=456)),
        log("new_video_digg", at=AT + timedelta(seconds=2)),
        log("im_send_msg", who="account", at=AT + timedelta(seconds=60)),
    )
    write(
        lake,
        "im_messages",
        TODAY,
        pushed("im_receive_msg", "1", AT - timedelta(minutes=5)),
        pushed("im_send_msg", "2"),
        pushed("im_send_msg", "9", AT + timedelta(seconds=61)),
    )
    write(lake, "im_entries", TODAY, pushed("im_enter_direct_msg", "3"))
    write(lake, "interactions", TODAY, pushed("new_follow_action"), pushed("new_video_digg"))
    assert reconcile_events(lake, TODAY, SINCE, NOW) == EventReconciliation(6, 0, ())


def test_what_never_arrived_is_reported_by_its_id(lake):
    landed(lake)
    write(
        lake,
        "lead_events",
        TODAY,
        *(log("im_receive_msg", str(n), AT + timedelta(seconds=n)) for n in range(8)),
        log("new_follow_action", who="stranger no. 9"),
    )
    write(
        lake,
        "im_messages",
        TODAY,
        pushed("im_receive_msg", "0"),
        pushed("im_send_msg", "1"),
        pushed("im_receive_msg", "2", open_id="another account"),
    )
    write(lake, "interactions", TODAY, pushed("new_follow_action"))
    found = reconcile_events(lake, TODAY, SINCE, NOW)
    assert (found.logged, found.missing, found.unlanded) == (9, 8, 0)
    messages, follow = found.lost
    assert (messages.event, messages.logged, messages.missing, messages.examples) == (
        "im_receive_msg",
        8,
        7,
        ("1", "2", "3", "4", "5"),
    )
    assert follow.examples == ("stranger… at 2026-11-16 01:30:00 UTC",)
    assert "你好" not in str(found)


def test_an_event_may_have_arrived_on_a_later_day(lake):
    landed(lake, YESTERDAY, TODAY)
    write(lake, "lead_events", YESTERDAY, log("im_receive_msg", "1", AT - timedelta(days=1)))
    write(lake, "im_messages", TODAY, pushed("im_receive_msg", "1", AT - timedelta(days=1)))
    assert reconcile_events(lake, YESTERDAY, SINCE, NOW).lost == ()


@pytest.mark.parametrize(
    ("event_at", "since"),
    [
        (AT - timedelta(seconds=1), {"app": AT}),
        (NOW - GRACE + timedelta(seconds=1), SINCE),
        (AT, {}),
        (AT, {"another": AT - timedelta(days=1)}),
    ],
    ids=["before the first receiver", "still on its way", "no receiver", "another app's receiver"],
)
def test_what_cannot_have_arrived_is_not_missed(lake, event_at: datetime, since: dict[str, datetime]):
    landed(lake)
    write(lake, "lead_events", TODAY, log("im_receive_msg", "1", event_at))
    assert reconcile_events(lake, TODAY, since, NOW) == EventReconciliation(0, 0, ())


def test_days_that_are_not_landed_are_not_judged(lake):
    write(
        lake,
        "lead_events",
        TODAY,
        log("im_receive_msg", "1"),
        log("new_follow_action"),
        log("im_receive_msg", "2", AT - timedelta(days=1)),
    )
    assert reconcile_events(lake, TODAY, SINCE, NOW) == EventReconciliation(0, 0, ()), "nothing is landed at all"
    write(lake, "im_messages", TODAY)
    found = reconcile_events(lake, TODAY, SINCE, NOW)
    assert (found.logged, found.unlanded, found.missing) == (1, 2, 1)
    assert reconcile_events(lake, YESTERDAY, SINCE, NOW) == EventReconciliation(0, 0, ())


# --------------------------------------------------------------------------- subscriptions


def listed(lake: Lake, dt: date, *later: dict[str, Any], client_key: str = "app", **status: int) -> None:
    write(
        lake,
        "event_subscriptions",
        dt,
        *({"event": e, "subscription_status": s, "client_key": client_key} for e, s in status.items()),
        *later,
    )


def test_a_subscription_that_is_gone_is_reported_with_its_last_day(lake):
    listed(lake, TODAY - timedelta(days=40), ancient=1)
    listed(lake, TODAY - timedelta(days=3), im_recall_msg=1, im_send_msg=1)
    listed(lake, YESTERDAY, im_receive_msg=1, im_send_msg=0, authorize=1, dial_phone=0)
    listed(lake, TODAY, im_receive_msg=0, im_send_msg=1, authorize=1, dial_phone=0, new_video_digg=0)
    assert lost_subscriptions(lake, TODAY, ["app"]) == (
        LostSubscription("app", "im_recall_msg", TODAY - timedelta(days=3), None),
        LostSubscription("app", "im_receive_msg", YESTERDAY, 0),
    )
    assert lost_subscriptions(lake, TODAY, []) == (), "an app that was not answered has lost nothing"
    assert lost_subscriptions(lake, TODAY - timedelta(days=3), ["app"]) == ()


def test_the_last_answer_of_a_day_counts(lake):
    listed(lake, YESTERDAY, im_receive_msg=1)
    listed(
        lake,
        TODAY,
        {"event": "im_receive_msg", "subscription_status": 1, "observed_at": AT + timedelta(hours=4)},
        im_receive_msg=0,
    )
    assert lost_subscriptions(lake, TODAY, ["app"]) == ()


# --------------------------------------------------------------------------- the checks


def check(world: World, table: str, name: str):
    app = world.config.client_key
    status = LoadStatus(table, TODAY, "op", app, "", Outcome.LOADED)
    from services.ingest.normalise import nothing

    ingested = IngestResult(
        TABLES[table], [TODAY], partitions={TODAY: nothing(TABLES[table], TODAY)}, statuses=[status]
    )
    (found,) = (r for r in check_results(ingested, world.runtime) if r.check_name == name)
    return found


def test_the_check_of_subscriptions_says_what_to_do(make_world):
    world = make_world(authorize=False)
    app, lake = world.config.client_key, world.runtime.lake
    listed(lake, YESTERDAY, client_key=app, im_receive_msg=1, im_send_msg=1)
    listed(lake, TODAY, client_key=app, im_receive_msg=1, im_send_msg=1)
    assert check(world, "event_subscriptions", SUBSCRIBED).passed
    listed(lake, TODAY, client_key=app, im_receive_msg=0, im_send_msg=0)
    reported = check(world, "event_subscriptions", SUBSCRIBED)
    assert (reported.passed, reported.severity.value) == (False, "WARN")
    assert (
        reported.description
        == "no longer subscribed: im_receive_msg, im_send_msg. `douyin receive subscribe im_receive_msg im_send_msg`"
    )


def test_the_check_of_the_log_says_what_to_do(make_world):
    world = make_world(authorize=False)
    world.receive(
        "im_receive_msg", at="2026-11-16T08:00:00+08:00", server_message_id="1", create_time=int(AT.timestamp() * 1000)
    )
    world.ingest("im_messages")
    row = {"client_key": world.config.client_key, "open_id": world.rows("im_messages", TODAY)[0]["open_id"]}
    write(world.runtime.lake, "lead_events", TODAY, log("im_receive_msg", "1", AT - timedelta(hours=1), **row))
    world.at("2026-11-16T20:00:00+08:00")
    assert check(world, "lead_events", RECEIVED).passed
    write(
        world.runtime.lake,
        "lead_events",
        TODAY,
        log("im_receive_msg", "1", AT, **row),
        log("im_receive_msg", "2", AT, **row),
    )
    reported = check(world, "lead_events", RECEIVED)
    assert (reported.passed, reported.severity.value) == (False, "WARN")
    assert "1 events of the log never arrived" in reported.description
    assert "douyin receive" in reported.description
    assert (reported.metadata["logged"].value, reported.metadata["missing"].value) == (2, 1)
    assert "1 of 2, such as 2" in str(reported.metadata["lost"].value)
    assert "你好" not in str(reported)
