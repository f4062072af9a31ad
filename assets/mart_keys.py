"""Define keys and days of mart assets, without importing Arrow and SQL parsers, which only the marts need."""

from datetime import date

import dagster as dg

from resources.warehouse.mart_files import DATASET


def mart_key(name: str) -> dg.AssetKey:
    """Return the asset key of a mart, which begins with its schema: ``marts/video_daily``."""
    return dg.AssetKey([DATASET, name])


def mart_days(start: date) -> dg.DailyPartitionsDefinition:
    """Define daily partitions in Beijing time, including today."""
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone="Asia/Shanghai", end_offset=1)
