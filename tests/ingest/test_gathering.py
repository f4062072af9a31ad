"""A day of many rows, spilled, merged and compared in parts, equals the day built in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import ENDPOINTS, TABLES
from resources.storage import lake as lakes
from resources.storage import parquet, spill
from resources.storage.archive import Archive
from resources.storage.lake import Lake
from services.ingest import changes, day_buffer, normalise
from services.ingest.changes import compare
from services.ingest.day_buffer import DayBuffer, DayRows
from tests.ingest.normalising import TODAY, through_the_archive
from tests.ingest.test_order_properties import AT, as_piece

TABLE = TABLES["videos"]


def pieces(seed: int, rows: int) -> list[pa.Table]:
    """Some videos, some of them seen again later, as five batches."""
    dice = random.Random(seed)
    found = [
        {
            "dt": TODAY,
            "client_key": "app",
            "open_id": f"o{dice.randrange(3)}",
            "item_id": f"i{dice.randrange(rows)}",
            "source": "video_list",
            "title": f"题{seed}{n % 5}" if n % 3 else None,
            "observed_at": AT + timedelta(seconds=dice.randrange(3)),
            "_segment": f"s{n // 50}",
            "_record": n,
            "_page": 1,
            "_parent_ordinal": 0,
            "_ordinal": n,
        }
        for n in range(rows)
    ]
    return [as_piece(TABLE, found[i::5]) for i in range(5)]


def day(folder: Path, some: list[pa.Table], spilled: bool) -> DayRows:
    gathered = DayBuffer(TABLE, folder)
    for piece in some:
        gathered.add(piece)
        if spilled:
            gathered.spill()
    return gathered.finish()


@pytest.fixture
def small(monkeypatch) -> None:
    """Lower the limits so that a few hundred rows exceed them."""
    monkeypatch.setattr(spill, "PART_ROWS", 7)
    monkeypatch.setattr(changes, "_STEP_ROWS", 11)
    for module in (lakes, parquet, changes):
        monkeypatch.setattr(module, "ROW_GROUP", 40)


@pytest.mark.parametrize("rows", [1, 39, 41, 300])
def test_a_spilled_day_has_the_same_rows_and_its_file_the_same_bytes(small, tmp_path, rows):
    some = pieces(1, rows)
    buffered, spilled = day(tmp_path, some, False), day(tmp_path, some[::-1], True)
    assert spilled.table().equals(buffered.table())
    assert list(tmp_path.iterdir()) == [], "a spilled day has no name that a killed run could leave behind"
    lake = Lake(tmp_path)
    assert lake.write("videos", TODAY, buffered.parts())
    assert not lake.write("videos", TODAY, spilled.parts())
    assert lake.is_as_written("videos", TODAY, spilled.parts())
    assert lake.read("videos", TODAY).equals(buffered.table())
    groups = pq.read_metadata(lake.path("videos", TODAY))
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups - 1)] == [40] * (
        (buffered.num_rows - 1) // 40
    )


def test_most_rows_are_seen_again_and_buffered_once(tmp_path):
    gathered = DayBuffer(TABLE, tmp_path)
    some = pieces(1, 50)
    for _ in range(20):
        for piece in some:
            gathered.add(piece)
        gathered.spill()
    assert gathered.seen == 1000
    assert gathered.finish().table().equals(day(tmp_path, some, False).table())


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), [(300, 300), (300, 30), (30, 300), (300, 0)])
def test_large_days_are_compared_as_small_ones(small, monkeypatch, tmp_path, old, new):
    lake = Lake(tmp_path)
    lake.write("videos", TODAY, day(tmp_path, pieces(1, old), False).parts())
    before, after = lake.day("videos", TODAY), day(tmp_path, pieces(2, new)[:4], True)
    stepped = compare(TABLE, before, after)
    rows = lake.read("videos", TODAY)
    assert compare(TABLE, DayRows(pa.concat_tables([rows.slice(5), rows.slice(0, 5)])), after) == stepped, (
        "older rows in another order"
    )
    monkeypatch.setattr(changes, "ROW_GROUP", 1000)
    assert compare(TABLE, before, after) == stepped
    assert stepped.added + stepped.altered + stepped.confirmed + stepped.unchanged == after.num_rows
    assert stepped.removed + stepped.altered + stepped.confirmed + stepped.unchanged == before.num_rows
    assert compare(TABLE, before, DayRows(rows)) == changes.Changes(unchanged=before.num_rows)


def test_the_buffer_is_bounded_over_all_days(monkeypatch, tmp_path):
    """Responses of a listing through archive and normaliser: the day is the same for any buffer limit."""
    endpoint = ENDPOINTS["video_list"]
    bodies = [
        b'{"data":{"error_code":0,"description":"","has_more":false,"cursor":0,"list":[%s]}}'
        % b",".join(b'{"item_id":"i%d","title":"%d"}' % (n * i % 50, n) for i in range(20))
        for n in range(8)
    ]
    through_the_archive(endpoint, bodies, tmp_path)
    archive = Archive(tmp_path / "archive")
    one, spilled = normalise.normalise(archive, TABLE, [TODAY])[TODAY], []

    class Counted(spill.ArrowSpill):
        def parts(self) -> Iterator[pa.Table]:
            spilled.append(self)
            return super().parts()

    monkeypatch.setattr(day_buffer, "ArrowSpill", Counted)
    monkeypatch.setattr(normalise, "_BUFFERED_BYTES", 1)
    monkeypatch.setattr(normalise, "_TOGETHER_BYTES", 0)  # and no index is cached
    other = normalise.normalise(archive, TABLE, [TODAY])[TODAY]
    assert spilled
    assert other.rows.equals(one.rows)
    assert (other.duplicates, other.landed_by) == (one.duplicates, one.landed_by)


def test_a_file_with_other_row_groups_is_not_judged_by_its_bytes(small, monkeypatch, tmp_path):
    """Earlier releases wrote a day of up to 1,048,576 rows as one group."""
    lake, rows = Lake(tmp_path), day(tmp_path, pieces(1, 300), False)
    with monkeypatch.context() as before:
        before.setattr(parquet, "ROW_GROUP", 1 << 20)
        lake.write("videos", TODAY, rows.parts())
    assert lake.is_as_written("videos", TODAY, rows.parts())
    assert lake.write("videos", TODAY, rows.parts()), "made again it has today's"
    assert lake.is_as_written("videos", TODAY, rows.parts())
