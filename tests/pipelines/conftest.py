"""Dagster in this process: an instance in the test's own directory, with access to its event log."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from installation import World

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult

    from pipelines.runner import Runner, RunSummary


@contextlib.contextmanager
def _kept_environment() -> Iterator[None]:
    """Restore DAGSTER_HOME, which a runner sets for its process."""
    before = os.environ.get("DAGSTER_HOME")
    try:
        yield
    finally:
        os.environ.pop("DAGSTER_HOME", None)
        if before is not None:
            os.environ["DAGSTER_HOME"] = before


@dataclass
class Orchestra:
    """A world with Dagster over it."""

    world: World
    runner: Runner

    @property
    def instance(self) -> DagsterInstance:
        return self.runner._instance

    def run(self, cadence: str, partition: date, *tables: str) -> RunSummary:
        return self.runner.run(cadence, partition, tables or None)

    def run_range(self, cadence: str, first: date, last: date, *tables: str) -> ExecuteInProcessResult:
        """One run over a range of partitions, as a backfill with a single-run policy starts it."""
        import dagster as dg

        from pipelines.jobs.tables import JOB_NAMES
        from pipelines.runner import _QUIET

        job = self.runner.repository.get_job(JOB_NAMES[cadence])
        tags = {
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
        }
        selection = [dg.AssetKey(t) for t in tables]
        return job.execute_in_process(
            instance=self.instance, asset_selection=selection, tags=tags, run_config=_QUIET, raise_on_error=False
        )

    def partitions(self, table: str) -> set[str]:
        """Days that Dagster shows as materialised."""
        import dagster as dg

        return self.instance.get_materialized_partitions(dg.AssetKey(table))

    def metadata(self, table: str, partition: date, *, observed: bool = False) -> dict[str, Any]:
        """Plain values of the latest materialisation (or observation) of one day."""
        import dagster as dg

        key = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[partition.isoformat()])
        records = (self.instance.fetch_observations if observed else self.instance.fetch_materializations)(
            key, limit=1
        ).records
        assert records, f"{table} {partition} has no {'observation' if observed else 'materialisation'}"
        entry = records[0].event_log_entry
        said = entry.asset_observation if observed else entry.asset_materialization
        return {k: v.value for k, v in said.metadata.items()}

    def checks(self, run_id: str, table: str) -> dict[str, Any]:
        """Check name -> evaluation, of one run."""
        import dagster as dg

        found = {}
        for entry in self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
            evaluation = entry.dagster_event.event_specific_data
            if evaluation.asset_key == dg.AssetKey(table):
                assert evaluation.check_name not in found
                found[evaluation.check_name] = evaluation
        return found


@pytest.fixture
def orchestrate() -> Iterator[Callable[[World], Orchestra]]:
    """Put Dagster over a world: ``orchestrate(world)``."""
    from pipelines.runner import Runner

    with contextlib.ExitStack() as stack:
        stack.enter_context(_kept_environment())
        yield lambda world: Orchestra(world, stack.enter_context(Runner(world.runtime)))


@pytest.fixture
def orchestra(world: World, orchestrate) -> Orchestra:
    return orchestrate(world)


@pytest.fixture(scope="module")
def good_day(
    request, platforms, tmp_path_factory
) -> Iterator[tuple[Orchestra, dict[str, RunSummary], tuple[str, ...]]]:
    """All jobs of one day without faults over the given tables.

    Yields the orchestra, the summary of each run, and the tables. Tests must not modify it.
    """
    from installation import START, TODAY, YESTERDAY

    from catalog import endpoints_of
    from pipelines.runner import Runner

    world = World(*platforms(videos=12, most_fans=60_000), home=tmp_path_factory.mktemp("good_day"), options={})
    world.clear()
    world.open().at(START).authorize()
    with _kept_environment(), Runner(world.runtime) as runner:
        orchestra = Orchestra(world, runner)
        world.watch(("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))
        world.receive()
        ran = {}
        for cadence in ("hourly", "twice_daily", "daily_snapshot", "daily_t1", "daily_listing", "rank_weeks", "events"):
            tables = [t for t in request.param if endpoints_of(t)[0].cadence.name == cadence]
            ran[cadence] = orchestra.run(cadence, YESTERDAY if cadence == "daily_t1" else TODAY, *tables, "warehouse")
        yield orchestra, ran, request.param


@pytest.fixture(scope="module")
def answered(platforms, tmp_path_factory) -> Iterator[tuple[Orchestra, RunSummary]]:
    """Fans and plays of two days, a list of hot words of today, and one marts job over the stale days.

    The tests build on it.
    """
    from datetime import timedelta

    from installation import START, YESTERDAY

    from pipelines.runner import Runner

    world = World(*platforms(), home=tmp_path_factory.mktemp("answered"), options={})
    world.clear()
    world.open().at(START).authorize()
    for table in ("user_fans", "user_item"):
        world.ingest(table, YESTERDAY - timedelta(days=1), YESTERDAY)
    world.ingest("hot_words")
    with _kept_environment(), Runner(world.runtime) as runner:
        yield Orchestra(world, runner), runner.answers()
