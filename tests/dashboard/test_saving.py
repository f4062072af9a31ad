"""Downloads: what is on the page, in three formats, with nothing lost and nothing run."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet
import pytest

from apps.dashboard.saving import FORMATS

ROWS = pa.table(
    {
        "dt": [date(2026, 11, 20), date(2026, 11, 21)],
        "at": pa.array([datetime(2026, 11, 20, 16, 30, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "nickname": ['=HYPERLINK("http://x")', '海盐，"小"店'],
        "open_id": ["007", "123456789012345678901"],
        "plays": pa.array([0, None], pa.int64()),
        "rate": [0.25, None],
        "is_gap": [False, True],
    }
)


def write(ending: str, rows: pa.Table = ROWS) -> bytes:
    return FORMATS[ending][0](rows)


def test_csv_opens_in_excel_and_keeps_null_apart_from_empty():
    text = write("csv", pa.table({"name": ["海盐", "", None]}))
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig").splitlines() == ['"name"', '"海盐"', '""', ""]


def test_parquet_is_the_same_table():
    assert pyarrow.parquet.read_table(io.BytesIO(write("parquet"))).equals(ROWS)


def test_xlsx_has_texts_as_texts_and_no_formula():
    book = zipfile.ZipFile(io.BytesIO(write("xlsx")))
    sheet, strings = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "=HYPERLINK" in strings
    assert "123456789012345678901" in strings
    assert "<v>007</v>" not in sheet
    # 16:30 UTC is half past midnight of the next day in Beijing: day 46347 of Excel's calendar.
    assert "<v>46347.02083" in sheet


@pytest.mark.parametrize("ending", list(FORMATS))
def test_an_empty_table_can_be_saved(ending: str):
    assert write(ending, ROWS.slice(0, 0))
