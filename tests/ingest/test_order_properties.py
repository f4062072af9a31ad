"""Sorting rows and keeping the latest of each key is compared with plain Python.

Rows come in any order, in pieces, and reduced on the way.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from patience import tries

from catalog import FIELDS, TABLES
from catalog.records import Table, Type, beijing_day
from resources.storage.schema import ARROW_TYPES
from resources.storage.segments import ArchiveEntry
from services.ingest.covered_days import complete_sequences
from services.ingest.order import in_order, latest, merged, rows_by_day, to_arrow_batch
from services.ingest.rows import PLACE

AT = datetime(2026, 11, 16, 3, tzinfo=UTC)
DAY = date(2026, 11, 16)
WORDS = st.sampled_from(["", "a", "B", "é", "z", "视频", "🎬", "\uffee"])
VALUES = {
    Type.TEXT: WORDS,
    Type.BIGINT: st.integers(-2, 2),
    Type.DOUBLE: st.sampled_from([-1.5, 0.0, 2.0]),
    Type.BOOLEAN: st.booleans(),
    Type.DATE: st.sampled_from([DAY, DAY - timedelta(days=1)]),
    Type.TIMESTAMP: st.sampled_from([AT, AT + timedelta(hours=1), AT + timedelta(hours=2)]),
}
PLACES = {"_segment": st.sampled_from(["s1", "s10", "s2"]), **{name: st.integers(1, 3) for name in PLACE[1:]}}


def types(table: Table) -> dict[str, pa.DataType]:
    return (
        {c: ARROW_TYPES[FIELDS[c].type] for c in table.columns}
        | {"_segment": pa.string()}
        | {name: pa.int64() for name in PLACE[1:]}
    )


def some_rows(table: Table) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows that differ in key, time and place; no two from the same place of the archive."""
    row = st.fixed_dictionaries(
        {c: VALUES[FIELDS[c].type] for c in dict.fromkeys((*table.primary_key, "observed_at"))} | PLACES
    )
    return st.lists(row, max_size=30, unique_by=lambda r: tuple(r[name] for name in PLACE))


def as_frame(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows in the form of ``parse_rows``; the narrow counts are DuckDB's."""
    of = types(table) | {"_parent_ordinal": pa.int32()} if len(rows) % 2 else types(table)
    given_ = pa.table({name: pa.array([r.get(name) for r in rows], kind) for name, kind in of.items()})
    return given_.to_pandas(types_mapper=pd.ArrowDtype)


def as_piece(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    return to_arrow_batch(as_frame(table, rows))


def oracle(table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each key the latest, of the same instant the first of the archive; text in order of code points."""
    best: dict[tuple, dict] = {}
    for row in sorted(rows, key=lambda r: (-r["observed_at"].timestamp(), *(r[name] for name in PLACE))):
        best.setdefault(tuple(row[c] for c in table.primary_key), row)
    return [{c: best[key].get(c) for c in table.columns} for key in sorted(best)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["videos", "video_totals", "item_play", "billboard_live"])
@settings(max_examples=tries(60), deadline=None)
@given(st.data())
def test_the_latest_of_each_key_in_order_however_it_comes(name, data):
    table = TABLES[name]
    rows = data.draw(some_rows(table))
    if data.draw(st.booleans()):
        rows = sorted(rows, key=lambda r: tuple(r[c] for c in table.primary_key))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    expected = oracle(table, rows)
    assert latest(table, [as_piece(table, part) for part in parts]).to_pylist() == expected
    pieces: list[pa.Table] = []
    for part in parts:
        pieces = [in_order(table, [*pieces, as_piece(table, part)])]
    assert sum(piece.num_rows for piece in pieces) == len(expected)
    assert latest(table, pieces).to_pylist() == expected
    assert pieces == []
    size = data.draw(st.integers(1, 4))
    runs = [in_order(table, [as_piece(table, part)]) for part in parts]
    found = list(merged(table, [iter([run.slice(i, size) for i in range(0, run.num_rows, size)]) for run in runs]))
    assert [row for part in found for row in part.to_pylist()] == expected


def test_columns_are_whole_whatever_came():
    """Pages of a Parquet file follow the pieces of a column: the same rows in other batches would give other bytes."""
    table = TABLES["videos"]
    rows = [
        {
            "client_key": "app",
            "item_id": f"{n:04d}",
            "observed_at": AT,
            "_segment": "s",
            "_record": n,
            "_page": 1,
            "_parent_ordinal": 0,
            "_ordinal": 1,
        }
        for n in range(50)
    ]
    for order in (rows, rows[::-1]):
        found = latest(table, [as_piece(table, order[:7]), as_piece(table, order[7:])])
        assert {found[name].num_chunks for name in found.column_names} == {1}


@settings(max_examples=tries(60), deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=30), st.frozensets(st.integers(0, 4)))
def test_rows_go_to_their_days_in_the_order_in_which_they_came(offsets, wanted):
    table = TABLES["item_play"]
    days = [None if n is None else DAY - timedelta(days=n) for n in offsets]
    rows = to_arrow_batch(as_frame(table, [{"dt": day, "item_id": str(i)} for i, day in enumerate(days)]))
    found = {
        day: part["item_id"].to_pylist() for day, part in rows_by_day(rows, {DAY - timedelta(days=n) for n in wanted})
    }
    assert found == {
        DAY - timedelta(days=n): [str(i) for i, m in enumerate(offsets) if m == n] for n in wanted if n in offsets
    }


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.booleans(), st.booleans()), max_size=12))
@example([("a", 1, True, True), ("a", 2, True, True)])
@example([("a", 2, True, True), ("a", 1, False, True)])
def test_a_sequence_is_complete_with_every_page_up_to_its_last(answers):
    entries = [
        ArchiveEntry("o", "app", "", {}, {}, "", sequence, page, AT, AT, 200, 0 if ok else 1, None, last=last)
        for sequence, page, last, ok in answers
    ]
    good = [(sequence, page, last) for sequence, page, last, ok in answers if ok]
    ends = {sequence: page for sequence, page, last in good if last}
    assert complete_sequences(entries) == {
        s for s, end in ends.items() if len({page for q, page, _ in good if q == s}) >= end
    }


@settings(max_examples=tries(100))
@given(
    st.datetimes(datetime(1992, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]),
)
def test_the_day_in_beijing_is_that_of_its_calendar(naive, zone):
    instant = naive.replace(tzinfo=ZoneInfo(zone))
    for same in (instant, instant.astimezone(UTC)):
        assert beijing_day(same) == instant.astimezone(ZoneInfo("Asia/Shanghai")).date()
