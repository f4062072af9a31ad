"""Define jobs and schedules: one per cadence of the catalogue, each followed by a publication."""

from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from assets.warehouse import WAREHOUSE
from catalog import TABLES, endpoints_of
from catalog.cadences import CADENCES
from catalog.records import BEIJING, Cadence, History, beijing_day
from resources.config.settings import Settings
from resources.runtime import Runtime

JOB_NAMES = {
    "hourly": "hot_words_job",
    "twice_daily": "billboards_job",
    "daily_snapshot": "snapshots_job",
    "daily_t1": "daily_metrics_job",
    "daily_listing": "people_job",
    "rank_weeks": "film_lists_job",
    "events": "events_job",
}
"""Cadence -> the job that runs it."""


SERIES = "daily_t1"
"""The cadence of T+1 series."""

QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}
"""Run configuration that keeps the console to warnings; the event log in the UI has everything."""


def tables_of(cadence: Cadence) -> list[str]:
    """Return the tables whose endpoints are due at ``cadence``, in catalogue order."""
    return [name for name in TABLES if endpoints_of(name)[0].cadence is cadence]


def make_jobs() -> dict:
    """Create the jobs by cadence name."""
    return {name: make_job(name) for name in CADENCES}


def make_job(name: str):
    """Create the job of one cadence. Steps share one process: a process each would cost about 7 s a step."""
    cadence = CADENCES[name]
    return dg.define_asset_job(
        JOB_NAMES[name],
        selection=dg.AssetSelection.assets(*tables_of(cadence), WAREHOUSE),
        description=f"{cadence.doc_zh} / {cadence.doc_en}",
        executor_def=dg.in_process_executor,
        config=QUIET,
    )


LATE_DAYS = 3
"""Days of a T+1 series that are fetched again every day: the platform may count late, and it costs no extra call."""
WHOLE_WINDOW_ON = 0
"""The weekday (Monday) that fetches the whole window of a series, also without extra calls."""


def make_schedules(jobs: dict, settings: Settings) -> list[dg.ScheduleDefinition]:
    """Create one schedule per job with all its times, in Beijing time, and one that resumes after a used-up quota."""
    return [
        *(_schedule(CADENCES[name], job, settings) for name, job in jobs.items()),
        resume_schedule(jobs[SERIES], settings),
    ]


def _schedule(cadence: Cadence, job, settings: Settings) -> dg.ScheduleDefinition:
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
        return run_request(partitions_due(cadence, at, settings), run_key=at.isoformat())

    return _tick


def run_request(dts: tuple[date, date], **more: Any) -> dg.RunRequest:
    """Request a run over the partitions from the first to the last of ``dts``."""
    first, last = (d.isoformat() for d in dts)
    return dg.RunRequest(partition_key=first, **more) if first == last else dg.RunRequest(tags=range_tags(*dts), **more)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Return the tags that make one run of a range of partitions."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def partitions_due(cadence: Cadence, at: datetime, settings: Settings) -> tuple[date, date]:
    """Return the first and last partition that a tick at ``at`` fills.

    That is today, or a week for published issues; for T+1 series the last days until yesterday, on Mondays the whole
    window.

    On Mondays at noon the week before becomes final, and the list of weeks shows it from the next morning on: Tuesday's
    first tick takes it.
    """
    at = (at if at.tzinfo else at.replace(tzinfo=BEIJING)).astimezone(BEIJING)
    table = TABLES[tables_of(cadence)[0]]
    if table.history is History.VERSION and at.weekday() == 1 and at.hour < 23:
        at -= timedelta(days=7)
    last = table.latest_partition(beijing_day(at))
    if table.history is not History.WINDOW:
        return last, last
    return series_due(beijing_day(at), settings)


def series_due(today: date, settings: Settings) -> tuple[date, date]:
    """Return the first and last day of T+1 series that a run on ``today`` takes."""
    last = today - timedelta(days=1)
    days = whole_window(settings) if today.weekday() == WHOLE_WINDOW_ON else LATE_DAYS
    return min(last, max(settings.start_date, today - timedelta(days=days))), last


def whole_window(settings: Settings) -> int:
    """Return how many days back every app of the installation can fetch all series."""
    kinds = {app.type for app in settings.all_apps} or {settings.app_type}
    series = [e for name in tables_of(CADENCES[SERIES]) for e in endpoints_of(name)]
    return min(max(e.windows) for e in series if kinds.intersection(e.apps))


def resume_schedule(job, settings: Settings) -> dg.ScheduleDefinition:
    """Create the schedule that resumes after the daily quota was reset: it fetches what a used-up quota stopped.

    The daily run takes days that the platform had not produced yet.
    """

    @dg.schedule(
        name="resume_schedule",
        job=job,
        cron_schedule="20 0 * * *",
        execution_timezone="Asia/Shanghai",
        description=(
            "每天 0:20，继续因配额用尽而中断的回填 / "
            "daily at 00:20: goes on with backfills that a used-up quota stopped"
        ),
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def _tick(context: dg.ScheduleEvaluationContext):
        from services.ingest.price import pending

        with Runtime(settings) as runtime:
            waiting = pending(runtime, tables_of(CADENCES[SERIES]))
        if not waiting:
            return dg.SkipReason("nothing waits for a new quota")
        at = context.scheduled_execution_time.isoformat()
        return [
            run_request(span, run_key=f"{at}-{table}-{span[0]}", asset_selection=[dg.AssetKey(table)])
            for table, span in waiting
        ]

    return _tick


def weekly(job, cron: str) -> dg.ScheduleDefinition:
    """Run an upkeep job in the small hours of Sundays in Beijing."""
    return dg.ScheduleDefinition(
        name=f"{job.name.removesuffix('_job')}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=job.description,
    )
