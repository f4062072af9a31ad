"""Run Dagster jobs in this process, with progress for a person who waits."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from catalog import TABLES, endpoints_of
from catalog.cadences import CADENCES
from pipelines.code_location import make_repository
from pipelines.dagster_compat.names import RunFailureReason
from pipelines.dead_runs import end_dead_runs
from pipelines.home import STORAGE, prepare_dagster_home
from pipelines.jobs.marts import ANSWERS, days_out_of_date
from pipelines.jobs.tables import JOB_NAMES, SERIES, range_tags, series_due
from pipelines.step_failures import error_message_of
from resources import shutdown
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.atomic import RUN_PROCESS, this_process
from resources.warehouse.publication import Publication
from services.marts.publishing import publish

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class RunSummary:
    """One Dagster run: its id, whether it succeeded, and the error message of each failed or waiting step."""

    job: str
    partition: str
    run_id: str
    success: bool
    problems: dict[str, str] = field(default_factory=dict)


class Runner:
    """The repository of jobs, the Dagster instance and the runtime for a series of runs in one process."""

    def __init__(self, runtime: Runtime) -> None:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        _show_warnings()
        self.runtime = runtime
        prepare_dagster_home(runtime.settings)
        if STORAGE not in runtime.settings.dagster_stock:
            from pipelines.dagster_compat.paths import take_paths_as_they_are

            take_paths_as_they_are()
        self.repository = make_repository(runtime, runtime.settings)
        self._instance: dg.DagsterInstance
        self._ending = ExitStack()

    def __enter__(self) -> "Runner":
        self._ending.enter_context(self.runtime.ending_soon())
        self._instance = dg.DagsterInstance.get()
        end_dead_runs(self._instance)
        return self

    def __exit__(self, *error: object) -> None:
        with self._ending:
            self._instance.dispose()
            self.runtime.close()

    def run(
        self, cadence: str, first: date, tables: Iterable[str] | None = None, *, last: date | None = None
    ) -> RunSummary:
        """Run one cadence's job for a partition, a range of them, or some of its tables without publication."""
        return self._execute(
            JOB_NAMES[cadence], first, last or first, [dg.AssetKey(t) for t in tables] if tables is not None else None
        )

    def _execute(self, name: str, first: date, last: date, selection: list[dg.AssetKey] | None = None) -> RunSummary:
        job = self.repository.get_job(name)
        shutdown.check()
        several = last != first
        try:
            result = job.execute_in_process(
                partition_key=None if several else first.isoformat(),
                tags={RUN_PROCESS: this_process()} | (range_tags(first, last) if several else {}),
                instance=self._instance,
                run_config=_QUIET,
                raise_on_error=False,
                asset_selection=selection,
            )
        except dg.DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        shutdown.check(0.0 if result.success else 0.1)
        ran = RunSummary(
            job.name, f"{first} to {last}" if several else first.isoformat(), result.run_id, result.success
        )
        for happened in result.all_events:
            if happened.is_step_failure:
                ran.problems[happened.step_key or ran.job] = error_message_of(happened.step_failure_data)
            elif happened.is_job_failure:
                _record_end(ran, happened.job_failure_data)
        return ran

    def answers(self) -> RunSummary | None:
        """Build the marts that are out of date in one run of the answers job, which also publishes.

        Return None where all are up to date.
        """
        days = days_out_of_date(self.runtime)
        return None if days is None else self._execute(ANSWERS, *days)

    def report(self, day: date) -> RunSummary:
        """Make the report of a day."""
        return self._execute("report_job", day, day)

    def publish(self) -> Publication:
        """Publish the lake and the marts to the warehouse file."""
        return publish(self.runtime)


def _show_warnings() -> None:
    """Show the project's warnings to the person who waits, e.g. that another run locks a table."""
    log = logging.getLogger("resources")
    if not log.handlers:
        log.addHandler(logging.StreamHandler())


def _record_end(ran: RunSummary, failure) -> None:
    """Record why a run ended between its steps, which no step reports.

    It was interrupted while it waited for a pool, or by an error of Dagster's own.
    """
    if failure.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION:
        raise KeyboardInterrupt
    if not ran.problems:
        ran.problems[ran.job] = failure.error.message.strip() if failure.error else "failed"


@dataclass(frozen=True)
class DueSchedule:
    """A run to make: tables of one cadence, and the partitions from the first to the last."""

    cadence: str
    first: date
    last: date
    tables: list[str]


def plan(tables: Iterable[str], day: date, settings: Settings) -> list[DueSchedule]:
    """Plan the runs for ``day``, in an order in which upstream tables come first.

    T+1 series are run for the days before, as the schedules do, and published issues for the week.
    """
    chosen = list(tables)
    result = []
    for cadence in CADENCES:
        if part := [t for t in chosen if endpoints_of(t)[0].cadence.name == cadence]:
            last = TABLES[part[0]].latest_partition(day)
            result.append(
                DueSchedule(cadence, *(series_due(day, settings) if cadence == SERIES else (last, last)), part)
            )
    return result


@contextmanager
def listening(runtime: Runtime, listener) -> Iterator[None]:
    """Call ``listener(ingested)`` after each table of runs inside the block."""
    runtime.listeners.append(listener)
    try:
        yield
    finally:
        runtime.listeners.remove(listener)
