"""Build all definitions: assets from the catalogue, marts from their SQL, jobs, schedules and sensors."""

import dagster as dg

from assets.archive import ARCHIVE, HOLDS, archive_spec, holds
from assets.marts import mart_assets
from assets.report import report_asset
from assets.tables import operation_specs, table_assets
from assets.warehouse import warehouse_asset
from pipelines.jobs.alerts import alert_failed_runs, alerts_job, alerts_schedule
from pipelines.jobs.marts import make_answers_job, make_report_job, report_schedule
from pipelines.jobs.outreach import outreach_plan_job, outreach_schedules, outreach_send_job
from pipelines.jobs.prune import prune_job
from pipelines.jobs.replay import replay_job
from pipelines.jobs.tables import QUIET, make_jobs, make_schedules, weekly
from pipelines.sensors import publish_after_runs
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.warehouse.mart_files import mart_folders, mart_paths


def build_definitions(runtime: Runtime, settings: Settings) -> dg.Definitions:
    """Build all definitions over ``runtime``.

    ``settings`` gives the first day of the partitions, and the schedules their inputs.
    """
    jobs = make_jobs()
    folders = mart_folders(settings.project)
    marts = mart_assets(settings.start_date, settings.mart_cache_path, folders)
    warehouse = warehouse_asset(mart_paths(*folders))
    answers_job = make_answers_job(marts)
    report_job = make_report_job()
    publish_job = dg.define_asset_job(
        "publish_job",
        selection=dg.AssetSelection.assets(warehouse),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="发布仓库文件 / publish the warehouse",
    )
    verify_job = dg.define_asset_job(
        "verify_job",
        selection=dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(ARCHIVE), HOLDS)),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="核对归档、数据湖与仓库 / verifies archive, lake and warehouse",
    )
    return dg.Definitions(
        assets=[
            *operation_specs(),
            *table_assets(settings.start_date),
            *marts,
            warehouse,
            report_asset(settings.start_date),
            archive_spec,
        ],
        asset_checks=[holds],
        jobs=[
            *jobs.values(),
            answers_job,
            report_job,
            publish_job,
            replay_job,
            verify_job,
            prune_job,
            outreach_plan_job,
            outreach_send_job,
            alerts_job,
        ],
        schedules=[
            *make_schedules(jobs, settings),
            weekly(verify_job, "0 4 * * 0"),
            weekly(prune_job, "0 5 * * 0"),
            report_schedule(report_job),
            *outreach_schedules(),
            alerts_schedule(),
        ],
        sensors=[publish_after_runs(publish_job, answers_job, settings), alert_failed_runs(settings)],
        resources={"runtime": runtime},
        executor=dg.in_process_executor,
    )
