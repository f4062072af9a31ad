"""Export tables of the warehouse and query results to Excel, CSV or Parquet, one batch of rows at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog.records import BEIJING
from resources.sql import identifier, literal
from resources.warehouse.select_only import NotOneSelect, connect, one_select
from services.reporting.csv_files import write_csv

_BATCH = 20_000
XLSX_ROWS = 1_048_575
"""Maximum number of rows of a sheet, below its head."""
_XLSX_TEXT = 32_767
"""Maximum number of characters of a cell."""
_MEMORY = "512MB"
"""Memory limit of DuckDB, which spills beside the target: ordering 4 million rows (0.6 GB as CSV) took 1 GB without."""


class CannotExport(ValueError):
    """The requested export is impossible; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Numbers of ``rows`` written, and of texts ``cut`` at the maximum length of an Excel cell."""

    rows: int
    cut: int = 0


def write_export(
    warehouse: Path,
    target: Path,
    kind: str,
    *,
    table: str | None = None,
    sql: str | None = None,
    first: date | None = None,
    last: date | None = None,
    headers: str | None = None,
) -> ExportResult:
    """Write ``table``, or the rows of ``sql``, to ``target``; the file is replaced completely or not at all.

    Instants are written in Beijing time, except to Parquet.

    Args:
        warehouse: the published DuckDB file.
        target: the file to write.
        kind: xlsx, csv or parquet.
        table: name of a table or view, with schema unless it is ``main``.
        sql: one SELECT, instead of ``table``.
        first: first day of ``dt``.
        last: last day of ``dt``.
        headers: None for column names; zh or en for the names of the dictionary.

    Raises:
        CannotExport: a table or column does not exist, the SQL fails, or a sheet cannot have so many rows.
    """
    pending = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with (
            tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as spill_dir,
            connect(
                warehouse, writes=pending, config={"memory_limit": _MEMORY, "temp_directory": spill_dir}
            ) as connection,
        ):
            try:
                query = _query(connection, table, sql, first, last)
                if kind == "parquet":
                    ((rows,),) = connection.execute(
                        f"COPY ({query}) TO {literal(pending)} (FORMAT parquet, COMPRESSION zstd)"
                    ).fetchall()
                    done = ExportResult(rows)
                else:
                    if kind == "xlsx":
                        ((rows,),) = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()
                        _fits(rows)
                    names = _names(connection, headers, table) if headers else {}
                    batches = connection.execute(query).to_arrow_reader(_BATCH)
                    done = (_csv if kind == "csv" else _xlsx)(pending, batches, names)
            except duckdb.Error as error:
                raise CannotExport(f"the SQL does not run: {str(error).splitlines()[0]}") from error
        os.replace(pending, target)
    finally:
        pending.unlink(missing_ok=True)
    return done


def _fits(rows: int) -> None:
    """Check the number of rows before the first one is written: a million take a minute."""
    if rows > XLSX_ROWS:
        raise CannotExport(
            f"a sheet has {XLSX_ROWS:,} rows at most, and these are {rows:,}: bound them with --from and "
            "--to, or take --format csv or parquet"
        )


def _query(
    connection: duckdb.DuckDBPyConnection, table: str | None, sql: str | None, first: date | None, last: date | None
) -> str:
    if sql is not None:
        try:
            inner = f"(\n{one_select(connection, sql)}\n)"
        except NotOneSelect as error:
            raise CannotExport(str(error)) from error
    else:
        inner = _known(connection, table)
    if first is None and last is None:
        return f"SELECT * FROM {inner}"
    columns = [c[0] for c in connection.execute(f"SELECT * FROM {inner} LIMIT 0").description]
    if "dt" not in columns:
        raise CannotExport("--from and --to bound the column dt, which is not there: leave them out")
    return (
        f"SELECT * FROM {inner} WHERE dt BETWEEN DATE '{first or date.min}' AND DATE '{last or date.max}' ORDER BY dt"
    )


def _known(connection: duckdb.DuckDBPyConnection, table: str | None) -> str:
    found = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL SELECT "
        "schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    names = {(name if schema == "main" else f"{schema}.{name}"): identifier(schema, name) for schema, name in found}
    wanted = (table or "").removeprefix("main.")
    if wanted not in names:
        close = (
            [n for n in names if n.endswith(f".{wanted}")]
            or get_close_matches(wanted, names, 3)
            or [n for n in names if wanted in n][:3]
        )
        raise CannotExport(
            f"there is no table {table}"
            + (
                f": did you mean {', '.join(close)}?"
                if close
                else '; `douyin sql -c "from meta.dictionary"` lists all columns'
            )
        )
    return names[wanted]


def _names(connection: duckdb.DuckDBPyConnection, language: str, table: str | None) -> dict[str, str]:
    """Map columns to their names in the dictionary; names of the table's own columns win."""
    schema, _, name = (table or "").removeprefix("main.").removesuffix("_latest").rpartition(".")
    rows = connection.execute(
        f"SELECT column_name, name_{language} FROM meta.dictionary ORDER BY table_schema = ? AND "
        "table_name = ?, table_schema = 'main'",
        [schema or "main", name],
    ).fetchall()
    return {column: said for column, said in rows if said}


def _heads(names: list[str], said: dict[str, str]) -> list[str]:
    """Make heads unique: if columns share a name, the column's own name is appended."""
    heads = [said.get(n, n) for n in names]
    return [f"{head} ({n})" if heads.count(head) > 1 else head for head, n in zip(heads, names, strict=True)]


def _rows(batch: pa.RecordBatch) -> Iterator[tuple]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _csv(path: Path, batches: pa.RecordBatchReader, said: dict[str, str]) -> ExportResult:
    with open(path, "wb") as file:
        return ExportResult(write_csv(file, batches.schema, batches, _heads(batches.schema.names, said)))


def _beijing(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(BEIJING).replace(tzinfo=None)


def _xlsx(path: Path, batches: pa.RecordBatchReader, said: dict[str, str]) -> ExportResult:
    import xlsxwriter

    names = batches.schema.names
    book = xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    try:
        sheet = book.add_worksheet("data")
        head, day, instant = (
            book.add_format({"bold": True, "bottom": 1}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        )
        for n, (text, kind) in enumerate(zip(_heads(names, said), batches.schema.types, strict=True)):
            sheet.set_column(n, n, max(10, min(40, 2 * len(text))) if not pa.types.is_timestamp(kind) else 20)
        sheet.freeze_panes(1, 0)
        for n, text in enumerate(_heads(names, said)):
            sheet.write_string(0, n, text, head)
        count = cut = 0
        for batch in batches:
            _fits(count + batch.num_rows)
            for row in _rows(batch):
                count += 1
                for n, value in enumerate(row):
                    cut += _write(sheet, count, n, value, day, instant)
        if count:
            sheet.autofilter(0, 0, count, len(names) - 1)
    finally:
        book.close()
    return ExportResult(count, cut)


def _write(sheet: Any, row: int, column: int, value: Any, day: Any, instant: Any) -> bool:
    """Write a cell with the value's own type; return whether its text was cut.

    Ids are text in the warehouse and stay text. Whole numbers that Excel would round become text, too.
    """
    if value is None:
        return False
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, _beijing(value), instant)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)
    elif isinstance(value, (int, Decimal)) and value == int(value) and not -(10**15) < value < 10**15:
        sheet.write_string(row, column, str(value))
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(row, column, value)
    else:
        text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
        sheet.write_string(row, column, text[:_XLSX_TEXT])
        return len(text) > _XLSX_TEXT
    return False
