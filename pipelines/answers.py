"""Marts after runs: a job that makes what is out of date, and publishes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from assets.marts.build import Marts
from assets.warehouse import WAREHOUSE
from pipelines.jobs import QUIET
from resources.publishing_marts import WHOLE
from resources.runtime import Runtime

ANSWERS = "answers_job"


def make_answers_job(marts: Iterable[dg.AssetsDefinition]):
    """All marts of some days, those that are made whole too, then the publication. Days whose files did not change come out the same."""
    return dg.define_asset_job(
        ANSWERS,
        selection=dg.AssetSelection.assets(*marts, WAREHOUSE),
        executor_def=dg.in_process_executor,
        config=QUIET,
        description="计算集市并发布 / makes the marts and publishes",
    )


def days_out_of_date(runtime: Runtime) -> tuple[date, date] | None:
    """First and last day of which some mart is out of date by the files of the lake; None where there is none.

    What lies before the first partition is made by a publication on the command line only.
    """
    today = runtime.clock.today()
    stale = (dt for dts in Marts(runtime).any_stale().values() for dt in dts)
    dts = [d for dt in stale if runtime.settings.start_date <= (d := today if dt == WHOLE else dt) <= today]
    return (min(dts), max(dts)) if dts else None
