"""What Dagster loads: assets from the catalogue, jobs, schedules and the publishing sensor.

Reads ``DOUYIN_START_DATE`` when loaded; everything else is read by the process that runs.
"""

import warnings

import dagster as dg

from assets.tables import operation_specs, table_assets
from assets.warehouse import warehouse
from pipelines.jobs import QUIET, make_jobs, make_schedules
from pipelines.sensors import publish_after_runs
from resources.runtime import Runtime
from resources.settings import Settings


def build_definitions(runtime: Runtime, settings: Settings) -> dg.Definitions:
    """All definitions over ``runtime``. ``settings`` gives only the first day of the partitions."""
    jobs = make_jobs()
    publish_job = dg.define_asset_job(
        "publish_job",
        selection=dg.AssetSelection.assets(warehouse),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="发布仓库文件 / publish the warehouse",
    )
    return dg.Definitions(
        assets=[*operation_specs(), *table_assets(settings.start_date), warehouse],
        jobs=[*jobs.values(), publish_job],
        schedules=make_schedules(jobs),
        sensors=[publish_after_runs(publish_job, settings)],
        resources={"runtime": runtime},
        executor=dg.in_process_executor,
    )


# Backfill policies and pools are beta in this pinned release; what they do here is held by tests.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

defs = build_definitions(Runtime(), Settings())
