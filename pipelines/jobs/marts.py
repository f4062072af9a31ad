"""Define the jobs of marts and report: build what is out of date, and publish."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from assets.report import REPORT
from assets.warehouse import WAREHOUSE
from catalog.records import beijing_day
from pipelines.jobs.tables import QUIET
from resources.runtime import Runtime

ANSWERS = "answers_job"


def make_answers_job(marts: Iterable[dg.AssetsDefinition]):
    """Create the job that builds all marts of some days, also those without partitions, and then publishes.

    Days whose files did not change are built with the same result.
    """
    return dg.define_asset_job(
        ANSWERS,
        selection=dg.AssetSelection.assets(*marts, WAREHOUSE),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="计算集市并发布 / makes the marts and publishes",
    )


def make_report_job():
    """Create the job that makes the report of a day, after the assets that it is made of."""
    return dg.define_asset_job(
        "report_job",
        selection=dg.AssetSelection.assets(REPORT),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="生成每日报告 / makes the daily report",
    )


def report_schedule(job) -> dg.ScheduleDefinition:
    """Run the report after the last runs of the morning and of the afternoon."""

    @dg.schedule(
        name="report_schedule",
        job=job,
        cron_schedule=["40 12 * * *", "40 16 * * *"],
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="每天 12:40 与 16:40 / daily at 12:40 and 16:40",
    )
    def _tick(context: dg.ScheduleEvaluationContext):
        at = context.scheduled_execution_time
        return dg.RunRequest(partition_key=beijing_day(at).isoformat(), run_key=at.isoformat())

    return _tick


def days_out_of_date(runtime: Runtime) -> tuple[date, date] | None:
    """Return the first and last day on which some mart is older than the lake's files; None if there is none.

    Only a publication on the command line builds days before the first partition.
    """
    from resources.warehouse.published_marts import WHOLE
    from services.marts.build import Marts

    today = runtime.clock.today()
    stale = (dt for dts in Marts(runtime).any_stale().values() for dt in dts)
    dts = [d for dt in stale if runtime.settings.start_date <= (d := today if dt == WHOLE else dt) <= today]
    return (min(dts), max(dts)) if dts else None
