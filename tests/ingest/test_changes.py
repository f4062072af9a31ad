"""The reported changes of a replaced partition are checked against manual counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import TABLES
from catalog.records import Table
from resources.storage.schema import arrow_schema
from services.ingest.changes import Changes, total
from services.ingest.changes import compare as compare_parts
from services.ingest.day_buffer import DayRows

SERIES = TABLES["item_play"]
DAY, SEEN = date(2026, 11, 15), datetime(2026, 11, 16, 3, tzinfo=UTC)


def series(rows: dict[str, tuple[int | None, int]]) -> pa.Table:
    """Return a partition of item_play: per video its plays, and the hour of its request."""
    measure = next(
        f for f in SERIES.fields if f not in SERIES.key and pa.types.is_integer(arrow_schema(SERIES).field(f).type)
    )
    base = {"dt": DAY, "stat_date": DAY, "source": "item_play", "client_key": "app", "open_id": "me"}
    lines = [
        base | {"item_id": item, measure: plays, "observed_at": SEEN + timedelta(hours=hour)}
        for item, (plays, hour) in rows.items()
    ]
    schema = arrow_schema(SERIES)
    return pa.Table.from_pylist([{name: line.get(name) for name in schema.names} for line in lines], schema)


def compare(table: Table, before: pa.Table | None, after: pa.Table) -> Changes:
    return compare_parts(table, None if before is None else DayRows(before), DayRows(after))


PARTITIONS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.none() | st.integers(0, 2), st.integers(0, 1)))


@settings(deadline=None)
@given(PARTITIONS, PARTITIONS)
def test_every_row_is_counted_once(before, after):
    both = before.keys() & after.keys()
    altered = {k for k in both if before[k][0] != after[k][0]}
    confirmed = {k for k in both - altered if before[k][1] != after[k][1]}
    found = compare(SERIES, series(before), series(after))
    assert found == Changes(
        added=len(after.keys() - before.keys()),
        removed=len(before.keys() - after.keys()),
        altered=len(altered),
        confirmed=len(confirmed),
        unchanged=len(both - altered - confirmed),
        contradicted=len({k for k in altered if before[k][1] == after[k][1]}),
        missing=len(
            {
                k
                for k in after.keys() - before.keys()
                if before and after[k][1] <= max(hour for _, hour in before.values())
            }
        ),
    )
    assert bool(found) == (before != after)


def test_no_partition_before():
    assert compare(SERIES, None, series({"a": (1, 0)})) == Changes(added=1)
    assert not compare(SERIES, None, series({}))


def test_a_partition_of_older_code_has_other_columns():
    now = series({"a": (1, 0), "b": (None, 0)})
    measure = next(n for n in now.schema.names if now[n].to_pylist() == [1, None])
    before = now.drop_columns([measure]).append_column("gone", pa.array(["x", "y"]))
    assert compare(SERIES, before, now) == Changes(altered=1, unchanged=1, contradicted=1)
    text = now.set_column(now.schema.get_field_index(measure), measure, pa.array(["1", None]))
    assert compare(SERIES, text, now) == Changes(unchanged=2)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_compared(table: str):
    schema = arrow_schema(TABLES[table])
    assert (
        compare(
            TABLES[table], schema.empty_table(), schema.empty_table().append_column("gone", pa.array([], pa.string()))
        )
        == Changes()
    )


def test_they_add_up_and_are_reported():
    assert total([Changes(1, 2, 3, 4, 5), Changes(added=1_000)]) == Changes(1_001, 2, 3, 4, 5)
    assert str(Changes(1_000, 0, 2, 0, 9)) == "1,000 added, 2 altered"
    assert str(Changes(unchanged=9)) == "no change"
