"""Publish after runs that do not publish themselves.

A job's last step publishes. It is not reached when a step before it failed, nor is it part of a backfill or of a run
started by hand from the UI. The sensor checks whether the lake is newer than the published file.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.dead_runs import end_dead_runs
from pipelines.jobs.marts import days_out_of_date
from pipelines.jobs.tables import run_request
from resources.config.settings import Settings
from resources.runtime import Runtime

_BELIEVED = timedelta(hours=2)
"""How long a run without a change blocks publishing.

A killed run stays marked as started for ever. Publishing beside a living run does no harm, it is only repeated later.
"""


def publish_after_runs(publish_job, answers_job, settings: Settings) -> dg.SensorDefinition:
    """Create the sensor that publishes when the lake is newer than marts or warehouse.

    It starts ``answers_job`` over the days on which marts are out of date, or else ``publish_job`` when the lake has
    partitions that the published file lacks.
    """

    @dg.sensor(
        name="publish_after_runs",
        jobs=[publish_job, answers_job],
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="湖中数据领先于已发布文件时发布 / publishes when the lake is ahead of the warehouse file",
    )
    def _sensor(context: dg.SensorEvaluationContext):
        with Runtime(settings) as runtime:
            version = runtime.warehouse.lake_version()
            if version is None:
                return dg.SkipReason("the lake is empty")
            stale = days_out_of_date(runtime)
            if stale is None and runtime.warehouse.is_current():
                return dg.SkipReason("marts and warehouse hold all that the lake holds")
        end_dead_runs(context.instance)
        if _running(context.instance):
            return dg.SkipReason("a run is writing; it publishes itself, or the next tick does")
        # One attempt an hour for the same lake, so that a failed publication or a lost file gets another.
        run_key = f"{version}-{datetime.now(UTC):%Y%m%dT%H}"
        if stale is None:
            return dg.RunRequest(run_key=run_key, job_name=publish_job.name)
        return run_request(stale, run_key=f"answers-{run_key}", job_name=answers_job.name)

    return _sensor


def _running(instance: dg.DagsterInstance) -> bool:
    active = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    return instance.get_runs_count(dg.RunsFilter(statuses=active, updated_after=datetime.now(UTC) - _BELIEVED)) > 0
