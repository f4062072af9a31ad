"""An app that owns five scopes, through Dagster.

Every job of the day succeeds, every table records an outcome, and one check reports the missing scopes.
"""

from __future__ import annotations

import dagster as dg
import pytest
from installation import TODAY, YESTERDAY

from assets.warehouse import OBTAINABLE
from catalog import TABLES
from catalog.cadences import CADENCES
from pipelines.jobs.tables import JOB_NAMES, QUIET, tables_of
from resources.state.load_status import Outcome, read_load_status

FIVE = ("user_info", "fans.data.bind", "data.external.user", "data.external.item", "item.comment")
OWNED = {
    "account_profiles",
    "fans_profile",
    "fans_distributions",
    "fans_flow",
    "user_item",
    "user_fans",
    "user_like",
    "user_comment",
    "user_share",
    "user_profile",
}


@pytest.fixture
def poor(make_world, orchestrate):
    return orchestrate(make_world(platform={"scopes": FIVE, "videos": 12}))


def skipped(orchestra, run_id: str) -> list[str]:
    return [
        e.dagster_event.step_key for e in orchestra.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SKIPPED)
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_job_of_the_day_succeeds_and_publishes(poor):
    assert set(JOB_NAMES) == set(CADENCES)
    for cadence in ("hourly", "twice_daily", "daily_snapshot", "daily_t1", "daily_listing", "rank_weeks", "events"):
        day = TABLES[tables_of(CADENCES[cadence])[0]].latest_partition(TODAY)
        ran = poor.run(cadence, day)
        assert (ran.success, ran.problems) == (True, {}), cadence
        assert skipped(poor, ran.run_id) == [], "what follows has an outcome, too, and the publication is reached"

    reported = read_load_status(poor.world.runtime.state)
    assert {s.table_name for s in reported} == TABLES.keys()
    assert {s.status for s in reported} == {Outcome.LOADED, Outcome.UNAVAILABLE, Outcome.NOT_ASKED}
    assert not any("materialise" in (s.reason or "") for s in reported)
    for table in TABLES:
        assert bool(poor.partitions(table)) == (table in OWNED), table

    obtainable = poor.checks(ran.run_id, "warehouse")[OBTAINABLE]
    assert (obtainable.passed, obtainable.severity) == (False, dg.AssetCheckSeverity.WARN)
    rows = {r.data["missing"]: r.data["way_out"] for r in obtainable.metadata["missing"].records}
    assert "`douyin watch add video ITEM_ID --account OPEN_ID`" in rows["scope video.list.bind"]
    assert "能力管理" in rows["scope user.intention"]
    with poor.world.runtime.warehouse.connect() as connection:
        assert connection.execute("SELECT count(DISTINCT table_name) FROM meta.load_status").fetchone()[0] == len(
            TABLES
        )


@pytest.mark.slow
def test_nothing_is_lacking_where_the_app_owns_all(orchestra):
    orchestra.run("hourly", TODAY, "hot_words")
    ran = orchestra.runner.repository.get_job("publish_job").execute_in_process(
        instance=orchestra.instance, run_config=QUIET
    )
    assert ran.success
    assert orchestra.checks(ran.run_id, "warehouse")[OBTAINABLE].passed


def test_what_follows_is_made_although_nothing_was_marked_before_it(orchestra):
    """A watched place is requested in the same run in which the list of claims turned out to be offline."""
    world = orchestra.world
    world.ingest("poi_claims")
    poi = world.rows("poi_claims", TODAY)[0]["poi_id"]
    world.watch(("poi", poi))
    world.at("2026-11-17T11:00:00+08:00")
    world.fault("poi_claim_list", "capability_offline", times=None)
    day = TODAY.replace(day=17)
    ran = orchestra.run("daily_snapshot", day, "poi_claims", "poi_audience")
    assert (ran.success, skipped(orchestra, ran.run_id)) == (True, [])
    assert orchestra.partitions("poi_claims") == set()
    assert orchestra.partitions("poi_audience") == {day.isoformat()}
    assert {r["poi_id"] for r in world.rows("poi_audience", day)} >= {poi}


@pytest.mark.slow
@pytest.mark.parametrize("code", [28001012, 10010])
def test_consents_that_are_missing_fail_no_run(orchestra, code: int):
    orchestra.world.fault("user_share", "busy", times=None, code=code)
    ran = orchestra.run("daily_t1", YESTERDAY, "user_share")
    assert (ran.success, ran.problems) == (True, {})
    assert orchestra.partitions("user_share") == set()
    assert "3 needs_consent" in orchestra.metadata("user_share", YESTERDAY, observed=True)["not_materialised"]
