"""Trace the columns of a mart to the columns they are derived from, by its SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer import build_scope
from sqlglot.optimizer.qualify import qualify

from resources.warehouse.mart_files import Mart


def columns_of(mart: Mart, schemas: Mapping[str, pa.Schema]) -> dict[str, list[tuple[str, str]]]:
    """Map each column to the sorted (source table with schema, column) pairs it is derived from.

    Constants and row counts have an empty list.

    Args:
        mart: the mart.
        schemas: the columns of its sources, by name with schema.
    """
    from services.marts.binding import on_day

    known: dict[str, dict[str, dict[str, str]]] = {}
    for name, schema in schemas.items():
        where, _, table = name.partition(".")
        known.setdefault(where, {})[table] = {f.name: "VARCHAR" for f in schema}
    tree = sqlglot.parse_one(on_day(mart.sql, date(2026, 1, 1)), dialect="duckdb")
    # Qualify once for all columns: repeating it for each took most of the time, trimming the SELECTs most of the rest.
    tables: dict[str, object] = {**known}
    qualified = qualify(tree, dialect="duckdb", schema=tables, validate_qualify_columns=False, identify=False)
    assert isinstance(qualified, exp.Query)  # a mart is one SELECT
    scope = build_scope(qualified)
    found = {}
    for column in qualified.named_selects:
        leaves: set[tuple[str, str]] = set()
        for node in lineage(
            column, qualified, schema=tables, dialect="duckdb", scope=scope, copy=False, trim_selects=False
        ).walk():
            if isinstance(node.expression, exp.Table) and node.expression.db:
                leaves.add((f"{node.expression.db}.{node.expression.name}", node.name.rpartition(".")[2].strip('"')))
        found[column] = sorted(pair for pair in leaves if pair[0] in schemas and pair[1] in schemas[pair[0]].names)
    return found
