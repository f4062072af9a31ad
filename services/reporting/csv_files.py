"""Write CSV for people and spreadsheets; used by ``douyin export`` and the dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from catalog import FIELDS
from catalog.records import BEIJING, Type

_RUNS = r"^[=+\-@＝＋－＠\t\r\n]"
"""Spreadsheets run text that begins with one of these as a formula, some with the full-width ones, too."""
_IDS = frozenset(name for name, field in FIELDS.items() if field.type is Type.TEXT and name.endswith("_id"))
_LIKE_AN_ID = "^@?[A-Za-z0-9][A-Za-z0-9@/+=_.:-]*$"
"""The form of the platform's ids. Calls such as ``@SUM(1)`` or ``@cmd|…`` do not match."""


def write_csv(
    file: BinaryIO, schema: pa.Schema, batches: Iterable[pa.RecordBatch], heads: Sequence[str] | None = None
) -> int:
    """Write rows as CSV under ``heads`` (default: the columns' names) and return their number.

    The file is UTF-8 with a byte order mark; without it Excel misreads Chinese. Null is an empty field, an empty text
    is ``""``. Instants are written in Beijing time, lists as their elements joined by 、. A text that a spreadsheet
    would run gets a leading apostrophe; this includes heads and joined lists. Only ids of columns named ``…_id`` stay
    unchanged where they begin with @, since people join by them.
    """
    file.write(b"\xef\xbb\xbf")
    titles = _disarmed(pa.array(heads or schema.names, pa.string()), is_id=False).to_pylist()
    rows = 0
    with pa.csv.CSVWriter(file, _made(pa.RecordBatch.from_pylist([], schema), titles).schema) as writer:
        for batch in batches:
            writer.write_batch(_made(batch, titles))
            rows += batch.num_rows
    return rows


def _made(batch: pa.RecordBatch, titles: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [_cells(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)], names=titles
    )


def _cells(name: str, column: pa.Array) -> pa.Array:
    """Convert a column: numbers, days and booleans stay as Arrow writes them, everything else becomes text."""
    kind = column.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date(kind)
        or pa.types.is_null(kind)
    ):
        return column
    if not pa.types.is_string(kind):
        column = pa.array([_text(value) for value in column.to_pylist()], pa.string())
    return column if pa.types.is_timestamp(kind) else _disarmed(column, is_id=name in _IDS)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return (
            (value if value.tzinfo else value.replace(tzinfo=UTC))
            .astimezone(BEIJING)
            .replace(tzinfo=None)
            .isoformat(sep=" ")
        )
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def _disarmed(column: pa.Array, *, is_id: bool) -> pa.Array:
    runs = pc.match_substring_regex(column, _RUNS)
    if is_id:
        runs = pc.and_not(runs, pc.match_substring_regex(column, _LIKE_AN_ID))
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)
