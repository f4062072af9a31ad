"""Arrow schemas of core tables, from the catalogue: explicit types, never inferred ones."""

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
    """Columns of ``table`` in catalogue order; those that may not be empty are marked so."""
    return pa.schema([pa.field(c, ARROW_TYPES[FIELDS[c].type], nullable=c not in table.not_null) for c in table.columns])


QUARANTINE_SCHEMA = pa.schema(
    [
        ("dt", pa.date32()),
        ("table_name", pa.string()),
        ("operation", pa.string()),
        ("client_key", pa.string()),
        ("open_id", pa.string()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("position", pa.int64()),
        ("reason", pa.string()),
        ("segment", pa.string()),
        ("record", pa.int64()),
    ]
)
"""Rows that could not be parsed: why, and where their bytes lie in the archive."""

DRIFT_SCHEMA = pa.schema(
    [
        ("dt", pa.date32()),
        ("table_name", pa.string()),
        ("operation", pa.string()),
        ("member", pa.string()),
        ("rows", pa.int64()),
    ]
)
"""Members that the platform sent and the catalogue does not know."""
