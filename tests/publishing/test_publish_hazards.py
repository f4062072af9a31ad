"""Publishing among other processes: runs that write the lake meanwhile, logs of dead processes, readers in Python."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import children
import duckdb
import pyarrow as pa
import pytest
from patience import scaled
from publishing_rows import hot_words

from catalog import TABLES
from resources.storage.lake import Lake
from resources.storage.schema import QUARANTINE_SCHEMA
from resources.warehouse.publisher import Warehouse

DAY = date(2026, 11, 16)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path / "locks")


def ranks(warehouse: Warehouse) -> list[int]:
    with warehouse.connect() as connection:
        return [r for (r,) in connection.execute("SELECT rank FROM hot_words ORDER BY rank").fetchall()]


@contextmanager
def meanwhile(work: Callable[[int], None]) -> Iterator[None]:
    """Repeat ``work(n)`` in another thread for the length of the block."""
    stop, errors = threading.Event(), []

    def repeat() -> None:
        n = 0
        try:
            while not stop.is_set():
                work(n)
                n += 1
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert errors == []


@pytest.mark.parametrize("times", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_a_partition_may_be_replaced_and_removed_while_it_is_published(lake, warehouse, times: int):
    """Whole versions only: the rows of a day are those of one write."""

    def write(n: int) -> None:
        day = DAY + timedelta(days=n % 3)
        lake.write("hot_words", day, hot_words(day, 20 + n % 30))
        bad = pa.Table.from_pylist([{"dt": day, "table_name": "hot_words", "reason": "broken"}], QUARANTINE_SCHEMA)
        lake.write("_quarantine/hot_words", day, bad)
        lake.remove("_quarantine/hot_words", day)

    write(0)
    with meanwhile(write):
        for _ in range(times):
            warehouse.publish()
            with warehouse.connect() as connection:
                torn = connection.execute(
                    "SELECT dt, count(*), max(rank) FROM hot_words GROUP BY dt HAVING count(*) <> max(rank)"
                ).fetchall()
            assert torn == []
    warehouse.publish()
    assert warehouse.is_current()
    assert sorted(p.name for p in warehouse.path.parent.iterdir()) == [
        "lake",
        "locks",
        "warehouse.duckdb",
        "warehouse.duckdb.holds",
    ]


def test_a_lake_file_is_read_whole_while_it_is_replaced(lake):
    lake.write("hot_words", DAY, hot_words(DAY, 20))
    with meanwhile(lambda n: lake.write("hot_words", DAY, hot_words(DAY, 20 + n % 30))):
        for _ in range(200):
            rows = lake.read("hot_words", DAY)
            assert rows["rank"].to_pylist() == list(range(1, rows.num_rows + 1))


def _dies_writing(path: Path) -> None:
    """Let a process open the file for writing, add a row, and be killed before its log is merged."""
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('INSERT INTO hot_words SELECT * "
        "REPLACE(999 AS rank) FROM hot_words LIMIT 1'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    assert path.with_name(path.name + ".wal").stat().st_size > 0


def test_the_log_of_a_dead_publisher_is_not_replayed(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 2))
    warehouse.publish()
    building = warehouse.path.with_name(warehouse.path.name + ".building")
    building.write_bytes(warehouse.path.read_bytes())
    _dies_writing(building)
    building.unlink()  # the log alone is left: the case that gave phantom rows
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    assert ranks(warehouse) == [1, 2, 3]


def test_the_log_of_a_foreign_writer_of_the_published_file_is_not_replayed(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 2))
    warehouse.publish()
    _dies_writing(warehouse.path)
    warehouse.publish()
    assert ranks(warehouse) == [1, 2]
    assert not warehouse.path.with_name("warehouse.duckdb.wal").exists()


def test_publishing_goes_on_while_another_process_has_the_file_open_for_writing(lake, warehouse):
    """DuckDB locks such a file: it cannot be copied consistently, so it is rebuilt."""
    lake.write("hot_words", DAY, hot_words(DAY, 2))
    warehouse.publish()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = children.start(
        [sys.executable, "-c", code, str(warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "open\n"
        lake.write("hot_words", DAY, hot_words(DAY, 3))
        assert warehouse.publish().rebuilt
    finally:
        holder.communicate(timeout=scaled(20))
    assert ranks(warehouse) == [1, 2, 3]


def test_a_file_cut_short_is_made_anew(lake, warehouse):
    lake.write("hot_words", DAY, hot_words(DAY, 3))
    warehouse.publish()
    os.truncate(warehouse.path, warehouse.path.stat().st_size // 2)
    assert warehouse.publish().rebuilt
    assert ranks(warehouse) == [1, 2, 3]


READER = """
import sys, time
from pathlib import Path
from catalog import TABLES
from resources.storage.lake import Lake
from resources.warehouse.publisher import Warehouse
home, tries = Path(sys.argv[1]), int(sys.argv[2])
warehouse = Warehouse(home / "warehouse.duckdb", Lake(home / "lake"), home / "locks")
seen, names = set(), list(TABLES)
for n in range(tries):
    with warehouse.connect() as connection:
        total, newest = connection.execute("SELECT count(*), max(rank) FROM hot_words").fetchone()
        connection.execute(f'SELECT * FROM "{names[n % len(names)]}" LIMIT 5').fetchall()
        status = connection.execute("SELECT count(*) FROM meta.partitions WHERE name = 'hot_words'").fetchone()
    assert total == newest, (total, newest)
    assert status == (1,), status
    seen.add(total)
    time.sleep(0.01)
print(len(seen))
"""


@pytest.mark.slow
def test_another_process_queries_through_python_while_files_are_swapped(lake, warehouse):
    """Each connection sees one whole version, and all together have seen several."""

    def run(n: int) -> None:
        lake.write("hot_words", DAY, hot_words(DAY, 5 + n % 40))
        warehouse.publish()

    run(0)
    with meanwhile(run):
        root = Path(__file__).resolve().parents[2]
        reader = subprocess.run(
            [sys.executable, "-c", READER, str(warehouse.path.parent), "120"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
    assert reader.returncode == 0, reader.stderr
    assert int(reader.stdout) >= 3
    assert len(TABLES) > 20


def test_publishing_a_new_day_onto_a_full_year_takes_no_rebuild(lake, warehouse):
    for n in range(0, 365, 5):
        lake.write("hot_words", DAY - timedelta(days=n), hot_words(DAY - timedelta(days=n), 3))
    assert warehouse.publish().partitions == 73
    lake.write("hot_words", DAY, hot_words(DAY, 4))
    began = time.monotonic()
    done = warehouse.publish()
    assert (done.rebuilt, done.changed) == (False, {"hot_words": [DAY]})
    assert time.monotonic() - began < scaled(10)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM hot_words").fetchone() == (72 * 3 + 4,)
