"""Running Dagster jobs in this process, with progress for a person who waits."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import dagster as dg

from assets.warehouse import publish
from catalog import TABLES, endpoints_of
from catalog.records import History
from pipelines.definitions import build_definitions
from pipelines.home import prepare_dagster_home
from pipelines.jobs import JOB_NAMES
from resources.runtime import Runtime
from resources.warehouse import Published

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_ORDER = ("hourly", "twice_daily", "daily_snapshot", "daily_t1")


@dataclass
class Ran:
    """One Dagster run: its id, whether it succeeded, and per failed or waiting step what it said."""

    job: str
    partition: str
    run_id: str
    success: bool
    problems: dict[str, str] = field(default_factory=dict)


class Runner:
    """Holds the definitions, the Dagster instance and the runtime for a series of runs in one process."""

    def __init__(self, runtime: Runtime) -> None:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        self.runtime = runtime
        prepare_dagster_home(runtime.settings)
        self.definitions = build_definitions(runtime, runtime.settings)
        self._instance = None

    def __enter__(self) -> "Runner":
        self._instance = dg.DagsterInstance.get()
        return self

    def __exit__(self, *error: object) -> None:
        self._instance.dispose()
        self.runtime.close()

    def run(self, cadence: str, partition: date, tables: Iterable[str] | None = None) -> Ran:
        """Run one cadence's job for one partition, or some of its tables without publication."""
        job = self.definitions.resolve_job_def(JOB_NAMES[cadence])
        selection = [dg.AssetKey(t) for t in tables] if tables is not None else None
        result = job.execute_in_process(
            partition_key=partition.isoformat(),
            instance=self._instance,
            run_config=_QUIET,
            raise_on_error=False,
            asset_selection=selection,
        )
        ran = Ran(job.name, partition.isoformat(), result.run_id, result.success)
        for happened in result.all_events:
            if happened.is_step_failure:
                error = happened.step_failure_data
                said = error.user_failure_data.description if error.user_failure_data else str(error.error.message if error.error else "failed")
                ran.problems[happened.step_key] = (said or "failed").strip()
        return ran

    def publish(self) -> Published:
        return publish(self.runtime)


def plan(tables: Iterable[str], day: date) -> list[tuple[str, date, list[str]]]:
    """What to run for ``day``: (cadence, partition, tables) in an order in which upstream tables come first.

    T+1 series are run for the day before, as the schedules do.
    """
    chosen = list(tables)
    result = []
    for cadence in _ORDER:
        due = [t for t in chosen if endpoints_of(t)[0].cadence.name == cadence]
        for history in (True, False):
            part = [t for t in due if (TABLES[t].history is History.WINDOW) is history]
            if part:
                result.append((cadence, day - timedelta(days=1) if history else day, part))
    return result


@contextmanager
def listening(runtime: Runtime, hear) -> Iterator[None]:
    """Call ``hear(ingested)`` after each table of runs inside the block."""
    runtime.listeners.append(hear)
    try:
        yield
    finally:
        runtime.listeners.remove(hear)



