"""How far back leads and the interaction log reach.

They cover outages by themselves, and any past days through a backfill.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from installation import TODAY

from catalog import TABLES
from catalog.records import beijing_day
from resources.state.load_status import Outcome
from services.ingest.price import From, price_of
from services.ingest.replay import replay

LATER = "2026-12-14T11:00:00+08:00"
"""Four weeks after the first run."""
LAST = date(2026, 12, 14)


@pytest.fixture
def world(make_world):
    return make_world(platform={"accounts": 3, "videos": 4})


def seen(world, table: str, column: str) -> set:
    """Keys of all rows of a table, over all its days."""
    return {
        (r["open_id"], *((r["event"], r["actor_open_id"], r[column]) if table == "lead_events" else (r[column],)))
        for dt in world.runtime.lake.days(table)
        for r in world.rows(table, dt)
    }


def happened(world, make_world, since: date) -> set:
    """Return the platform's own log from a day on, by an installation that requests every day of it."""
    other = make_world(platform={"accounts": 3, "videos": 4}, home="other", start_date=date(2026, 10, 1)).at(world.now)
    days = [since + timedelta(days=n) for n in range((LAST - since).days)]
    other.ingest("lead_events", *days, LAST)
    return {key for key in seen(other, "lead_events", "event_at") if beijing_day(key[-1]) >= since}


@pytest.mark.slow
def test_a_break_of_weeks_loses_no_event(world, make_world):
    world.ingest("lead_events")
    world.at(LATER).clear()
    done = world.ingest("lead_events")
    assert {s.status for s in done.statuses} == {Outcome.LOADED}
    known = {key for key in seen(world, "lead_events", "event_at") if beijing_day(key[-1]) >= TODAY}
    assert known == happened(world, make_world, TODAY)
    assert len({key[-1].date() for key in known}) > 20, "there was something on most days"
    world.clear()
    assert world.ingest("lead_events").calls == world.calls() == 0


@pytest.mark.slow
def test_a_break_of_weeks_loses_no_lead(world, make_world):
    world.ingest("lead_ids")
    world.at(LATER).ingest("lead_ids")
    daily = make_world(platform={"accounts": 3, "videos": 4}, home="daily")
    daily.ingest("lead_ids")
    for n in range(1, 29):
        day = TODAY + timedelta(days=n)
        daily.at(f"{day}T11:00:00+08:00").ingest("lead_ids")
    everybody = seen(daily, "lead_ids", "lead_open_id")
    assert seen(world, "lead_ids", "lead_open_id") == everybody
    assert len(everybody) > 2 * len(world.rows("lead_ids", TODAY))


def test_the_usual_day_sends_the_usual_requests(world):
    world.ingest("lead_events")
    world.at("2026-11-17T11:00:00+08:00").clear()
    world.ingest("lead_events")
    first = int(datetime.fromisoformat("2026-11-14T00:00:00+08:00").timestamp()) * 1000
    assert {
        e.params["start_time"]
        for e in world.archived("intention_log_list")
        if e.began_at > datetime.fromisoformat("2026-11-17T00:00:00+08:00")
    } == {first}


@pytest.mark.slow
def test_a_period_that_failed_is_requested_again_and_those_before_it_are_not(world, make_world):
    world.ingest("lead_events")
    world.at(LATER).fault("intention_log_list", "http_502", account=1, times=None, after=4)
    world.ingest("lead_events")
    assert {n: s.status for n, s in world.status("lead_events", LAST).items()} == {
        0: Outcome.LOADED,
        1: Outcome.FAILED,
        2: Outcome.LOADED,
    }
    world.restart().clear()
    again = world.ingest("lead_events")
    assert 0 < again.calls == world.calls() == world.calls_of("intention_log_list", 1)
    fine = [
        e
        for e in world.archived("intention_log_list")
        if e.ok and e.open_id == world.accounts[1] and beijing_day(e.began_at) == LAST
    ]
    begun = Counter(e.params["start_time"] for e in fine if e.page == 1)
    assert len(begun) > 8
    assert begun.total() <= len(begun) + 1, "a session that broke off begins anew, periods before it do not"
    assert {key for key in seen(world, "lead_events", "event_at") if beijing_day(key[-1]) >= TODAY} == happened(
        world, make_world, TODAY
    )


# --------------------------------------------------------------------------- backfills

FIRST, END = date(2026, 10, 12), date(2026, 11, 1)
PAST = [FIRST + timedelta(days=n) for n in range((END - FIRST).days + 1)]


@pytest.mark.slow
def test_past_days_of_the_log_are_filled_by_the_time_of_the_events(world, make_world):
    table = TABLES["lead_events"]
    price = price_of(world.runtime, table, PAST)
    assert set(price.days.values()) == {From.CALL}
    assert price.calls.total() == 3 * 7, "three accounts, seven periods of three days"
    done = world.ingest("lead_events", *PAST)
    assert done.missing == []
    assert {
        d for dt in PAST for d in {beijing_day(r["event_at"]) for r in world.rows("lead_events", dt)} if d != dt
    } == set()
    found = seen(world, "lead_events", "event_at")
    assert len(found) == sum(world.read("lead_events", dt).num_rows for dt in PAST) > 50, "each event on one day"
    assert {s.status for s in done.statuses} <= {Outcome.LOADED, Outcome.EMPTY}
    assert all((s.status is Outcome.LOADED) == (s.rows > 0) for s in done.statuses)
    spans = {(e.params["start_time"], e.params["end_time"]) for e in world.archived("intention_log_list")}
    assert max(end - start for start, end in spans) == 3 * 86_400_000

    files = world.lake_files()
    world.clear()
    assert set(price_of(world.runtime, table, PAST).days.values()) == {From.ARCHIVE}
    assert world.ingest("lead_events", *PAST).calls == world.calls() == 0
    assert world.lake_files() == files
    for dt in PAST:
        world.runtime.lake.remove("lead_events", dt)
    for one in replay(world.runtime, table, FIRST, END):
        one.land(world.runtime)
    assert world.lake_files() == files

    world.restart().at(LATER)
    assert world.ingest("lead_events", *PAST).calls == 0, "a day that is over is requested once"
    assert world.lake_files() == files


def test_past_days_of_leads_are_those_who_acted_on_them(world):
    world.ingest("lead_ids")
    today = world.lake_files()
    days = PAST[-8:]
    done = world.ingest("lead_ids", *days)
    assert done.calls >= 2 * len(days), "a day by itself, for each enterprise account"
    people = {dt: {(r["open_id"], r["lead_open_id"]) for r in world.rows("lead_ids", dt)} for dt in days}
    assert all(people.values())
    assert {name: body for name, body in world.lake_files().items() if name in today} == today
    price = price_of(world.runtime, TABLES["leads"], days)
    assert price.calls.total() == sum(map(len, people.values())), "the lists are in the archive; each lead is one call"
    for table in ("leads", "lead_actions"):
        world.ingest(table, *days)
    actions = {
        dt: {
            (r["open_id"], r["lead_open_id"])
            for r in world.rows("lead_actions", dt)
            if beijing_day(r["action_at"]) == dt
        }
        for dt in days
    }
    assert actions == people
    assert {dt: {(r["open_id"], r["lead_open_id"]) for r in world.rows("leads", dt)} for dt in days} == people
    world.clear()
    for table in ("lead_ids", "leads", "lead_actions", "lead_taggings"):
        assert world.ingest(table, *days).calls == 0
    assert world.calls() == 0


def test_days_that_daily_runs_saw_whole_are_not_requested_again(world):
    for n in range(3):
        world.at(f"{TODAY + timedelta(days=n)}T11:00:00+08:00")
        for table in ("lead_events", "lead_ids"):
            world.ingest(table)
    files = world.lake_files()
    world.clear()
    for table in ("lead_events", "lead_ids"):
        days = price_of(world.runtime, TABLES[table], [TODAY, TODAY + timedelta(days=1)]).days
        assert days == {TODAY: From.ARCHIVE, TODAY + timedelta(days=1): From.ARCHIVE}
        world.ingest(table, TODAY, TODAY + timedelta(days=1))
    assert world.calls() == 0
    assert world.lake_files() == files


def test_the_rest_of_the_last_day_before_a_break_can_be_had(make_world):
    """Test a home of an earlier release, which requested three days after an outage of ten."""
    world = make_world(platform={"accounts": 3, "videos": 4})
    world.ingest("lead_events")
    before = world.rows("lead_events", TODAY)
    world.at("2026-11-26T11:00:00+08:00")
    assert price_of(world.runtime, TABLES["lead_events"], [TODAY]).days == {TODAY: From.CALL}
    world.ingest("lead_events", TODAY)
    after = world.rows("lead_events", TODAY)
    key = ("open_id", "event", "actor_open_id", "event_at")
    more = {tuple(r[k] for k in key) for r in after} - {tuple(r[k] for k in key) for r in before}
    assert more
    assert {beijing_day(at) for *_, at in more} == {TODAY}
    assert min(at for *_, at in more) > datetime.fromisoformat("2026-11-16T10:00:00+08:00")


def test_leads_of_a_day_whose_ids_are_missing_are_said_to_be(world):
    day = PAST[-1]
    world.ingest("leads", day)
    reported = world.status("leads", day)["leads_user_detail"]
    assert (reported.status, reported.reason) == (
        Outcome.FAILED,
        f"`lead_ids` of {day} are not loaded: backfill `lead_ids` first",
    )
    assert world.accounts_in("leads", day), "what the list itself says of them"


# --------------------------------------------------------------------------- series of videos that are too old by now

MONTH = [TODAY - timedelta(days=n) for n in range(30, 0, -1)]


def expected(world, dt: date) -> dict[int, Outcome]:
    """Return what the list of videos reveals on :data:`TODAY` of a day of ``item_play``.

    The known videos are those that were young then or are young now.
    """
    found = {}
    for n, open_id in enumerate(world.accounts):
        created = [
            beijing_day(r["created_at"])
            for r in world.rows("videos", TODAY)
            if r["open_id"] == open_id and r["created_at"]
        ]
        existed = [day for day in created if dt - timedelta(days=29) <= day <= dt]
        now = [day for day in existed if day >= TODAY - timedelta(days=30)]
        found[n] = (
            Outcome.EMPTY
            if not existed
            else Outcome.GONE
            if not now
            else Outcome.LOADED
            if len(now) == len(existed)
            else Outcome.PARTIAL
        )
    return found


FEW = {"accounts": 1, "videos": 3, "seed": 31}
"""An account whose young videos begin long after its older ones."""


@pytest.mark.parametrize(
    ("platform", "outcomes"),
    [
        ({"accounts": 3, "videos": 12}, {Outcome.LOADED, Outcome.PARTIAL}),
        (FEW, {Outcome.LOADED, Outcome.GONE, Outcome.EMPTY}),
    ],
)
def test_a_day_whose_videos_are_too_old_by_now_is_never_called_empty(make_world, platform, outcomes):
    world = make_world(platform=platform)
    world.ingest("videos")
    price = price_of(world.runtime, TABLES["item_play"], MONTH)
    done = world.ingest("item_play", *MONTH)
    wanted = {dt: expected(world, dt) for dt in MONTH}
    assert {dt: {n: s.status for n, s in world.status("item_play", dt).items()} for dt in MONTH} == wanted
    assert {o for day in wanted.values() for o in day.values()} >= outcomes
    landed = {dt for dt, day in wanted.items() if {Outcome.PARTIAL, Outcome.LOADED} & set(day.values())}
    assert set(done.partitions) == set(world.runtime.lake.days("item_play")) == landed
    assert all(world.read("item_play", dt).num_rows for dt in landed)
    nowhere = {dt for dt, source in price.days.items() if source is From.NOWHERE}
    assert nowhere == set(MONTH) - landed
    assert all(
        "no longer shows its series" in price.reasons[dt] for dt in nowhere if Outcome.GONE in wanted[dt].values()
    )
    before = {
        dt
        for dt, one in ((r.dt, r) for r in replay(world.runtime, TABLES["item_play"], MONTH[0], MONTH[-1]))
        if one.replaces
    }
    assert before == set(), "the archive alone says the same"


def test_a_backfill_of_gone_days_fails_and_a_daily_run_does_not(make_world):
    from assets.tables import _only_waiting, why_missing

    world = make_world(platform=FEW)
    world.ingest("videos")
    done = world.ingest("item_play", *MONTH)
    gone = [dt for dt in done.missing if Outcome.GONE in expected(world, dt).values()]
    assert gone
    assert (_only_waiting(done), _only_waiting(done, is_backfill=True)) == (True, False)
    assert why_missing(done, gone[0]).startswith("1 gone: older than 30 days by now")


def test_what_was_collected_in_time_is_not_gone_later(make_world):
    world = make_world(platform={"accounts": 1, "videos": 12})
    world.ingest("videos")
    world.ingest("item_play", *MONTH)
    world.at("2026-11-26T11:00:00+08:00").ingest("videos")
    days = [TODAY - timedelta(days=n) for n in range(5, 0, -1)]
    world.ingest("item_play", *days)
    assert {s.status for dt in days for s in world.status("item_play", dt).values()} == {Outcome.LOADED}
    later = TODAY + timedelta(days=5)
    world.ingest("item_play", later)
    assert {s.status for s in world.status("item_play", later).values()} <= {Outcome.LOADED, Outcome.PARTIAL}


def test_the_running_week_is_fetched_again_on_each_of_its_days(world):
    """Its partition is its Monday: a list of that Monday does not settle the days after it."""
    from datetime import UTC

    assert TODAY.weekday() == 0
    instants = [f"2026-11-{day}T23:30:00+08:00" for day in (16, 17, 22)]
    for at in instants:
        world.at(at)
        world.ingest("ent_rank_versions")
        for calls in (3, 0):
            world.clear()
            world.ingest("ent_ranks", TODAY)
            assert world.calls("ent_rank_item") == calls, at
    observed = {r["observed_at"] for r in world.rows("ent_ranks", TODAY)}
    assert max(observed) == datetime.fromisoformat(instants[-1]).astimezone(UTC)
