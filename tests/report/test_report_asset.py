"""The report as an asset: a page per day that the warehouse reaches, and none of days to come."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
from report_rows import DAY, Home

from assets.report import report_asset
from services.reporting.page import report_path


def test_a_page_per_day_and_none_of_days_to_come(tmp_path):
    home = Home(tmp_path)
    home.put("hot_words", {"rank": 1, "sentence": "词"})
    runtime = home.publish()
    days = [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]
    tags = {"dagster/asset_partition_range_start": str(days[0]), "dagster/asset_partition_range_end": str(days[-1])}
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            assets=[report_asset(date(2026, 11, 1))],
            resources={"runtime": runtime},
            jobs=[dg.define_asset_job("report_job")],
            executor=dg.in_process_executor,
        ).resolve_job_def("report_job")
        assert job.execute_in_process(instance=instance, tags=tags).success
        assert instance.get_materialized_partitions(dg.AssetKey("report")) == {str(d) for d in days[:2]}
    assert [report_path(runtime, d).exists() for d in days] == [True, True, False]
