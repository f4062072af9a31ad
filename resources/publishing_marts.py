"""Marts of the lake as tables of the schema ``marts``: changed days upserted, descriptions as their files say now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from resources.lake import Lake, Partition, scan
from resources.marts import Mart
from resources.own_columns import own_comments

WHOLE = date(1970, 1, 1)
"""The day under which a full mart's one file is known."""
_MANY = 31
"""More days than these of a table are committed by themselves: a file that is made anew is not one transaction of everything."""
_log = logging.getLogger(__name__)
_SQL_TYPES = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN", pa.date32(): "DATE", pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ"}


def mart_partitions(lake: Lake, mart: Mart) -> list[Partition]:
    """What the lake holds of a mart: its days in order, or its one file."""
    if mart.incremental:
        return list(lake.partitions(mart.room))
    path = whole_path(lake, mart)
    if not path.exists():
        return []
    stat = path.stat()
    return [Partition(mart.room, WHOLE, path, stat.st_size, stat.st_mtime_ns)]


def whole_path(lake: Lake, mart: Mart) -> Path:
    """Where a full mart lies."""
    return lake.root / mart.room / "all" / "data.parquet"


def publish_marts(
    connection: duckdb.DuckDBPyConnection, present: Mapping[str, list[Partition]], marts: Mapping[str, Mart], pin: Callable[[Partition], Partition | None]
) -> tuple[dict[str, list[date]], list[str]]:
    """Bring the schema ``marts`` up to what the lake holds of each, by room.

    Gives the days that were written or removed per mart, and the marts of which days were left out because they were made by an
    elder file with other columns: they come when they are made again.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
    for kind, name in connection.execute(
        "SELECT 'VIEW', view_name FROM duckdb_views() WHERE schema_name = 'marts' AND database_name = current_database() "
        "UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE schema_name = 'marts' AND database_name = current_database()"
    ).fetchall():
        if kind == "VIEW" or name not in marts:
            connection.execute(f'DROP {kind} marts."{name}"')
            connection.execute("DELETE FROM meta.partitions WHERE name = ?", [f"marts/{name}"])
    connection.execute("CREATE OR REPLACE TABLE meta.marts (name VARCHAR, hash VARCHAR)")
    connection.execute("COMMENT ON TABLE meta.marts IS '已发布的集市及其 SQL 指纹 / marts of this file, and the hash of the SQL that describes them'")
    connection.execute(";".join(own_comments("meta.marts")))
    changed, behind = {}, []
    for mart in marts.values():
        days, left = _publish(connection, mart, present[mart.room], pin)
        if days:
            changed[mart.room] = days
        if left:
            behind.append(mart.name)
            _log.warning("%d days of the mart %s were made by an elder file with other columns, and are published when they are made again", left, mart.name)
    return changed, behind


def _publish(connection, mart: Mart, present: list[Partition], pin: Callable[[Partition], Partition | None]) -> tuple[list[date], int]:
    connection.execute("INSERT INTO meta.marts VALUES (?, ?)", [mart.name, mart.hash])
    if not present:
        connection.execute(f'DROP TABLE IF EXISTS marts."{mart.name}"')
        connection.execute("DELETE FROM meta.partitions WHERE name = ?", [mart.room])
        return [], 0
    newest = pin(present[-1])
    if newest is None:  # taken away this moment
        return [], 0
    schema = _schema(newest)
    if _columns(connection, mart.name) != [(f.name, _SQL_TYPES[f.type]) for f in schema]:
        connection.execute(f'DROP TABLE IF EXISTS marts."{mart.name}"')
        connection.execute("DELETE FROM meta.partitions WHERE name = ?", [mart.room])
        columns = ", ".join(f'"{f.name}" {_SQL_TYPES[f.type]}' for f in schema)
        connection.execute(f'CREATE TABLE marts."{mart.name}" ({columns})')
    known = {dt: (size, mtime) for dt, size, mtime in connection.execute("SELECT dt, size_bytes, mtime_ns FROM meta.partitions WHERE name = ?", [mart.room]).fetchall()}
    fresh = [one for p in present if known.get(p.dt) != (p.size, p.mtime_ns) and (one := pin(p)) is not None]
    fitting = [p for p in fresh if p.path == newest.path or _schema(p) == schema]
    gone = sorted(known.keys() - {p.dt for p in present})
    _describe(connection, mart, schema)
    if fitting or gone:
        days = [p.dt for p in fitting] + gone
        if held := [d for d in days if d in known]:
            which = "true" if not mart.incremental else "dt IN (SELECT unnest($1::DATE[]))"
            connection.execute(f'DELETE FROM marts."{mart.name}" WHERE {which}', [held] if mart.incremental else [])
        if fitting:
            connection.execute(f'INSERT INTO marts."{mart.name}" BY NAME SELECT * FROM {scan(fitting)}')
        note_published(connection, mart.room, days, fitting)
        return days, len(fresh) - len(fitting)
    return [], len(fresh)


def note_published(connection, name: str, days: Sequence[date], now: Sequence[Partition]) -> None:
    """Write down what the file holds of some days: those of ``now`` as they were read, of the others nothing."""
    connection.execute("DELETE FROM meta.partitions WHERE name = ? AND dt IN (SELECT unnest(?::DATE[]))", [name, days])
    columns = [[p.dt for p in now], [p.size for p in now], [p.mtime_ns for p in now]]
    # One by one, the 34,000 partitions of two years took 10 s.
    connection.execute("INSERT INTO meta.partitions SELECT ?, unnest(?::DATE[]), unnest(?::BIGINT[]), unnest(?::BIGINT[])", [name, *columns])
    if len(days) > _MANY:
        connection.execute("COMMIT; BEGIN")


def _schema(partition: Partition) -> pa.Schema:
    return pq.read_schema(partition.path).remove_metadata()


def _columns(connection, name: str) -> list[tuple[str, str]]:
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'marts' AND table_name = ? AND database_name = current_database() ORDER BY column_index", [name]
    ).fetchall()
    return [(n, "TIMESTAMPTZ" if kind == "TIMESTAMP WITH TIME ZONE" else kind) for n, kind in found]


def _describe(connection, mart: Mart, schema: pa.Schema) -> None:
    connection.execute(f'COMMENT ON TABLE marts."{mart.name}" IS {_text(mart.comment)}')
    for name in schema.names:
        if (meaning := mart.meaning(name)) is not None:
            unit = f" [{meaning.unit}]" if meaning.unit else ""
            connection.execute(f'COMMENT ON COLUMN marts."{mart.name}"."{name}" IS {_text(f"{meaning.zh} / {meaning.en}{unit}")}')


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
