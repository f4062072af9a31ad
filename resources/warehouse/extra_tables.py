"""Write the warehouse's tables that are not in the lake: as a whole, or only their changed days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pyarrow as pa

from resources.sql import identifier
from resources.storage.schema import (
    DICTIONARY_SCHEMA,
    JOINS_SCHEMA,
    NOT_AVAILABLE_SCHEMA,
    PUBLISHED_SCHEMA,
    STATUS_SCHEMA,
)
from resources.warehouse.descriptions import Description, described, has_columns, made_anew, own_description
from resources.warehouse.state_tables import TABLES_OF_STATE

if TYPE_CHECKING:
    import duckdb

_BY_DAY = "meta.load_status"
"""The one table of the state that grows with every day; only its changed days are read."""


@dataclass(frozen=True)
class TableByDay:
    """A table of the state that is read by day.

    ``changed`` is when the lines of each day last changed (machine time in nanoseconds); ``read`` reads given days.
    """

    changed: Mapping[date, int]
    read: Callable[[Iterable[date]], Iterable[pa.RecordBatch]]


ExtraTable: TypeAlias = pa.Table | Iterable[pa.RecordBatch] | TableByDay


class ExtraTables(Protocol):
    """Function that reads the tables that are not in the lake, by name with schema."""

    def __call__(self) -> Mapping[str, ExtraTable]:
        """Return the tables that are to be published; the others stay as they are."""


EXTRA_TABLES: Mapping[str, tuple[pa.Schema, str]] = {
    "meta.load_status": (
        STATUS_SCHEMA,
        "每张表、日期、接口、账号的采集结果 / what became of each table, day, operation and account",
    ),
    "meta.dictionary": (
        DICTIONARY_SCHEMA,
        "数据字典：每个字段的含义、单位、可加性、来源 / "
        "the dictionary: meaning, unit, additivity and source of every column",
    ),
    "meta.not_available": (
        NOT_AVAILABLE_SCHEMA,
        "没有的指标：原因、最接近的指标与可补充的来源 / "
        "metrics that no column has: why, the nearest figure, and which source would bring it",
    ),
    "meta.joins": (
        JOINS_SCHEMA,
        "表与集市如何关联维度：列与基数 / how tables and marts join dimensions: columns and cardinality",
    ),
    "meta.published": (
        PUBLISHED_SCHEMA,
        "本文件的发布时间与数据截止日 / when this file was published, and its last day",
    ),
    **TABLES_OF_STATE,
}
"""Tables of the warehouse that are not in the lake: name with schema -> (columns, comment)."""


def replace_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: pa.Table | Iterable[pa.RecordBatch],
    found: Description | None,
) -> None:
    """Replace all rows of one of :data:`EXTRA_TABLES`, and its columns and comments where they changed.

    ``found`` is the table's present description, None if it does not exist.
    """
    wanted = own_description(name, *EXTRA_TABLES[name])
    if found is not None and has_columns(found, wanted):
        statements = [f"DELETE FROM {name}", *described(name, wanted, found)]
    else:
        statements = list(made_anew(name, wanted))
    if name == _BY_DAY:
        statements.append("DELETE FROM meta.load_status_days")
    connection.execute(";".join(statements))
    insert_batches(connection, name, rows.to_batches() if isinstance(rows, pa.Table) else rows)


def replace_days(connection: duckdb.DuckDBPyConnection, name: str, rows: TableByDay) -> None:
    """Replace the days of ``meta.load_status`` that changed since they were published.

    Raises:
        ValueError: another table is given.
    """
    if name != _BY_DAY:
        raise ValueError(f"{name} is not published by day")
    known = dict(connection.execute("SELECT dt, changed_ns FROM meta.load_status_days").fetchall())
    changed = sorted(dt for dt, at in rows.changed.items() if known.get(dt) != at)
    if not known:  # present rows, if any, were published as a whole table
        connection.execute(f"DELETE FROM {name}")
    if old := [dt for dt in known if rows.changed.get(dt) != known[dt]]:
        connection.execute(f"DELETE FROM {name} WHERE dt IN (SELECT unnest($1::DATE[]))", [old])
        connection.execute("DELETE FROM meta.load_status_days WHERE dt IN (SELECT unnest($1::DATE[]))", [old])
    if changed:
        insert_batches(connection, name, rows.read(changed))
        connection.execute(
            "INSERT INTO meta.load_status_days SELECT unnest($1::DATE[]), unnest($2::BIGINT[])",
            [changed, [rows.changed[dt] for dt in changed]],
        )


def insert_batches(connection: duckdb.DuckDBPyConnection, name: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Insert rows into a table (name with schema), one batch at a time."""
    table = identifier(*name.split("."))
    for batch in batches:
        connection.register("extra_rows", pa.Table.from_batches([batch]))
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM extra_rows")
        connection.unregister("extra_rows")
