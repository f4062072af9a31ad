"""The former place of the storage classes, which the ``dagster.yaml`` of older homes names until a ``douyin`` command renews it."""

from pipelines.dagster_compat.storage import KeptSqliteEventLogStorage, KeptSqliteRunStorage, KeptSqliteScheduleStorage

__all__ = ["KeptSqliteEventLogStorage", "KeptSqliteRunStorage", "KeptSqliteScheduleStorage"]
