"""Days of a month in one file: the same days and rows after any interruption and any later write."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from stopping import stops_at

from resources.storage import lake as lake_module
from resources.storage.lake import Lake
from resources.storage.partition import LakeCorrupt
from resources.warehouse.publisher import Warehouse

FIRST = date(2026, 9, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(30)]


def rows_of(dt: date, n: int | None = None) -> pa.Table:
    """Partitions of a table of the catalogue; the 5th has none."""
    from catalog import TABLES
    from resources.storage.schema import arrow_schema

    schema = arrow_schema(TABLES["user_fans"])
    count = (0 if dt.day == 5 else dt.day % 4 + 1) if n is None else n
    base = {
        "dt": dt,
        "stat_date": dt,
        "observed_at": 1_790_000_000_000_000,
        "source": "user_fans",
        "client_key": "app",
        "new_fans": 1,
        "total_fans": dt.day,
    }
    return pa.Table.from_pylist([base | {"open_id": f"account {i}"} for i in range(count)], schema)


@pytest.fixture
def lake(tmp_path) -> Lake:
    made = Lake(tmp_path / "lake")
    for dt in DAYS:
        made.write("user_fans", dt, rows_of(dt))
    made.write("user_fans", date(2026, 10, 1), rows_of(date(2026, 10, 1)))
    return made


def content(lake: Lake) -> dict[date, list]:
    return {dt: lake.read("user_fans", dt).to_pylist() for dt in lake.days("user_fans")}


def scanned(lake: Lake, dts) -> int:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT count(*) FROM {lake.scan('user_fans', dts)}").fetchone()[0]


def test_a_month_reads_as_its_days_did(lake):
    before = content(lake)
    assert lake.compact("user_fans", "2026-09") == 30
    assert content(lake) == before
    assert len(list(lake.root.rglob("*.parquet"))) == 2
    assert [lake.row_count(p) for p in lake.partitions("user_fans")] == [len(r) for r in before.values()]
    assert scanned(lake, DAYS[:7]) == sum(len(before[d]) for d in DAYS[:7])
    assert lake.read("user_fans", DAYS[0]).schema == rows_of(DAYS[0]).schema
    assert lake.compact("user_fans", "2026-09") == 0
    with pytest.raises(FileNotFoundError):
        lake.read("user_fans", date(2026, 11, 1))


def test_the_same_days_make_the_same_file(lake, tmp_path):
    other = Lake(tmp_path / "other")
    for dt in reversed(DAYS):
        other.write("user_fans", dt, rows_of(dt))
    for one in (lake, other):
        one.compact("user_fans", "2026-09")
    assert lake.month_path("user_fans", "2026-09").read_bytes() == other.month_path("user_fans", "2026-09").read_bytes()


def test_a_day_is_replaced_and_removed(lake):
    lake.compact("user_fans", "2026-09")
    lake.write("user_fans", DAYS[2], rows_of(DAYS[2], 9))
    assert lake.read("user_fans", DAYS[2]).num_rows == 9
    assert scanned(lake, DAYS) == sum(lake.read("user_fans", d).num_rows for d in DAYS), (
        "the older rows of that day are not counted"
    )
    assert lake.compact("user_fans", "2026-09") == 1
    assert lake.read("user_fans", DAYS[2]).num_rows == 9
    lake.remove("user_fans", DAYS[3])
    assert DAYS[3] not in lake.days("user_fans")
    assert len(lake.days("user_fans")) == 30
    for dt in DAYS:
        lake.remove("user_fans", dt)
    assert lake.days("user_fans") == [date(2026, 10, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("step", range(6))
def test_interrupted_at_any_step_nothing_is_lost_or_doubled(lake, step: int):
    """Every step that changes the disk, one after the other, is the last one that happens."""
    before = content(lake)
    stops_at(step, ("fsync", "replace", "unlink", "rmdir"), lambda: lake.compact("user_fans", "2026-09"))
    assert content(lake) == before
    assert scanned(lake, DAYS) == sum(len(before[d]) for d in DAYS)
    lake.compact("user_fans", "2026-09")
    assert content(lake) == before


def test_a_run_that_replaces_a_day_meanwhile_wins(lake, monkeypatch):
    real, done = lake._write_month, []

    def write_month(table, month, days):
        real(table, month, days)
        done.append(lake.write("user_fans", DAYS[4], rows_of(DAYS[4], 7)))

    monkeypatch.setattr(lake, "_write_month", write_month)
    assert lake.compact("user_fans", "2026-09") == 29
    assert done == [True]
    assert lake.read("user_fans", DAYS[4]).num_rows == 7


@pytest.mark.slow
def test_the_published_answers_stay_the_same(lake, tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks")
    question = "SELECT dt, count(*), sum(total_fans) FROM user_fans GROUP BY dt ORDER BY dt"

    def answers():
        with warehouse.connect() as connection:
            return connection.execute(question).fetchall()

    warehouse.publish()
    before = answers()
    lake.compact("user_fans", "2026-09")
    assert not warehouse.is_current()
    warehouse.publish()
    assert warehouse.is_current()
    assert answers() == before
    lake.write("user_fans", DAYS[7], rows_of(DAYS[7], 5))
    assert warehouse.publish().changed == {"user_fans": [DAYS[7]]}
    assert warehouse.publish().changed == {}
    assert answers() == [row if row[0] != DAYS[7] else (DAYS[7], 5, 5 * DAYS[7].day) for row in before]
    warehouse.publish(rebuild=True)
    assert {dt: n for dt, n, _ in answers()}[DAYS[7]] == 5


def test_a_damaged_month_is_named(lake):
    lake.compact("user_fans", "2026-09")
    path = lake.month_path("user_fans", "2026-09")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LakeCorrupt, match="douyin verify --repair"):
        lake.days("user_fans")
    lake.set_aside(path)
    assert lake.days("user_fans") == [date(2026, 10, 1)]
    assert (lake.root / "_damaged" / "user_fans" / "month=2026-09" / "data.parquet").exists()


def test_a_day_that_was_being_put_into_its_month_is_put_back(tmp_path):
    lake = Lake(tmp_path)
    lost, whole = (tmp_path / "videos" / f"dt=2026-11-{day}" for day in (16, 17))
    for folder in (lost, whole):
        folder.mkdir(parents=True)
        (folder / lake_module._GONE).write_bytes(b"old")
    (whole / "data.parquet").write_bytes(b"new")
    lake.sweep("videos")
    assert {
        p.relative_to(tmp_path / "videos").as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()
    } == {
        "dt=2026-11-16/data.parquet": b"old",
        "dt=2026-11-17/data.parquet": b"new",
    }
