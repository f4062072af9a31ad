"""Provide the storage classes under their former name.

The ``dagster.yaml`` of older homes names this module until a ``douyin`` command renews the file.
"""

from pipelines.dagster_compat.storage import KeptSqliteEventLogStorage, KeptSqliteRunStorage, KeptSqliteScheduleStorage

__all__ = ["KeptSqliteEventLogStorage", "KeptSqliteRunStorage", "KeptSqliteScheduleStorage"]
