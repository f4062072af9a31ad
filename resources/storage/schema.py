"""Derive the Arrow schemas of core tables from the catalogue: explicit types, never inferred ones."""

from __future__ import annotations

import pyarrow as pa

from catalog import FIELDS
from catalog.records import Table, Type

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.TEXT: pa.string(),
    Type.BIGINT: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}


def arrow_schema(table: Table) -> pa.Schema:
    """Return the schema of ``table``: its columns in catalogue order, required ones as not nullable."""
    return pa.schema(
        [pa.field(c, ARROW_TYPES[FIELDS[c].type], nullable=c not in table.not_null) for c in table.columns]
    )


QUARANTINE_SCHEMA = pa.schema(
    [
        ("dt", pa.date32()),
        ("table_name", pa.string()),
        ("operation", pa.string()),
        ("client_key", pa.string()),
        ("open_id", pa.string()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("position", pa.int64()),
        ("column_name", pa.string()),
        ("value", pa.string()),
        ("reason", pa.string()),
        ("segment", pa.string()),
        ("record", pa.int64()),
    ]
)
"""Rejected rows and values: the reason, and the location of their bytes in the archive.

A line without ``column_name`` is a rejected row, as are all lines in files of older releases, which lack the column. A
line with it is a rejected value: its row was stored with null in that column.
"""

DRIFT_SCHEMA = pa.schema(
    [
        ("dt", pa.date32()),
        ("table_name", pa.string()),
        ("operation", pa.string()),
        ("member", pa.string()),
        ("rows", pa.int64()),
    ]
)
"""Members that the platform sent and the catalogue does not define."""

STATUS_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("dt", pa.date32()),
        ("operation", pa.string()),
        ("client_key", pa.string()),
        ("open_id", pa.string()),
        ("status", pa.string()),
        ("calls", pa.int64()),
        ("rows", pa.int64()),
        ("quarantined", pa.int64()),
        ("code", pa.int64()),
        ("reason", pa.string()),
    ]
)
"""Outcome of each table, day, operation and account."""

DICTIONARY_SCHEMA = pa.schema(
    [
        ("table_schema", pa.string()),
        ("table_name", pa.string()),
        ("column_name", pa.string()),
        ("position", pa.int64()),
        ("type", pa.string()),
        ("name_en", pa.string()),
        ("name_zh", pa.string()),
        ("meaning_en", pa.string()),
        ("meaning_zh", pa.string()),
        ("unit", pa.string()),
        ("additive", pa.string()),
        ("is_metric", pa.bool_()),
        ("pii", pa.string()),
        ("is_key", pa.bool_()),
        ("source_operations", pa.string()),
        ("made_of", pa.string()),
        ("since", pa.date32()),
        ("platform_name", pa.string()),
        ("differences_en", pa.string()),
        ("differences_zh", pa.string()),
        ("title_en", pa.string()),
        ("title_zh", pa.string()),
        ("synonyms", pa.string()),
    ]
)
"""One line per column of the warehouse."""

NOT_AVAILABLE_SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in ("metric_en", "metric_zh", "words", "why_en", "why_zh", "nearest", "source_en", "source_zh")
    ]
)
"""Metrics that no column has."""

JOINS_SCHEMA = pa.schema([(name, pa.string()) for name in ("from_table", "to_table", "columns", "cardinality")])
"""Columns by which tables and marts join dimensions."""

PUBLISHED_SCHEMA = pa.schema([("published_at", pa.timestamp("us", tz="UTC")), ("data_until", pa.date32())])
"""One line: when the file was published, and the last day with an outcome."""
