"""Publish ``meta.mart_coverage``: the days and accounts that each mart has.

It is a view, so that marts are counted only when someone reads it, and not at every publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from resources.sql import identifier, literal
from resources.warehouse.descriptions import own_description
from resources.warehouse.mart_files import DATASET, Mart

if TYPE_CHECKING:
    import duckdb

MART_COVERAGE = "meta.mart_coverage"
MART_COVERAGE_SCHEMA = pa.schema(
    [
        ("mart", pa.string()),
        ("covers_from", pa.date32()),
        ("covers_to", pa.date32()),
        ("rows", pa.int64()),
        ("days", pa.int64()),
        ("day_ratio", pa.float64()),
        ("accounts", pa.int64()),
        ("account_ratio", pa.float64()),
    ]
)
"""One line per mart."""
_COMMENT = (
    "各集市的日期范围、行数、天数与账号数，查询时计算 / "
    "days, rows and accounts that each mart has, counted when it is read"
)
_ACCOUNTS = f"{DATASET}.dim_accounts"
_VIEW = """
CREATE OR REPLACE VIEW meta.mart_coverage AS
WITH counted AS (
    SELECT name AS mart, NULL::DATE AS first, NULL::DATE AS last, NULL::DATE AS day, NULL::VARCHAR AS client_key,
           NULL::VARCHAR AS open_id, 0 AS n
    FROM meta.marts
    {counted}
),
known AS ({known})
SELECT mart, min(first) AS covers_from, max(last) AS covers_to, sum(n)::BIGINT AS rows,
       nullif(count(DISTINCT day), 0) AS days,
       round(nullif(count(DISTINCT day), 0) / (max(last) - min(first) + 1), 6) AS day_ratio,
       nullif(count(DISTINCT (client_key, open_id)) FILTER (open_id IS NOT NULL), 0) AS accounts,
       round(nullif(count(DISTINCT (client_key, open_id)) FILTER (is_known), 0) / (SELECT count(*) FROM known), 6)
           AS account_ratio
FROM counted LEFT JOIN known USING (client_key, open_id)
GROUP BY mart
"""


def publish_coverage(connection: duckdb.DuckDBPyConnection, marts: Mapping[str, Mart]) -> None:
    """Create or replace the view over the published tables of ``marts``."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'marts' AND database_name = current_database()"
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    is_known = "SELECT client_key, open_id, true AS is_known FROM "
    known = is_known + (_ACCOUNTS if "dim_accounts" in tables else "counted WHERE false")
    counted = [_counted(marts[name], columns) for name, columns in tables.items() if name in marts]
    connection.execute(_VIEW.format(counted="\n    ".join(counted), known=known))
    wanted = own_description(MART_COVERAGE, MART_COVERAGE_SCHEMA, _COMMENT)
    comments = {f"VIEW {MART_COVERAGE}": wanted.comment} | {
        f"COLUMN {MART_COVERAGE}.{name}": column.comment for name, column in wanted.columns.items()
    }
    connection.execute(";".join(f"COMMENT ON {what} IS {literal(said)}" for what, said in comments.items()))


def _counted(mart: Mart, columns: Mapping[str, str]) -> str:
    """Build the SELECT that counts the rows of one mart by day and account."""
    days = [_day(name, columns) for name in mart.covers] or ["NULL"]
    day = days[0] if len(days) == 1 else "NULL"
    account = "client_key, open_id" if {"client_key", "open_id"} <= {*columns} else "NULL, NULL"
    return (
        f"UNION ALL SELECT {literal(mart.name)}, {days[0]}, {days[-1]}, {day}, {account}, count(*) "
        f"FROM {identifier(DATASET, mart.name)} GROUP BY ALL"
    )


def _day(column: str, columns: Mapping[str, str]) -> str:
    """Build the Beijing day of a column; null while the published table, made by older SQL, does not have it."""
    if column not in columns:
        return "NULL"
    instant = columns[column] != "DATE"
    return f"({identifier(column)} AT TIME ZONE 'Asia/Shanghai')::DATE" if instant else identifier(column)
