"""Read columns and comments of published tables in one query, and rewrite only the ones that differ.

DuckDB takes half a millisecond to write a comment, and a query for one table's columns scans those of all tables: 0.5 s
for each mart and publication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.system_columns import own_comments
from resources.sql import identifier, literal

if TYPE_CHECKING:
    import duckdb

TEXTS = pa.list_(pa.field("element", pa.string()))
"""The type of a list of texts, as it reads back from Parquet."""
TYPES: Mapping[pa.DataType, str] = {
    pa.date32(): "DATE",
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    TEXTS: "VARCHAR[]",
}
"""DuckDB's names of the types of published columns."""


@dataclass(frozen=True)
class ColumnDescription:
    """A published column: its type in DuckDB's notation, and its comment, None if its meaning is not defined."""

    type: str
    comment: str | None = None


@dataclass(frozen=True)
class Description:
    """A table's present or wanted comment and columns, the latter by name in their order."""

    comment: str | None = None
    columns: Mapping[str, ColumnDescription] = field(default_factory=dict)


def own_description(name: str, schema: pa.Schema, comment: str) -> Description:
    """Describe one of the pipeline's own tables, with column comments from :mod:`catalog.system_columns`.

    ``name`` includes the schema.
    """
    comments = own_comments(name)
    return Description(comment, {f.name: ColumnDescription(TYPES[f.type], comments.get(f.name)) for f in schema})


def read_descriptions(connection: duckdb.DuckDBPyConnection) -> dict[str, Description]:
    """Read the descriptions of all tables of the file, by name with schema."""
    found: dict[str, tuple[str | None, dict[str, ColumnDescription]]] = {}
    tables = (
        "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE database_name = "
        "current_database() AND NOT internal"
    )
    for name, comment in connection.execute(tables).fetchall():
        found[name] = (comment, {})
    columns = (
        "SELECT schema_name || '.' || table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY schema_name, table_name, column_index"
    )
    for name, column, kind, comment in connection.execute(columns).fetchall():
        if name in found:  # columns of views are not described
            found[name][1][column] = ColumnDescription(kind, comment)
    return {name: Description(comment, columns) for name, (comment, columns) in found.items()}


def has_columns(found: Description | None, wanted: Description) -> bool:
    """Return whether the table exists with exactly these columns, types and order."""
    return found is not None and [(n, c.type) for n, c in found.columns.items()] == [
        (n, c.type) for n, c in wanted.columns.items()
    ]


def made_anew(name: str, wanted: Description) -> Iterator[str]:
    """Yield the statements that create or replace the table, empty and with comments; ``name`` includes the schema."""
    table = identifier(*name.split("."))
    columns = ", ".join(f"{identifier(n)} {c.type}" for n, c in wanted.columns.items())
    yield f"CREATE OR REPLACE TABLE {table} ({columns})"
    yield from described(
        name, wanted, Description(columns={n: ColumnDescription(c.type) for n, c in wanted.columns.items()})
    )


def described(name: str, wanted: Description, found: Description) -> Iterator[str]:
    """Yield the statements that update the comments of a table that has the wanted columns."""
    table = identifier(*name.split("."))
    if wanted.comment != found.comment:
        yield f"COMMENT ON TABLE {table} IS {literal(wanted.comment)}"
    for column, said in wanted.columns.items():
        if said.comment != found.columns[column].comment:
            yield f"COMMENT ON COLUMN {table}.{identifier(column)} IS {literal(said.comment)}"
