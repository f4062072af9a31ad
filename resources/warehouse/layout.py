"""Define and open the published file: tables, views, comments, storage version; detect a file of another layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog import FIELDS, TABLES
from catalog.records import History, Table
from resources.sql import identifier, literal
from resources.storage.schema import DRIFT_SCHEMA, QUARANTINE_SCHEMA
from resources.warehouse.descriptions import made_anew, own_description
from resources.warehouse.extra_tables import EXTRA_TABLES

if TYPE_CHECKING:  # imported only where a file is opened: a run with nothing to publish opens none
    import duckdb

_LAYOUT = 5
"""Version of the file's layout; increase it to rebuild published files although no table's columns changed."""
_STORAGE_VERSION = "v1.4.0"
"""The oldest DuckDB that opens the file.

Older formats number the rows of a table consecutively and do not record where a row group's metadata is. A checkpoint
then reads and writes the metadata of all row groups of a table whose first rows were deleted: two to three times the
CPU time.
"""


def layout_version() -> str:
    """Return the layout that a published file must have to be updated instead of rebuilt."""
    return f"{_LAYOUT};" + ";".join(
        f"{t.name}({','.join(f'{c} {FIELDS[c].type}' for c in t.columns)})" for t in TABLES.values()
    )


def has_layout(path: Path) -> bool:
    """Return whether a published file exists and has the present layout, so that it can be updated."""
    if not path.exists():
        return False
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute("SELECT layout FROM meta.layout").fetchone()
    except duckdb.Error:
        return False
    return found is not None and found[0] == layout_version()


def open_for_writing(building: Path) -> duckdb.DuckDBPyConnection:
    """Open the file to write, as the connection's current database.

    The next checkpoint converts an older file to the storage version.
    """
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute(f"ATTACH {literal(building)} AS warehouse (STORAGE_VERSION '{_STORAGE_VERSION}'); USE warehouse")
    return connection


_OWN: Mapping[str, tuple[pa.Schema, str]] = {
    "meta.quarantine": (
        QUARANTINE_SCHEMA,
        "无法解析的行与值、原因及其在归档中的位置 / "
        "rows and values that could not be parsed, why, and where their bytes lie in the archive",
    ),
    "meta.drift": (
        DRIFT_SCHEMA,
        "平台返回但目录未登记的字段 / members that the platform sent and the catalogue does not know",
    ),
    "meta.partitions": (
        pa.schema([("name", pa.string()), ("dt", pa.date32()), ("size_bytes", pa.int64()), ("mtime_ns", pa.int64())]),
        "已发布的分区 / partitions of the lake that this file holds",
    ),
    "meta.load_status_days": (
        pa.schema([("dt", pa.date32()), ("changed_ns", pa.int64())]),
        "已发布的 load_status 日期及其最后变更 / "
        "days of load_status that this file holds, and when their lines last changed",
    ),
    "meta.layout": (pa.schema([("layout", pa.string())]), "本文件的结构版本 / the layout that this file was made with"),
}


def layout_script() -> str:
    """Return the statements that create an empty file, as one text: a thousand single ones take half as long again."""
    return ";\n".join(_layout_statements())


def _layout_statements() -> Iterator[str]:
    for table in TABLES.values():
        columns = ", ".join(
            f"{identifier(c)} {FIELDS[c].type}{' NOT NULL' if c in table.not_null else ''}" for c in table.columns
        )
        yield f"CREATE TABLE {identifier(table.name)} ({columns})"
        comment = f"{table.zh}：{table.doc_zh} / {table.en}: {table.doc_en}"
        yield f"COMMENT ON TABLE {identifier(table.name)} IS {literal(comment)}"
        for name in table.columns:
            column = FIELDS[name]
            unit = f" [{column.unit}]" if column.unit else ""
            comment = f"{column.zh}：{column.doc_zh} / {column.en}{unit}: {column.doc_en}"
            yield f"COMMENT ON COLUMN {identifier(table.name, name)} IS {literal(comment)}"
        if table.history is History.LISTING:
            yield from _latest_view(table)
    yield "CREATE SCHEMA outreach"
    yield "CREATE SCHEMA meta"
    for name, (schema, comment) in {**_OWN, **EXTRA_TABLES}.items():
        yield from made_anew(name, own_description(name, schema, comment))
    yield f"INSERT INTO meta.layout VALUES ({literal(layout_version())})"


def _latest_view(table: Table) -> Iterator[str]:
    """Yield the statements that create the view of a listing's current state: the latest row of each entity."""
    key, view = ", ".join(table.primary_key), identifier(f"{table.name}_latest")
    yield (
        f"CREATE VIEW {view} AS "
        f"SELECT * FROM {identifier(table.name)} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY observed_at "
        "DESC, dt DESC) = 1"
    )
    comment = f"{table.zh}（最新状态） / {table.en}: the latest row of each"
    yield f"COMMENT ON VIEW {view} IS {literal(comment)}"
