"""Write tables of the page as files: CSV, Parquet, xlsx."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet

from catalog.records import BEIJING
from services.reporting.csv_files import write_csv


def csv(rows: pa.Table) -> bytes:
    """Write CSV."""
    out = io.BytesIO()
    write_csv(out, rows.schema, rows.to_batches())
    return out.getvalue()


def parquet(rows: pa.Table) -> bytes:
    """Write Parquet, compressed with zstd."""
    out = io.BytesIO()
    pa.parquet.write_table(rows, out, compression="zstd")
    return out.getvalue()


def xlsx(rows: pa.Table) -> bytes:
    """Write one sheet. Texts stay texts: a nickname that begins with ``=`` is no formula.

    Instants are written in Beijing time, since Excel knows no zones. Texts are cut at 32 767 characters.
    """
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    ) as book:
        sheet = book.add_worksheet()
        head, day, instant = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        )
        sheet.freeze_panes(1, 0)
        for column, (name, values) in enumerate(zip(rows.column_names, rows.columns, strict=True)):
            kind = values.type
            sheet.write_string(0, column, name, head)
            for row, value in enumerate(values.to_pylist(), 1):
                if value is None:
                    continue
                if isinstance(value, datetime):
                    sheet.write_datetime(row, column, value.astimezone(BEIJING).replace(tzinfo=None), instant)
                elif pa.types.is_date(kind):
                    sheet.write_datetime(row, column, value, day)
                elif isinstance(value, str):
                    sheet.write_string(row, column, value[:32_767])  # the longest text of a cell
                elif isinstance(value, bool):
                    sheet.write_boolean(row, column, value)
                else:
                    sheet.write_number(row, column, value)
    return out.getvalue()


FORMATS: dict[str, tuple[Callable[[pa.Table], bytes], str]] = {
    "csv": (csv, "text/csv"),
    "parquet": (parquet, "application/vnd.apache.parquet"),
    "xlsx": (xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""Ending -> (writer, media type)."""
