"""Query the warehouse for the report, read-only: plain rows, limited to what a page can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from services.reporting.sql_files import queries_of, sql_of

Rows = list[dict[str, Any]]
TREND_DAYS = 30
REPORT = "report"
"""Folder of the queries under ``sql``."""
ENOUGH = 0.95
"""A day's total is compared only if at least this share of today's accounts was counted on that day, too.

Totals of fewer accounts would look like a decline.
"""


@dataclass(frozen=True)
class ReportData:
    """Data of the page for one day."""

    day: date
    figures_day: date | None
    """The day of the series: the platform counts a day late."""
    rows: dict[str, Rows] = field(default_factory=dict)
    """Rows by question; values are plain Python values, times are in Beijing."""
    missing: dict[str, str] = field(default_factory=dict)
    """What the published file lacks, by question."""

    def one(self, question: str) -> dict[str, Any]:
        """Return the row of a question with a single row; empty if the file lacks its data."""
        rows = self.rows.get(question, [])
        return rows[0] if rows else {}

    def many(self, question: str) -> Rows:
        """Return the rows of a question; an empty list if the file lacks its data."""
        return self.rows.get(question, [])


def ask(warehouse: duckdb.DuckDBPyConnection, day: date) -> ReportData:
    """Run all queries of ``sql/report`` for the report of ``day`` (Beijing).

    They use ``$day``, the day of the report, ``$figures``, that of the series, ``$since``, the first day of the trend,
    and ``$enough``.
    """
    warehouse.execute("SET TimeZone = 'Asia/Shanghai'")
    found = ReportData(day, _figures_day(warehouse, day))
    figures = found.figures_day or day
    parameters = {"day": day, "figures": figures, "since": figures - timedelta(days=TREND_DAYS - 1), "enough": ENOUGH}
    for name, sql in queries_of(REPORT).items():
        used = {key: value for key, value in parameters.items() if f"${key}" in sql}
        try:
            found.rows[name] = [_plain(row) for row in warehouse.execute(sql, used).to_arrow_table().to_pylist()]
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            found.missing[name] = _lacking(error)
    return found


def _lacking(error: duckdb.Error) -> str:
    """Return what a file of an earlier version lacks, a table or a column; raise any other error again."""
    said = str(error).splitlines()[0]
    if isinstance(error, duckdb.BinderException) and "not found" not in said:
        raise error
    return said


def _plain(value: Any) -> Any:
    """Convert decimals to integers: sums of integers are decimals in DuckDB, which page and charts do not accept."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return int(value) if isinstance(value, Decimal) else value


def _figures_day(warehouse: duckdb.DuckDBPyConnection, day: date) -> date | None:
    """Return the last day on which most accounts have plays or fans; else the last on which any has."""
    try:
        ((figures,),) = warehouse.execute(sql_of(REPORT, "_figures_day"), {"day": day}).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        _lacking(error)
        return None
    return figures
