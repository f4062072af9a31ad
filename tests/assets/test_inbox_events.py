"""Webhook events go from the inbox into archive, lake and load status: each exactly once.

That holds after interruptions, repeated requests and unreadable events.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from installation import TODAY, YESTERDAY, World

from assets.tables import _only_waiting, why_missing
from catalog import EVENTS, TABLES, endpoints_of
from catalog.events import EVENT_NAMES, OTHER_EVENTS, event_name
from catalog.records import History, beijing_day
from resources.config.settings_parts import App, Keep
from resources.state.inbox import begin_receiving, forget_bodies, make_event, store
from resources.state.load_status import Outcome, read_load_status
from services.ingest import fetch as fetching
from services.ingest.price import NO_RECEIVER, From, price_of
from services.ingest.replay import replay
from services.ingest.run import PRUNED
from services.maintenance.retention import expired, prune
from services.maintenance.verify import verify
from services.marts.publishing import publish

PUSHED = [t.name for t in TABLES.values() if t.history is History.EVENT]
SOME = ("im_messages", "grant_events")
OF_SOME = {e.name for name in SOME for e in endpoints_of(name)}
SAMPLES_OF_SOME = len(OF_SOME) + 2
"""Two samples are variants of a message."""
BEFORE = "2026-11-15T22:00:00+08:00"
NOW = "2026-11-16T10:59:00+08:00"


@pytest.fixture
def world(make_world) -> World:
    return make_world(authorize=False)


def take(world: World, *dts: date, tables=SOME) -> dict[str, int]:
    """Ingest tables of events; return the rows per table over those days."""
    days = dts or (TODAY,)
    return {name: sum(p.rows.num_rows for p in world.ingest(name, *days).partitions.values()) for name in tables}


def entries(world: World, client_key: str | None = None) -> list:
    return [
        e for name in (*EVENTS, OTHER_EVENTS.name) for e in world.archived(name) if client_key in (None, e.client_key)
    ]


OTHER = "shop.order paid"
"""An event that the catalogue does not know."""


def other(world: World, *instants: str, event: str = OTHER) -> int:
    """Receive an unknown event at each instant; return how many are new."""
    app, new = world.config.client_key, 0
    for at in instants:
        body = {
            "event": event,
            "client_key": app,
            "from_user_id": "p",
            "to_user_id": "a",
            "content": {"order_id": at},
            "log_id": "l",
        }
        new += sum(
            store(
                world.runtime.state,
                [make_event(app, orjson.dumps(body), body, f"{event}-{at}", datetime.fromisoformat(at))],
            )
        )
    return new


# --------------------------------------------------------------------------- from the inbox to rows


@pytest.mark.slow
def test_events_of_every_kind_land_on_their_days(world):
    world.receive(at=BEFORE)
    world.receive(at=NOW)
    assert other(world, BEFORE, NOW) == 2
    kinds = len(EVENTS) + 2  # two samples are variants
    assert take(world, YESTERDAY, TODAY, tables=PUSHED)["webhook_events"] == (kinds + 1) * 2 == len(entries(world))
    assert [e.operation for e in entries(world)].count("webhook_im_receive_msg") == 6
    for dt, at in ((YESTERDAY, BEFORE), (TODAY, NOW)):
        found = {name: world.rows(name, dt) for name in PUSHED}
        assert {r["event"] for r in found["webhook_events"]} == {event_name(e) for e in EVENTS.values()} | {OTHER}
        own = {name: len(endpoints_of(name)) for name in PUSHED if name != "im_people"}
        assert {name: len({r["source"] for r in found[name]}) for name in own} == own
        assert {r["observed_at"] for rows in found.values() for r in rows} == {datetime.fromisoformat(at)}
        assert (
            sum(len(rows) for name, rows in found.items() if name not in ("webhook_events", "im_people")) == kinds - 1
        ), "all but the check of the address"
        people = {(r["open_id"], r["person_open_id"]): r["nickname"] for r in found["im_people"]}
        assert len(people) == len(found["im_people"]) == 4, "each once a day: two people beside two accounts"
        assert {r["person_open_id"] for r in found["im_messages"]} <= {person for _, person in people}, (
            "so that chats have names"
        )
    assert world.calls() == 0


def test_the_archive_has_the_body_as_it_came(world):
    body = (
        b'{ "event" : "receive_msg",\n "client_key":"k", "from_user_id":"p", '
        b'"to_user_id":"a",\n\t"content":{"message_type":"text","text":"\xe4\xbd\xa0"} }'
    )
    app = world.config.client_key
    at = datetime.fromisoformat(NOW)
    begin_receiving(world.runtime.state, [app], at)
    store(world.runtime.state, [make_event(app, body, orjson.loads(body), None, at)])
    assert world.ingest("im_messages").partitions[TODAY].rows["message_text"].to_pylist() == ["你"]
    ((_, entry, archived),) = world.runtime.archive.records("webhook_receive_msg", [TODAY])
    assert archived == body
    event_id = entry.params["event_id"]
    assert event_id.startswith("sha256:")
    assert (entry.client_key, entry.open_id, entry.sequence, entry.page, entry.last, entry.whole, entry.items) == (
        app,
        "",
        event_id,
        1,
        True,
        True,
        1,
    )
    assert (entry.code, entry.http_status, entry.began_at, entry.observed_at) == (0, 200, at, at)
    assert datetime.fromisoformat(entry.slot) == datetime(2026, 11, 16, 2, tzinfo=UTC)


def test_load_status_has_a_line_for_each_endpoint_and_app(world):
    world.receive("im_receive_msg", "im_receive_msg__lead_card", "im_send_msg", at=NOW)
    done = world.ingest("im_messages")
    reported = {s.operation: s for s in read_load_status(world.runtime.state, table="im_messages", dts=[TODAY])}
    assert set(reported) == {e.name for e in endpoints_of("im_messages")}
    assert {s.open_id for s in reported.values()} == {""}
    assert {n: (s.status, s.rows, s.calls) for n, s in reported.items() if s.rows} == {
        "webhook_im_receive_msg": (Outcome.LOADED, 2, 0),
        "webhook_im_send_msg": (Outcome.LOADED, 1, 0),
    }
    assert {s.status for s in reported.values() if not s.rows} == {Outcome.EMPTY}
    assert (done.calls, done.planned.total(), done.failures()) == (0, 0, [])


@pytest.mark.slow
def test_again_nothing_is_appended_and_the_bytes_are_the_same(world):
    world.receive(at=NOW)
    take(world)
    first, archived = world.lake_files(), len(entries(world))
    take(world)
    world.restart()
    take(world)
    assert world.lake_files() == first
    assert len(entries(world)) == archived

    world.receive("unauthorize", at="2026-11-16T10:59:30+08:00")
    done = world.ingest("grant_events")
    assert (done.changes[TODAY].added, done.changes[TODAY].altered, done.changes[TODAY].removed) == (1, 0, 0)
    assert len(entries(world)) == archived + 1


def test_lake_and_inbox_lost_the_archive_has_all(world):
    world.receive(at=NOW)
    take(world)
    first = world.lake_files()
    shutil.rmtree(world.runtime.lake.root)
    assert forget_bodies(world.runtime.state, TODAY + timedelta(days=1)) == len(EVENTS) + 2
    take(world)
    assert world.lake_files() == first


def test_a_run_that_was_stopped_goes_on(world, monkeypatch):
    """The archive's index is the only ledger: flushed events are not appended again."""
    world.receive(at=NOW)
    append, left = world.runtime.archive.append, [12]

    def stops(entry, body):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        append(entry, body)

    monkeypatch.setattr(world.runtime.archive, "append", stops)
    with pytest.raises(KeyboardInterrupt):
        world.ingest("webhook_events")
    world.restart()
    assert len(entries(world)) == 12
    assert world.ingest("webhook_events").partitions[TODAY].rows.num_rows == len(EVENTS) + 2 == len(entries(world))
    assert len({(e.operation, e.params["event_id"]) for e in entries(world)}) == len(entries(world))


def test_bodies_are_read_some_at_a_time(world, monkeypatch):
    from services.ingest import inbox

    monkeypatch.setattr(inbox, "_AT_A_TIME", 3)
    for _ in range(8):
        world.receive("new_video_digg", at=NOW)
    assert world.ingest("interactions").partitions[TODAY].rows.num_rows == 8


def test_the_first_run_of_a_day_lands_what_came_late_the_day_before(world):
    world.receive("new_follow_action", at=BEFORE)
    world.ingest("interactions", YESTERDAY)
    world.receive("new_follow_action", at="2026-11-15T23:58:00+08:00")
    done = world.ingest("interactions", TODAY)
    assert {d: c.added for d, c in done.backfilled.items()} == {YESTERDAY: 1}
    assert len(world.rows("interactions", YESTERDAY)) == 2
    (line,) = (s for s in read_load_status(world.runtime.state, table="interactions", dts=[YESTERDAY]) if s.rows)
    assert (line.status, line.rows) == (Outcome.LOADED, 2)
    assert world.ingest("interactions", TODAY).backfilled == {}, "and only once"


def test_apps_are_kept_apart(make_world):
    world = make_world(authorize=False, apps=[App(client_key="second", client_secret="s")])
    first, second = world.runtime.app_keys
    world.receive("new_follow_action", at=BEFORE, client_key=second)
    world.receive("new_follow_action", at=NOW, client_key=second, message_id="m-same")
    world.receive("new_follow_action", at=NOW, client_key=first, message_id="m-same")
    world.ingest("interactions", YESTERDAY, TODAY)
    assert [(r["client_key"], r["event_id"]) for r in world.rows("interactions", TODAY)] == [
        (first, "m-same"),
        (second, "m-same"),
    ]
    reported = {
        (s.client_key, s.dt): s.status
        for s in read_load_status(world.runtime.state, table="interactions")
        if s.operation == "webhook_new_follow_action"
    }
    # The first app's receiver has run since today only: nothing is known or reported of its yesterday.
    assert reported == {
        (first, TODAY): Outcome.LOADED,
        (second, TODAY): Outcome.LOADED,
        (second, YESTERDAY): Outcome.LOADED,
    }


# --------------------------------------------------------------------------- days without events


def test_a_day_without_events_is_empty(world):
    begin_receiving(world.runtime.state, [world.config.client_key], datetime.fromisoformat(BEFORE))
    done = world.ingest("im_messages", YESTERDAY, TODAY)
    assert {d: p.rows.num_rows for d, p in done.partitions.items()} == {YESTERDAY: 0, TODAY: 0}
    assert done.missing == []
    assert {s.status for s in done.statuses} == {Outcome.EMPTY}
    assert world.rows("im_messages", TODAY) == []
    assert price_of(world.runtime, TABLES["im_messages"], [TODAY]).days == {TODAY: From.ARCHIVE}


@pytest.mark.parametrize("dt", [date(2026, 11, 14), TODAY + timedelta(days=1)])
def test_days_before_the_first_receiver_and_days_to_come_are_unknown(world, dt: date):
    world.receive(at=BEFORE)
    done = world.ingest("im_messages", dt)
    assert done.missing == [dt]
    assert done.statuses == []
    assert not _only_waiting(done)
    assert why_missing(done, dt) == NO_RECEIVER
    assert not world.runtime.lake.path("im_messages", dt).exists()
    price = price_of(world.runtime, TABLES["im_messages"], [dt])
    assert price.days == {dt: From.NOWHERE}
    assert price.calls.total() == 0


def test_without_any_receiver_nothing_is_wrong_and_nothing_is_known(world):
    done = world.ingest("im_messages")
    assert done.missing == [TODAY]
    assert {s.status for s in done.statuses} == {Outcome.NOT_ASKED}
    assert _only_waiting(done)
    assert "douyin receive" in why_missing(done, TODAY)


def test_a_day_whose_events_were_pruned_stays_as_it_is(world):
    """Neither inbox nor archive has the events: that does not make it a day without events."""
    world.receive("new_follow_action", at=BEFORE)
    world.ingest("interactions", YESTERDAY)
    first = world.lake_files()
    forget_bodies(world.runtime.state, TODAY)
    world.runtime.archive.remove_day("webhook_new_follow_action", YESTERDAY)
    done = world.ingest("interactions", YESTERDAY)
    assert done.missing == [YESTERDAY]
    assert not _only_waiting(done)
    assert PRUNED in why_missing(done, YESTERDAY)
    assert world.lake_files() == first
    reported = {s.operation: s for s in read_load_status(world.runtime.state, table="interactions", dts=[YESTERDAY])}
    assert (reported["webhook_new_follow_action"].status, reported["webhook_new_follow_action"].rows) == (
        Outcome.LOADED,
        1,
    )


def test_the_inbox_keeps_bodies_no_longer_than_the_archive(world):
    """Otherwise messages would stay for ever, and the next run would bring pruned events back into the archive."""
    old = YESTERDAY - timedelta(days=1)
    world.receive("im_receive_msg", "new_follow_action", at=f"{old}T22:00:00+08:00")
    world.receive("im_receive_msg", at=NOW)
    tables = EVENTS["webhook_im_receive_msg"].tables
    take(world, old, TODAY, tables=(*tables, "interactions"))
    assert list(expired(world.runtime, TABLES)) == []
    world.restart(keep={name: Keep(archive_days=1) for name in tables})
    found = list(expired(world.runtime, TABLES))
    assert {(e.store, e.name, e.dt) for e in found} == {
        (place, "webhook_im_receive_msg", old) for place in ("archive", "inbox")
    }
    assert prune(world.runtime, found) == 2
    assert list(expired(world.runtime, TABLES)) == []
    take(world, old, tables=tables)
    assert [beijing_day(e.began_at) for e in world.archived("webhook_im_receive_msg")] == [TODAY]
    assert [beijing_day(e.began_at) for e in world.archived("webhook_new_follow_action")] == [old]


# --------------------------------------------------------------------------- unknown events


def test_an_event_of_an_unknown_name_lands_and_is_drift(world):
    world.receive("im_receive_msg", at=NOW)
    other(world, NOW)
    for _ in range(2):  # a second run appends nothing
        part = world.ingest("webhook_events").partitions[TODAY]
        assert {(r["event"], r["source"], r["from_user_id"], r["log_id"]) for r in part.rows.to_pylist()} >= {
            (OTHER, "webhook_other", "p", "l")
        }
        assert (part.rows.num_rows, part.quarantine.num_rows) == (2, 0)
        assert [(r["operation"], r["member"], r["rows"]) for r in part.drift.to_pylist()] == [
            ("webhook_other", f"event.{OTHER}", 1)
        ]
        assert len(entries(world)) == 2
    publish(world.runtime)
    assert verify(world.runtime, ["webhook_events"], TODAY, TODAY).findings == []


def test_an_event_that_becomes_known_lands_once(world, monkeypatch):
    """An event that an older release archived as unknown is read as its real kind by a newer release."""
    from services.ingest import inbox

    world.receive("im_message_read", at=NOW)
    with monkeypatch.context() as older:
        older.setattr(inbox, "EVENT_NAMES", EVENT_NAMES - {"im_message_read"})
        inbox.drain(world.runtime, [OTHER_EVENTS], [TODAY])
    assert [e.operation for e in entries(world)] == ["webhook_other"]
    part = world.ingest("webhook_events").partitions[TODAY]
    assert (part.rows.num_rows, part.drift.num_rows) == (1, 0)
    assert {e.operation for e in entries(world)} == {"webhook_other", "webhook_im_message_read"}
    (row,) = world.ingest("im_reads").partitions[TODAY].rows.to_pylist()
    assert (row["read_index"], row["reader_open_id"], row["open_id"]) == (
        1716175501234567,
        row["person_open_id"],
        "2b8e4a60-5c77-4f0d-8a3b-61d9b7e4d002",
    )


# --------------------------------------------------------------------------- what does not fit


def test_unreadable_content_goes_to_quarantine_with_its_address(world):
    world.receive("im_receive_msg", at=NOW)
    world.receive("im_receive_msg", at=NOW, create_time="soon")
    done = world.ingest("im_messages")
    part = done.partitions[TODAY]
    assert (part.rows.num_rows, part.quarantined, part.nulled) == (2, 0, 1)
    (bad,) = part.quarantine.to_pylist()
    assert (bad["column_name"], bad["value"]) == ("event_at", "soon")
    assert (bad["operation"], bad["client_key"]) == ("webhook_im_receive_msg", world.config.client_key)
    assert bad["reason"].startswith("content|create_time: expected")
    (line,) = (s for s in done.statuses if s.operation == "webhook_im_receive_msg")
    assert (line.status, line.rows, line.quarantined) == (Outcome.LOADED, 2, 0)
    assert world.ingest("webhook_events").partitions[TODAY].quarantine.num_rows == 0


# --------------------------------------------------------------------------- replay and verify


@pytest.mark.slow
def test_a_replay_changes_nothing_and_verify_agrees(world):
    world.receive(at=BEFORE)
    world.receive(at=NOW)
    take(world, YESTERDAY, TODAY)
    publish(world.runtime)
    for name in SOME:
        days = list(replay(world.runtime, TABLES[name], YESTERDAY, TODAY))
        assert [(one.dt, one.replaces) for one in days] == [(YESTERDAY, False), (TODAY, False)]
    found = verify(world.runtime, SOME, YESTERDAY, TODAY)
    assert found.findings == []
    assert (found.days, found.rows) == (2 * len(SOME), 2 * SAMPLES_OF_SOME)


def test_a_replay_reads_what_no_lake_has(world):
    world.receive(at=NOW)
    take(world)
    first = world.lake_files()
    shutil.rmtree(world.runtime.lake.root)
    for name in SOME:
        for one in replay(world.runtime, TABLES[name], TODAY, TODAY):
            one.land(world.runtime)
    assert world.lake_files() == first


def test_events_need_no_requests(world, monkeypatch):
    monkeypatch.setattr(fetching, "_run_tasks", None)
    world.receive(at=NOW)
    take(world)
    price = price_of(world.runtime, TABLES["webhook_events"], [YESTERDAY, TODAY])
    assert price.days == {YESTERDAY: From.NOWHERE, TODAY: From.ARCHIVE}
    assert price.reasons == {YESTERDAY: NO_RECEIVER}
    assert (price.calls.total(), price.lacking) == (0, None)
