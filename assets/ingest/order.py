"""Whole days in order: rows apart by day, and of each key the latest observation, in order of key.

On Arrow tables, which are cut and joined without a copy. Rows often come in order already, and nearly always with each key once, so the costly
part of a total order, where in the archive a row was seen, is compared only where a key comes twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from assets.ingest.rows import PLACE
from catalog.records import Table


def rows_by_day(rows: pa.Table, wanted: Collection[date]) -> Iterator[tuple[date, pa.Table]]:
    """Rows of each wanted ``dt``, in the order in which they came; rows without a day are left out. No part keeps another one's memory."""
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


def latest(table: Table, pieces: list[pa.Table], columns: Sequence[str] | None = None) -> pa.Table:
    """The latest observation of each key, in order of key. The order is total, so it does not matter in how many steps this is done.

    ``pieces`` is emptied, and each column let go once it is in order: a day is held once, and one column of it twice.
    """
    rows = pa.concat_tables(pieces, promote_options="permissive")  # ordinals are counted in 32 or 64 bits
    pieces.clear()
    order = _order(rows, table)
    done = {}
    for name in rows.column_names if columns is None else columns:
        column = rows[name]
        rows = rows.drop_columns(name)
        done[name] = column.combine_chunks() if order is None else column.take(order)
        del column
    return pa.table(done)


def _order(rows: pa.Table, table: Table) -> pa.Array | None:
    """Places of the rows that stay, in their order; None where all rows stay as they are."""
    key = [k.combine_chunks() if isinstance(k, pa.ChunkedArray) else k for name in table.primary_key if not _is_constant(k := rows[name])]
    if rows.num_rows < 2 or (key and _ascends(key)):
        return None
    order = _sorted(key, ["ascending"] * len(key)) if key else None
    if order is not None and not _repeats(ordered := [k.take(order) for k in key]):
        return order
    places = [rows[name].combine_chunks() for name in ("observed_at", *PLACE)]
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


def _ascends(key: list[pa.Array]) -> bool:
    """Whether each row's key is greater than the one before."""
    ascends = None
    for column in reversed(key):
        one, other = column.slice(0, len(column) - 1), column.slice(1)
        more = pc.less(one, other)
        ascends = more if ascends is None else pc.or_(more, pc.and_(pc.equal(one, other), ascends))
    return pc.all(ascends).as_py()


def _same(key: list[pa.Array]) -> pa.Array:
    """For each row but the first, whether its key is that of the row before."""
    same = None
    for column in key:
        equal = pc.equal(column.slice(0, len(column) - 1), column.slice(1))
        same = equal if same is None else pc.and_(same, equal)
    return same


def _repeats(key: list[pa.Array]) -> bool:
    return pc.any(_same(key)).as_py()
