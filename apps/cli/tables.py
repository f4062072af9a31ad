"""Print tables and query results of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
from rich.markup import escape
from rich.text import Text

from apps.cli.console import Grid, console
from catalog.records import Table
from resources.sql import identifier

_LONGEST_CELL = 32


def print_row_counts(warehouse: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """Print one line per core table: rows, days, first and last day."""
    grid = Grid(title="warehouse.duckdb")
    for name, justify in (
        ("table", "left"),
        ("", "left"),
        ("rows", "right"),
        ("days", "right"),
        ("from", "left"),
        ("to", "left"),
    ):
        grid.add_column(name, justify=justify)
    for name, table in tables.items():
        ((rows, days, first, last),) = warehouse.execute(
            f"SELECT count(*), count(DISTINCT dt), min(dt), max(dt) FROM {identifier(name)}"
        ).fetchall()
        grid.add_row(name, table.zh, f"{rows:,}", str(days), str(first or "–"), str(last or "–"))
    console.print(grid)


def print_query(warehouse: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Run an analysis and print its question and its result."""
    text = file.read_text(encoding="utf-8")
    question = " ".join(line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--"))
    cursor = warehouse.execute(text)
    grid = Grid()
    for column in cursor.description:
        numeric = str(column[1]) in ("NUMBER", "BIGINT", "DOUBLE", "HUGEINT", "INTEGER") or "DECIMAL" in str(column[1])
        grid.add_column(Text(column[0]), justify="right" if numeric else "left")
    for row in cursor.fetchall():
        grid.add_row(*(Text(_cell(v)) for v in row))
    console.print(f"\n[bold cyan]{escape(question)}[/bold cyan]  [dim]sql/analyses/{file.name}[/dim]", highlight=False)
    console.print(grid)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
