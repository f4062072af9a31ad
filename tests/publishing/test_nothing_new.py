"""A publication without changes leaves the file alone; it publishes every change."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from publishing_rows import hot_words

from resources.state import State
from resources.state.load_status import LoadStatus, Outcome, changed_days, newest_day, save_load_status
from resources.storage.lake import Lake
from resources.warehouse.extra_tables import TableByDay
from resources.warehouse.mart_files import MARTS_DIR
from resources.warehouse.publisher import Warehouse
from resources.warehouse.state_tables import ACCOUNTS_SCHEMA, load_status_batches

DAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 16, 4, tzinfo=UTC)


class Home:
    """A lake, the other published tables, and the file."""

    def __init__(self, folder: Path) -> None:
        self.lake, self.marts_dir = Lake(folder / "lake"), folder / "marts"
        self.marts_dir.mkdir()
        self.warehouse = Warehouse(folder / "warehouse.duckdb", self.lake, folder / "locks", self.marts_dir)
        self.path = self.warehouse.path
        self.account: dict[str, Any] = {
            "client_key": "app",
            "open_id": "a",
            "status": "active",
            "as_of": NOON,
            "consent_days_left": 12.5,
        }
        self.days = {DAY: 1}

    def publish(self, **more: bool) -> bool:
        """Report whether the file is another one than before."""
        before = self.path.stat().st_mtime_ns if self.path.exists() else None
        tables = {
            "meta.accounts": pa.Table.from_pylist([self.account], ACCOUNTS_SCHEMA),
            "meta.load_status": TableByDay(self.days, lambda _: ()),
        }
        done = self.warehouse.publish(lambda: tables, **({"again": False} | more))
        assert done.bytes == self.path.stat().st_size
        return self.path.stat().st_mtime_ns != before


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.lake.write("hot_words", DAY, hot_words(DAY, 3))
    home.lake.write("hot_words", DAY - timedelta(days=1), hot_words(DAY - timedelta(days=1), 3))
    assert home.publish()
    return home


def test_nothing_new_leaves_the_file(home):
    assert not home.publish()
    home.account |= {"as_of": NOON + timedelta(hours=2), "consent_days_left": 12.417}  # only the clock went on
    assert not home.publish()


def test_another_file_is_made_on_request(home):
    assert home.publish(again=True)
    assert home.publish(rebuild=True)
    assert not home.publish()


def write_again(home: Home) -> None:
    home.lake.write("hot_words", DAY, hot_words(DAY, 4))


def lose_a_day(home: Home) -> None:
    home.lake.remove("hot_words", DAY)


def compact(home: Home) -> None:
    assert home.lake.compact("hot_words", "2026-11")


def another_account(home: Home) -> None:
    home.account["status"] = "revoked"


def lines_of_a_day(home: Home) -> None:
    home.days[DAY] = 2


def next_day(home: Home) -> None:
    home.account["as_of"] = NOON + timedelta(days=1)


def new_mart(home: Home) -> None:
    shutil.copy(next(MARTS_DIR.glob("*.sql")), home.marts_dir)


def lose_the_file(home: Home) -> None:
    home.path.unlink()


def lose_what_is_known(home: Home) -> None:
    home.path.with_name("warehouse.duckdb.holds").unlink()


def damage_what_is_known(home: Home) -> None:
    home.path.with_name("warehouse.duckdb.holds").write_bytes(b"{")


def write_into_the_file(home: Home) -> None:
    with duckdb.connect(str(home.path)) as connection:
        connection.execute("DELETE FROM hot_words")
        connection.execute("CHECKPOINT")


def leave_a_log(home: Home) -> None:
    home.path.with_name("warehouse.duckdb.wal").touch()


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        write_again,
        lose_a_day,
        compact,
        another_account,
        lines_of_a_day,
        next_day,
        new_mart,
        lose_the_file,
        lose_what_is_known,
        damage_what_is_known,
        write_into_the_file,
        leave_a_log,
    ],
)
def test_what_is_new_is_published(home, change):
    change(home)
    assert home.publish()
    assert not home.publish()


def test_a_manifest_of_another_file_is_ignored(home):
    """A publisher that is killed after replacing the file leaves the manifest of the one before."""
    beside = home.path.with_name("warehouse.duckdb.holds")
    before = beside.read_bytes()
    write_again(home)
    home.publish()
    beside.write_bytes(before)
    assert home.publish()


def test_rows_that_can_be_read_only_once_are_published_each_time(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", Lake(tmp_path / "lake"), tmp_path / "locks")
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    times = set()
    for _ in range(2):
        warehouse.publish(lambda: {"meta.load_status": load_status_batches(state)}, again=False)
        times.add(warehouse.path.stat().st_mtime_ns)
    state.close()
    assert len(times) == 2


def test_a_run_that_says_the_same_of_a_day_changes_nothing_of_it(tmp_path: Path):
    """Only the time of the report changes; it is not published, but alerts derive the age of data from it."""
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    lines = [
        LoadStatus("user_fans", DAY - timedelta(days=n), "user_fans", "app", "a", Outcome.LOADED, calls=0, rows=3)
        for n in range(2)
    ]
    save_load_status(state, lines, 1.0)
    before = changed_days(state)
    save_load_status(state, lines, 2.0)
    assert changed_days(state) == before
    assert newest_day(state, "user_fans", settled=True).settled_at == 2.0
    save_load_status(
        state,
        [lines[0], LoadStatus("user_fans", lines[1].dt, "user_fans", "app", "a", Outcome.LOADED, calls=0, rows=4)],
        3.0,
    )
    after = changed_days(state)
    assert (after[lines[0].dt], after[lines[1].dt] > before[lines[1].dt]) == (before[lines[0].dt], True)
    state.close()
