"""Jobs and schedules: one per cadence of the catalogue, each followed by a publication."""

from datetime import datetime, timedelta

import dagster as dg

from assets.warehouse import WAREHOUSE
from catalog import TABLES, endpoints_of
from catalog.cadences import CADENCES
from catalog.records import BEIJING, Cadence, History, beijing_day

JOB_NAMES = {"hourly": "hot_words_job", "twice_daily": "billboards_job", "daily_snapshot": "snapshots_job", "daily_t1": "daily_metrics_job"}
"""Which job runs which cadence."""


QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}
"""Run configuration that keeps the console to warnings; the event log in the UI has everything."""


def tables_of(cadence: Cadence) -> list[str]:
    """Tables whose endpoints are due at ``cadence``, in catalogue order."""
    return [name for name in TABLES if endpoints_of(name)[0].cadence is cadence]


def make_jobs() -> dict:
    """The jobs by cadence name. Steps share one process: a process each would cost about 7 s a step."""
    return {
        name: dg.define_asset_job(
            JOB_NAMES[name],
            selection=dg.AssetSelection.assets(*tables_of(cadence), WAREHOUSE),
            description=f"{cadence.doc_zh} / {cadence.doc_en}",
            executor_def=dg.in_process_executor,
            config=QUIET,
        )
        for name, cadence in CADENCES.items()
    }


def make_schedules(jobs: dict) -> list[dg.ScheduleDefinition]:
    """One schedule per job with all its times, in Beijing time."""
    return [_schedule(CADENCES[name], job) for name, job in jobs.items()]


def _schedule(cadence: Cadence, job) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{job.name.removesuffix('_job')}_schedule",
        job=job,
        cron_schedule=list(cadence.crons),
        execution_timezone="Asia/Shanghai",
        description=f"{cadence.doc_zh} / {cadence.doc_en}",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def _tick(context: dg.ScheduleEvaluationContext):
        at = context.scheduled_execution_time
        return dg.RunRequest(run_key=at.isoformat(), partition_key=partition_due(cadence, at))

    return _tick


def partition_due(cadence: Cadence, at: datetime) -> str:
    """The partition that a tick at ``at`` fills: today, or yesterday for T+1 series."""
    day = beijing_day(at if at.tzinfo else at.replace(tzinfo=BEIJING))
    histories = {TABLES[name].history for name in tables_of(cadence)}
    return (day - timedelta(days=1) if histories == {History.WINDOW} else day).isoformat()


