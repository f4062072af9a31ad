"""Publish marts of the lake as tables of the schema ``marts``: upsert changed days, update descriptions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from resources.sql import identifier
from resources.storage.lake import Lake
from resources.storage.partition import Partition
from resources.warehouse.descriptions import (
    TYPES,
    ColumnDescription,
    Description,
    described,
    has_columns,
    made_anew,
    own_description,
)
from resources.warehouse.mart_coverage import publish_coverage
from resources.warehouse.mart_files import DATASET, Mart
from resources.warehouse.published_partitions import PublishedPartitions, commit_many

if TYPE_CHECKING:
    import duckdb

WHOLE = date(1970, 1, 1)
"""Placeholder day of a full mart's one file."""
_log = logging.getLogger(__name__)
_MARTS = own_description(
    "meta.marts",
    pa.schema([("name", pa.string()), ("hash", pa.string())]),
    "已发布的集市及其 SQL 指纹 / marts of this file, and the hash of the SQL that describes them",
)


def mart_partitions(lake: Lake, mart: Mart) -> list[Partition]:
    """Return a mart's partitions in the lake: its days in order, or its one file."""
    if mart.incremental:
        return list(lake.partitions(mart.dataset))
    path = whole_path(lake, mart)
    if not path.exists():
        return []
    stat = path.stat()
    return [Partition(mart.dataset, WHOLE, path, stat.st_size, stat.st_mtime_ns)]


def whole_path(lake: Lake, mart: Mart) -> Path:
    """Return the path of a full mart's file, whether or not it exists."""
    return lake.root / mart.dataset / "all" / "data.parquet"


def publish_marts(
    connection: duckdb.DuckDBPyConnection,
    published: PublishedPartitions,
    found: Mapping[str, Description],
    present: Mapping[str, list[Partition]],
    marts: Mapping[str, Mart],
    pin: Callable[[Partition], Partition | None],
    insert: Callable[[duckdb.DuckDBPyConnection, str, list[Partition]], None],
) -> tuple[dict[str, list[date]], list[str]]:
    """Update the schema ``marts`` to the lake's partitions and the mart files.

    ``found`` are the present descriptions by table, ``present`` the lake's partitions by dataset. ``pin`` protects a
    file while it is read, ``insert`` adds partitions to a table.

    Returns the days that were written or removed per dataset, and the names of marts with skipped days. Days built by
    an older SQL version with other columns are skipped and published when they are rebuilt.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
    for (name,) in connection.execute(
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts' AND database_name = current_database()"
    ).fetchall():
        connection.execute(f"DROP VIEW {identifier('marts', name)}")
    for name in found:
        where, _, table = name.partition(".")
        if where == "marts" and table not in marts:
            _drop(connection, published, table)
    _say_which(connection, marts, found.get("meta.marts"))
    changed, behind = {}, []
    for mart in marts.values():
        days, left = _publish(
            connection, published, mart, found.get(f"marts.{mart.name}"), present[mart.dataset], pin, insert
        )
        if days:
            changed[mart.dataset] = days
        if left:
            behind.append(mart.name)
            _log.warning(
                "%d days of the mart %s were made by an older SQL file with other columns, and are published "
                "when they are made again",
                left,
                mart.name,
            )
    _fill_names(connection, marts, changed)
    publish_coverage(connection, marts)
    return changed, behind


def _fill_names(
    connection: duckdb.DuckDBPyConnection, marts: Mapping[str, Mart], changed: Mapping[str, list[date]]
) -> None:
    """Give columns of ``-- names:`` the values of their dimension, where it has the row."""
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' AND database_name = current_database()"
        ).fetchall()
    }
    for mart in marts.values():
        for column, (name, of) in mart.names.items():
            dimension = marts.get(name)
            if (
                dimension is None
                or not {mart.name, name} <= tables
                or not {mart.dataset, dimension.dataset} & {*changed}
            ):
                continue
            same = " AND ".join(f'm."{key}" = d."{key}"' for key in dimension.key)
            connection.execute(
                f'UPDATE marts."{mart.name}" AS m SET "{column}" = d."{of}" FROM marts."{name}" AS d '
                f'WHERE {same} AND m."{column}" IS DISTINCT FROM d."{of}"'
            )


def _publish(
    connection: duckdb.DuckDBPyConnection,
    published: PublishedPartitions,
    mart: Mart,
    found: Description | None,
    present: list[Partition],
    pin: Callable[[Partition], Partition | None],
    insert: Callable[[duckdb.DuckDBPyConnection, str, list[Partition]], None],
) -> tuple[list[date], int]:
    if not present:
        _drop(connection, published, mart.name)
        return [], 0
    newest = next((one for p in reversed(present) if (one := pin(p)) is not None), None)
    if newest is None:  # removed at this moment, or damaged
        return [], 0
    schema = _schema(newest)
    wanted = _description(mart, schema)
    if found is not None and has_columns(found, wanted):
        statements = list(described(f"marts.{mart.name}", wanted, found))
    else:
        published.forget(mart.dataset)
        statements = list(made_anew(f"marts.{mart.name}", wanted))
    if statements:
        connection.execute(";".join(statements))
    fresh = [one for p in published.changed(mart.dataset, present) if (one := pin(p)) is not None]
    fitting = [p for p in fresh if p.path == newest.path or _schema(p) == schema]
    days = [p.dt for p in fitting] + published.gone(mart.dataset, present)
    table = identifier("marts", mart.name)
    if old := published.known(mart.dataset, days):
        which = "true" if not mart.incremental else "dt IN (SELECT unnest($1::DATE[]))"
        connection.execute(f"DELETE FROM {table} WHERE {which}", [old] if mart.incremental else [])
    if fitting:
        insert(connection, table, fitting)
    published.note(mart.dataset, days, fitting)
    commit_many(connection, days)
    return days, len(fresh) - len(fitting)


def _drop(connection: duckdb.DuckDBPyConnection, published: PublishedPartitions, name: str) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {identifier('marts', name)}")
    published.forget(f"{DATASET}/{name}")


def _say_which(connection: duckdb.DuckDBPyConnection, marts: Mapping[str, Mart], found: Description | None) -> None:
    """Write ``meta.marts``: the marts of this file and the hashes of their SQL."""
    if found is None or not has_columns(found, _MARTS):
        connection.execute(";".join(made_anew("meta.marts", _MARTS)))
    now = {m.name: m.hash for m in marts.values()}
    if dict(connection.execute("SELECT name, hash FROM meta.marts").fetchall()) != now:
        connection.execute("DELETE FROM meta.marts")
        connection.execute(
            "INSERT INTO meta.marts SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])", [[*now], [*now.values()]]
        )


def _schema(partition: Partition) -> pa.Schema:
    return pq.read_schema(partition.path).remove_metadata()


def _description(mart: Mart, schema: pa.Schema) -> Description:
    return Description(mart.comment, {f.name: ColumnDescription(TYPES[f.type], _meaning(mart, f.name)) for f in schema})


def _meaning(mart: Mart, column: str) -> str | None:
    if (said := mart.meaning(column)) is None:
        return None
    unit = f" [{said.unit}]" if said.unit else ""
    return f"{said.zh} / {said.en}{unit}"
