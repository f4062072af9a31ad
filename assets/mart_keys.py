"""What others of the graph call marts by, and the days of an incremental one: without Arrow and SQL, which marts themselves are read with."""

from datetime import date

import dagster as dg

from resources.warehouse.mart_files import DATASET


def mart_key(name: str) -> dg.AssetKey:
    """Marts have a key of their own schema: ``marts/video_daily``."""
    return dg.AssetKey([DATASET, name])


def mart_days(start: date) -> dg.DailyPartitionsDefinition:
    """Beijing days, today included."""
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone="Asia/Shanghai", end_offset=1)
