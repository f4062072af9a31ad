"""Put whole days in order: split rows by day, and keep the latest observation of each key, ordered by key.

Arrow tables are split and joined without copies. Rows are often ordered already, and nearly always have unique keys. So
the costly part of the total order, the position in the archive, is compared only for duplicate keys.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.records import Table
from services.ingest.rows import PLACE


def to_arrow_batch(rows: pd.DataFrame) -> pa.Table:
    """Convert rows of a batch to Arrow, for buffering until their day is complete.

    The long names of segments are dictionary-encoded, and ordinals have one type, so that pieces can be joined.
    """
    batch = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    for i, name in enumerate(batch.column_names):
        if name == "_segment":
            batch = batch.set_column(i, name, batch[name].dictionary_encode())
        elif name in PLACE:
            batch = batch.set_column(i, name, batch[name].cast(pa.int64()))
    return batch


def rows_by_day(rows: pa.Table, wanted: Collection[date]) -> Iterator[tuple[date, pa.Table]]:
    """Split rows by ``dt``, for the wanted days; rows stay in their order, and those without a day are left out.

    If there are several parts, they are copies: a slice would keep its whole batch in memory.
    """
    days = rows["dt"].unique().to_pylist()
    if len(days) == 1:
        yield from ((day, rows) for day in days if day in wanted)
        return
    order = pc.sort_indices(rows["dt"].combine_chunks())  # stable
    counts = {c["values"]: c["counts"] for c in pc.value_counts(rows["dt"]).to_pylist()}
    start = 0
    for day in sorted(day for day in days if day is not None):
        if day in wanted:
            yield day, rows.take(order.slice(start, counts[day]))
        start += counts[day]


def in_order(table: Table, pieces: list[pa.Table]) -> pa.Table:
    """Keep the latest observation of each key, ordered by key, with the positions in the archive.

    ``pieces`` is emptied.
    """
    rows = pa.concat_tables(pieces)
    pieces.clear()
    order = _order(rows, table)
    return rows if order is None else rows.take(order)


def latest(table: Table, pieces: list[pa.Table]) -> pa.Table:
    """Keep the latest observation of each key, ordered by key, with the table's columns only.

    The order is total, so it does not matter whether pieces are ordered.

    ``pieces`` is emptied, and each column is released once it is ordered: memory has the day once, and one column
    twice.
    """
    rows = pa.concat_tables(pieces)
    pieces.clear()
    order = _order(rows, table)
    rows, done = rows.select(table.columns), []
    for name in table.columns:
        column = rows[name]
        rows = rows.drop_columns(name)
        done.append((column if order is None else column.take(order)).combine_chunks())
        del column
    return pa.table(done, list(table.columns))


def merged(table: Table, runs: list[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """Merge runs to the latest observation of each key, ordered by key, with the table's columns only.

    Each run must be ordered, with unique keys. It is read in parts, so that only some of its rows are in memory.
    """
    for pieces in in_step(table, runs):
        yield in_order(table, [piece for piece in pieces if piece is not None]).select(table.columns)


def in_step(table: Table, runs: list[Iterator[pa.Table]]) -> Iterator[list[pa.Table | None]]:
    """Iterate over ordered runs in step: yield one list per range of keys, with each run's rows or None.

    A range ends at the smallest of the last buffered keys: all later rows of every run have greater keys.
    """
    heads = [_next(table, run) for run in runs]
    while open_heads := [head for head in heads if head is not None]:
        least = min(head.last for head in open_heads)
        yield [None if head is None else head.upto(least) for head in heads]
        heads = [_next(table, head.run) if head is not None and not head.rows.num_rows else head for head in heads]


@dataclass
class _Head:
    """The buffered rows of a run."""

    table: Table
    run: Iterator[pa.Table]
    rows: pa.Table
    last: tuple

    def upto(self, key: tuple) -> pa.Table | None:
        """Remove and return the rows with keys up to ``key``; None if there are none."""
        end = (
            self.rows.num_rows
            if self.last <= key
            else bisect_right(range(self.rows.num_rows), key, key=lambda i: _key(self.table, self.rows, i))
        )
        taken, self.rows = self.rows.slice(0, end), self.rows.slice(end)
        return taken if end else None


def _next(table: Table, run: Iterator[pa.Table]) -> _Head | None:
    rows = next((part for part in run if part.num_rows), None)
    return None if rows is None else _Head(table, run, rows, _key(table, rows, rows.num_rows - 1))


def _key(table: Table, rows: pa.Table, i: int) -> tuple:
    """Return the key of a row.

    Python compares texts by code point, Arrow by their UTF-8 bytes, which is the same order.
    """
    return tuple(rows[name][i].as_py() for name in table.primary_key)


def _order(rows: pa.Table, table: Table) -> pa.Array | None:
    """Return the positions of the rows to keep, in order; None if all rows stay as they are."""
    key = [
        k.combine_chunks() if isinstance(k, pa.ChunkedArray) else k
        for name in table.primary_key
        if not _is_constant(k := rows[name])
    ]
    if rows.num_rows < 2 or (key and _ascends(key)):
        return None
    order = _sorted(key, ["ascending"] * len(key)) if key else None
    if order is not None and not _repeats(ordered := [k.take(order) for k in key]):
        return order
    places = [rows[name].combine_chunks() for name in ("observed_at", *PLACE)]
    places = [p.cast(pa.string()) if pa.types.is_dictionary(p.type) else p for p in places]
    order = _sorted([*key, *places], [*["ascending"] * len(key), "descending", *["ascending"] * len(PLACE)])
    if not key:
        return order.slice(0, 1)
    ordered = [k.take(order) for k in key]
    return order.filter(pa.concat_arrays([pa.array([True]), pc.invert(_same(ordered))]))


def _is_constant(column: pa.ChunkedArray) -> bool:
    least = pc.min_max(column)
    return least["min"] == least["max"]


def _sorted(columns: list[pa.Array], directions: list[str]) -> pa.Array:
    if len(columns) == 1 and directions == ["ascending"]:
        return pc.sort_indices(columns[0])
    names = [str(i) for i in range(len(columns))]
    return pc.sort_indices(pa.table(columns, names), sort_keys=list(zip(names, directions, strict=True)))


def ascends(table: Table, parts: Iterable[pa.Table]) -> bool:
    """Return whether rows are ordered by key, with unique keys."""
    last: tuple = ()
    for part in parts:
        if part.num_rows:
            if last >= _key(table, part, 0) or not _ascends(
                [part[name].combine_chunks() for name in table.primary_key]
            ):
                return False
            last = _key(table, part, part.num_rows - 1)
    return True


def _ascends(key: list[pa.Array]) -> bool:
    """Return whether each row's key is greater than the previous one."""
    ascends = None
    for column in reversed(key):
        one, other = column.slice(0, len(column) - 1), column.slice(1)
        more = pc.less(one, other)
        ascends = more if ascends is None else pc.or_(more, pc.and_(pc.equal(one, other), ascends))
    return pc.all(ascends).as_py()


def _same(key: list[pa.Array]) -> pa.Array:
    """Return for each row but the first whether its key equals the previous one."""
    same = None
    for column in key:
        equal = pc.equal(column.slice(0, len(column) - 1), column.slice(1))
        same = equal if same is None else pc.and_(same, equal)
    return same


def _repeats(key: list[pa.Array]) -> bool:
    return pc.any(_same(key)).as_py()
