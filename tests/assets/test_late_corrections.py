"""Late counts and late series are collected and counted by the next runs, without extra calls."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from installation import TODAY, YESTERDAY

from resources.state.load_status import Outcome
from services.ingest.changes import total

MEASURES = {"item_play": "plays", "user_like": "new_like"}
NEXT = "2026-11-17T11:00:00+08:00"
THREE = [TODAY - timedelta(days=n) for n in range(3)]
"""The days of a daily run on the 17th."""


@pytest.fixture
def world(make_world):
    made = make_world(platform={"accounts": 3, "videos": 12, "late_counts": 0.6})
    made.ingest("videos")
    return made


@pytest.mark.slow
@pytest.mark.parametrize("table", MEASURES)
def test_a_correction_comes_with_the_calls_of_the_next_day(world, make_world, table: str):
    world.ingest(table)
    low = {
        (*tuple(r[k] for k in ("open_id", "stat_date") if k in r), r.get("item_id")): r
        for r in world.rows(table, YESTERDAY)
    }
    world.at("2026-11-17T11:00:00+08:00")
    world.ingest("videos")
    world.clear()
    done = world.ingest(table, *THREE)
    alone = make_world(platform={"accounts": 3, "videos": 12, "late_counts": 0.6}, home="alone").at(NEXT)
    alone.ingest("videos")
    assert done.calls == alone.ingest(table, TODAY).calls, "three days cost what one costs"

    # A day is complete two days later; until then some numbers are a tenth too low.
    world.at("2026-11-18T11:00:00+08:00")
    world.ingest("videos")
    done = world.ingest(table, *(d + timedelta(days=1) for d in THREE))
    changes = done.changes[YESTERDAY]
    measure = MEASURES[table]
    now = {
        (*tuple(r[k] for k in ("open_id", "stat_date") if k in r), r.get("item_id")): r
        for r in world.rows(table, YESTERDAY)
    }
    grown = {k for k in low if now[k][measure] != low[k][measure]}
    assert len(grown) == changes.altered > 0
    assert all(now[k][measure] > low[k][measure] for k in grown)
    assert changes.removed == 0


@pytest.mark.slow
def test_the_whole_window_finds_older_corrections_with_the_same_calls(world):
    table, month = "user_like", [TODAY - timedelta(days=n) for n in range(30)]
    world.ingest(table, *(d - timedelta(days=1) for d in month))
    world.at("2026-11-20T11:00:00+08:00")  # nothing ran for days
    world.clear()
    done = world.ingest(table, *(d + timedelta(days=3) for d in month))
    assert done.calls == world.calls() == 3
    found = total(done.changes.values())
    assert found.altered > 0
    assert {d for d, c in done.changes.items() if c.altered} <= {YESTERDAY, YESTERDAY - timedelta(days=1)}
    assert found.confirmed > 60, "the other days were reported again with the same figures"


@pytest.mark.parametrize("table", MEASURES)
def test_what_is_not_produced_yet_is_requested_again_at_the_next_schedule(world, table: str):
    world.at("2026-11-17T08:00:00+08:00")  # before the platform's daily jobs
    world.ingest("videos")
    done = world.ingest(table, *THREE)
    assert {s.status for s in world.status(table, TODAY).values()} == {Outcome.NOT_READY}
    assert done.missing == [TODAY]
    assert not world.runtime.lake.path(table, TODAY).exists()
    world.clear()
    world.at("2026-11-17T15:00:00+08:00")
    done = world.ingest(table, *THREE)
    assert done.missing == []
    assert world.calls(table) == done.calls > 0
    assert {s.status for s in world.status(table, TODAY).values()} == {Outcome.LOADED}
    world.clear()
    assert world.ingest(table, *THREE).calls == world.calls() == 0


def test_without_late_counts_nothing_is_corrected(make_world):
    world = make_world()
    world.ingest("user_like")
    for day in (17, 18):
        world.at(f"2026-11-{day}T11:00:00+08:00")
        done = world.ingest("user_like", *(date(2026, 11, day) - timedelta(days=n) for n in (1, 2, 3)))
    assert total(done.changes.values()).altered == 0
