"""A flipped bit in the lake is never published: the day is named and skipped, all others are published."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from publishing_rows import hot_words

from resources.storage import atomic
from resources.storage.checksums import digest_of, recorded
from resources.storage.lake import Lake
from resources.storage.partition import LakeCorrupt
from resources.warehouse.publisher import Warehouse

DAY, OTHER = date(2026, 9, 16), date(2026, 9, 17)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for dt in (DAY, OTHER):
        lake.write("hot_words", dt, hot_words(dt, 20))
        lake.write(
            "hot_words_rising",
            dt,
            hot_words(dt, 20).select(["dt", "observed_at", "source", "client_key", "rank", "sentence"]),
        )
    return lake


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks")


def flip(path: Path, at: int) -> None:
    """Flip a bit at ``at`` and restore the file's times: a failing disk reports nothing."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[at // 8] ^= 1 << at % 8
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def published(warehouse: Warehouse) -> dict[date, int]:
    with warehouse.connect() as connection:
        return dict(connection.execute("SELECT dt, sum(rank)::INT FROM hot_words GROUP BY dt").fetchall())


class Killed(BaseException):
    """A writer dies here."""


WHOLE = sum(range(1, 21))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_whatever_bit_flips_the_day_is_left_out_and_named(lake, warehouse, seed: int):
    path = lake.path("hot_words", DAY)
    flip(path, random.Random(seed).randrange(path.stat().st_size * 8))
    done = warehouse.publish()
    (damage,) = done.damaged
    assert (damage.table, damage.dt) == ("hot_words", DAY)
    assert str(damage).startswith(f"hot_words {DAY}: {path} ")
    assert f"`douyin replay --select hot_words --from {DAY} --to {DAY}`" in str(damage)
    assert "\n" not in str(damage)
    assert published(warehouse) == {OTHER: WHOLE}
    assert done.changed["hot_words_rising"] == [DAY, OTHER]
    assert not warehouse.is_current(), "the next publication looks again"
    lake.write("hot_words", DAY, hot_words(DAY, 20))
    assert warehouse.publish().damaged == []
    assert published(warehouse) == {DAY: WHOLE, OTHER: WHOLE}


def test_every_byte_of_the_footer_counts(lake):
    path = lake.path("hot_words", DAY)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    accepted = []
    for at in range(len(whole) - footer, len(whole)):
        flip(path, at * 8 + at % 8)
        with suppress(LakeCorrupt):
            lake.read("hot_words", DAY)
            accepted.append(at)
        path.write_bytes(whole)
    assert accepted == []
    assert lake.read("hot_words", DAY).num_rows == 20


def test_a_day_that_was_published_before_stays_as_it_was(lake, warehouse):
    warehouse.publish()
    lake.write("hot_words", DAY, hot_words(DAY, 10))
    flip(lake.path("hot_words", DAY), 5000)
    assert [d.dt for d in warehouse.publish().damaged] == [DAY]
    assert published(warehouse) == {DAY: WHOLE, OTHER: WHOLE}


def test_a_month_of_which_not_even_the_days_are_known(lake, warehouse):
    warehouse.publish()
    assert lake.compact("hot_words", "2026-09") == 2
    path = lake.month_path("hot_words", "2026-09")
    path.write_bytes(path.read_bytes()[:-20])
    new = date(2026, 10, 1)
    lake.write("hot_words", new, hot_words(new, 20))
    (damage,) = warehouse.publish().damaged
    assert "douyin verify --repair" in str(damage)
    assert published(warehouse) == {DAY: WHOLE, OTHER: WHOLE, new: WHOLE}, "what was published of the month stays"


def test_a_flipped_month_is_neither_published_nor_put_together_again(lake, warehouse):
    assert lake.compact("hot_words", "2026-09") == 2
    path = lake.month_path("hot_words", "2026-09")
    assert recorded(path) == {digest_of(path)}
    flip(path, 800)
    assert {d.dt for d in warehouse.publish().damaged} == {DAY, OTHER}
    lake.write("hot_words", OTHER + timedelta(days=1), hot_words(OTHER + timedelta(days=1), 5))
    with pytest.raises(LakeCorrupt, match="month=2026-09"):
        lake.compact("hot_words", "2026-09")


# --------------------------------------------------------------------------- the checksum itself


def test_a_file_is_plain_parquet_and_its_checksum_lies_beside_it(lake):
    path = lake.path("hot_words", DAY)
    assert [p.name for p in sorted(path.parent.iterdir())] == [
        f".data.parquet.sha256-{digest_of(path)}",
        "data.parquet",
    ]
    assert pq.read_table(path, partitioning=None).num_rows == 20
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet('{lake.root}/hot_words/*/*.parquet')").fetchone() == (40,)
    assert pq.read_table(lake.root / "hot_words", partitioning=None).num_rows == 40, "a folder read as a data set"


@pytest.mark.parametrize("step", ["open", "fsync", "replace", "unlink"])
@pytest.mark.parametrize("nth", range(2))
def test_killed_at_any_step_between_file_and_checksum_nothing_is_called_damaged_or_believed(
    lake, monkeypatch, step: str, nth: int
):
    """The old or the new rows read back, and a flipped bit is still found."""

    with monkeypatch.context() as patch:
        real, count = getattr(os, step), iter(range(100))

        def stop(*arguments, **more):
            if next(count) == nth:
                raise Killed
            return real(*arguments, **more)

        patch.setattr(os, step, stop)
        patch.setattr(atomic.Path, "unlink", lambda path, missing_ok=False: os.unlink(path) if path.exists() else None)
        with suppress(Killed):
            lake.write("hot_words", DAY, hot_words(DAY, 30))
    assert lake.read("hot_words", DAY).num_rows in (20, 30)
    flip(lake.path("hot_words", DAY), 4000)
    with pytest.raises(LakeCorrupt):
        lake.read("hot_words", DAY)
    lake.write("hot_words", DAY, hot_words(DAY, 30))
    assert lake.read("hot_words", DAY).num_rows == 30
    assert recorded(lake.path("hot_words", DAY)) == {digest_of(lake.path("hot_words", DAY))}


def test_a_file_of_an_older_release_gets_its_checksum_when_it_is_first_read(lake, warehouse):
    for dt in (DAY, OTHER):
        for mark in lake.path("hot_words", dt).parent.glob(".data*"):
            mark.unlink()
    path = lake.path("hot_words", OTHER)
    column = pq.read_metadata(path).row_group(0).column(5)
    flip(path, 8 * (column.dictionary_page_offset + column.total_compressed_size - 3))
    done = warehouse.publish()
    assert [d.dt for d in done.damaged] == [OTHER], "the pages have checksums of their own"
    assert recorded(lake.path("hot_words", DAY)) == {digest_of(lake.path("hot_words", DAY))}
    assert recorded(path) == set()
    assert lake.write("hot_words", DAY, hot_words(DAY, 20)) is False


def test_a_copy_of_an_older_release_written_over_is_reported(lake, warehouse):
    """A foreign file in its place is not published unnoticed."""
    path = lake.path("hot_words", DAY)
    path.write_bytes(lake.path("hot_words", OTHER).read_bytes())
    assert [d.dt for d in warehouse.publish().damaged] == [DAY]
