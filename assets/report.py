"""Define the report asset, which depends on marts and the published file and ends the graph."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.mart_keys import mart_days, mart_key
from assets.tables import OWNER
from assets.warehouse import WAREHOUSE
from resources.runtime import Runtime

REPORT = "report"
READS = (
    "account_daily",
    "video_daily",
    "video_performance",
    "hot_words_now",
    "topic_opportunity",
    "billboard_moves",
    "fan_portrait",
    "comment_labels",
    "comment_keywords",
    "lead_funnel",
    "poi_daily",
    "publishing_rhythm",
    "data_health",
)
"""Marts on the page."""


def report_asset(start: date) -> dg.AssetsDefinition:
    """Define the asset with one page per Beijing day."""

    @dg.asset(
        name=REPORT,
        group_name=WAREHOUSE,
        deps=[*(dg.AssetDep(mart_key(name)) for name in READS), WAREHOUSE],
        partitions_def=mart_days(start),
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"html"},
        owners=[OWNER],
        description=(
            "每日报告：一个自包含的 HTML 文件，中英文。\n\nThe daily report: one self-contained HTML file, Chinese and "
            "English, made from the published warehouse."
        ),
        output_required=False,
    )
    def _report(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> Iterator:
        from services.reporting.page import latest_day, write_report

        last = latest_day(runtime)
        for key in context.partition_keys:
            day = date.fromisoformat(key)
            if last is None or day > last:
                context.log.info(f"the warehouse has nothing of {day} yet: no report")
                continue
            path = write_report(runtime, day)
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key,
                    partition=key,
                    metadata={"path": dg.MetadataValue.path(str(path)), "bytes": path.stat().st_size},
                )
            )
        yield from ()  # no output: days were logged one by one, and days without a page stay unmarked

    return _report
