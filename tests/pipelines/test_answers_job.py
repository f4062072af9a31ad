"""Marts built by Dagster: the days that a run marks, the results of checks, and column lineage.

The tests of this file build on each other, in their order: collecting for each of them took half of their time.
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
from installation import TODAY, YESTERDAY

from assets.marts import GRAIN, ROWS
from pipelines.jobs.marts import ANSWERS
from pipelines.jobs.tables import QUIET, range_tags

pytestmark = pytest.mark.filterwarnings("ignore:Parameter .backfill_policy. of function")
FIRST = YESTERDAY - timedelta(days=1)


def mart(name: str) -> dg.AssetKey:
    return dg.AssetKey(["marts", name])


def materialisations(orchestra, name: str, run_id: str) -> dict[str | None, dict]:
    """Partition -> metadata, of one run."""
    records = orchestra.instance.fetch_materializations(mart(name), limit=1000).records
    found = [r.event_log_entry for r in records if r.event_log_entry.run_id == run_id]
    return {e.asset_materialization.partition: dict(e.asset_materialization.metadata) for e in found}


def checks(orchestra, name: str, run_id: str) -> dict:
    entries = orchestra.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [e.dagster_event.event_specific_data for e in entries]
    return {e.check_name: e for e in evaluations if e.asset_key == mart(name)}


@pytest.mark.slow
def test_a_run_over_several_days_makes_checks_and_describes_the_marts(answered):
    orchestra, ran = answered
    assert (ran.success, ran.problems, ran.partition) == (True, {}, f"{FIRST} to {TODAY}")

    # A mart that has none or some of the days does not block those that read it: no step is skipped, above all not the
    # publication.
    skipped = [
        e.dagster_event.step_key
        for e in orchestra.instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.STEP_SKIPPED)
    ]
    assert skipped == []

    # Each day that a mart has is marked, and no other day of the range.
    days = {str(FIRST): 3, str(YESTERDAY): 3}
    made = materialisations(orchestra, "account_daily", ran.run_id)
    assert {p: m["dagster/partition_row_count"].value for p, m in made.items()} == days
    assert orchestra.instance.get_materialized_partitions(mart("account_daily")) == set(days)
    assert orchestra.instance.get_materialized_partitions(mart("hot_words_now")) == {str(TODAY)}
    assert orchestra.instance.get_materialized_partitions(mart("poi_daily")) == set(), (
        "it has no data: nothing is marked"
    )
    ((partition, whole),) = materialisations(orchestra, "data_health", ran.run_id).items()
    assert (partition, whole["made"].value) == (None, True)
    assert whole["dagster/row_count"].value > 0

    found = checks(orchestra, "account_daily", ran.run_id)
    assert {name: c.passed for name, c in found.items()} == {GRAIN: True, ROWS: True}
    assert {k: v.value for k, v in found[GRAIN].metadata.items()} == {"rows": 6, "days": 2}
    assert set(checks(orchestra, "data_health", ran.run_id)) == {GRAIN}, "no bound of rows, no check of them"

    lineage = made[str(YESTERDAY)]["dagster/column_lineage"].lineage.deps_by_column
    made_of = {name: {(d.asset_key.to_user_string(), d.column_name) for d in deps} for name, deps in lineage.items()}
    assert made_of["net_fans"] == {("user_fans", "total_fans")}
    assert made_of["engagement_ratio"] == {
        ("user_like", "new_like"),
        ("user_comment", "new_comment"),
        ("user_share", "new_share"),
        ("user_item", "new_play"),
    }
    assert made_of["nickname"] >= {("account_profiles", "nickname")}
    now = materialisations(orchestra, "hot_words_now", ran.run_id)[str(TODAY)][
        "dagster/column_lineage"
    ].lineage.deps_by_column
    assert {d.asset_key for d in now["first_seen_at"]} == {mart("hot_word_lifecycle")}, (
        "a mart of a mart names the mart"
    )
    columns = {c.name: c for c in made[str(YESTERDAY)]["dagster/column_schema"].schema.columns}
    assert columns["net_fans"].description.endswith("← main.user_fans.total_fans")
    assert not columns["open_id"].constraints.nullable

    with orchestra.world.runtime.warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM marts.account_daily").fetchone() == (6,), (
            "the run published, too"
        )
        assert connection.execute("SELECT count(*) FROM marts.hot_words_now").fetchone() == (50,), (
            "marts of marts are made in the same run"
        )
    assert orchestra.runner.answers() is None, "nothing is out of date any more"


@pytest.mark.slow
def test_a_second_run_makes_only_what_was_altered_and_says_so(answered):
    orchestra, _ = answered
    world = orchestra.world
    world.ingest("user_like", FIRST)
    again = orchestra.runner.answers()
    assert again.success
    # The likes of the first day concern that day and the one after, which looks back 30 days.
    made = materialisations(orchestra, "account_daily", again.run_id)
    assert {p: (m["made"].value, m["changed"].value) for p, m in made.items()} == {
        str(FIRST): (True, True),
        str(YESTERDAY): (True, False),
    }
    assert materialisations(orchestra, "hot_words_now", again.run_id) == {}

    # Manually, over a range: unchanged days are reported and not rebuilt, unless requested.
    job = orchestra.runner.repository.get_job(ANSWERS)

    def by_hand(**config) -> dict[str, bool]:
        done = job.execute_in_process(
            instance=orchestra.instance,
            asset_selection=[mart("account_daily")],
            tags=range_tags(FIRST, TODAY),
            raise_on_error=False,
            run_config=QUIET | {"ops": {"marts__account_daily": {"config": config}}},
        )
        assert done.success
        return {
            p: (m["made"].value, m["changed"].value)
            for p, m in materialisations(orchestra, "account_daily", done.run_id).items()
        }

    assert by_hand() == {str(FIRST): (False, False), str(YESTERDAY): (False, False)}
    assert by_hand(again=True) == {str(FIRST): (True, False), str(YESTERDAY): (True, False)}


@pytest.mark.slow
def test_rows_that_jump_warn(answered):
    """One account on the first day and three on the second; the mart's description allows a fifth more."""
    orchestra, _ = answered
    lake = orchestra.world.runtime.lake
    for table in ("user_fans", "user_item", "user_like"):
        lake.write(table, FIRST, lake.read(table, FIRST).slice(0, 1))
    ran = orchestra.runner.answers()
    assert ran.success, "a warning, no failure"
    found = checks(orchestra, "account_daily", ran.run_id)[ROWS]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.metadata["jumps"].value == {str(YESTERDAY): "1 → 3"}
