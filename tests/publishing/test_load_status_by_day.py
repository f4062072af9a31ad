"""``meta.load_status`` is published by day: only days with changed rows are read again.

The published rows always equal those of the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text

from resources.state import State
from resources.state.load_status import (
    LoadStatus,
    Outcome,
    changed_days,
    forget_load_status,
    read_load_status,
    save_load_status,
)
from resources.storage.lake import Lake
from resources.warehouse.extra_tables import TableByDay
from resources.warehouse.publisher import Warehouse
from resources.warehouse.state_tables import load_status_batches

DAY = date(2026, 11, 16)


class Home:
    """A state and a warehouse; ``read`` lists the days that publications read from the state."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'state.db'}"
        self.state = State(self.url)
        self.warehouse = Warehouse(folder / "warehouse.duckdb", Lake(folder / "lake"), folder / "locks")
        self.read: list[list[date]] = []

    def publish(self, **more: bool) -> list[tuple]:
        """Publish and return the published rows, which must equal those of the state."""

        def lines(days: Iterable[date]) -> Iterator[pa.RecordBatch]:
            self.read.append(list(days))
            return load_status_batches(self.state, self.read[-1])

        self.warehouse.publish(lambda: {"meta.load_status": TableByDay(changed_days(self.state), lines)}, **more)
        with self.warehouse.connect() as connection:
            found = connection.execute(
                "SELECT table_name, dt, open_id, status FROM meta.load_status ORDER BY ALL"
            ).fetchall()
        assert found == sorted((s.table_name, s.dt, s.open_id, str(s.status)) for s in read_load_status(self.state))
        return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.state.close()


def line(day: date, account: str = "a", status: Outcome = Outcome.LOADED, table: str = "user_fans") -> LoadStatus:
    return LoadStatus(table, day, table, "app", account, status)


def days(*numbers: int) -> list[date]:
    return [DAY + timedelta(days=n) for n in numbers]


def test_only_days_with_new_lines_are_read(home):
    save_load_status(
        home.state, [line(d, a, table=t) for d in days(0, 1, 2) for a in "ab" for t in ("user_fans", "videos")], 0.0
    )
    assert len(home.publish()) == 12
    home.publish()
    # At the same simulated instant: the machine's clock decides, not the pipeline's.
    save_load_status(home.state, [line(DAY + timedelta(days=1), status=Outcome.FAILED)], 0.0)
    save_load_status(home.state, [line(DAY + timedelta(days=3))], 0.0)
    assert len(home.publish()) == 13
    assert home.read == [days(0, 1, 2), days(1, 3)]


def test_lines_that_are_forgotten_go(home):
    save_load_status(home.state, [line(d, a) for d in days(0, 1) for a in "ab"], 0.0)
    home.publish()
    forget_load_status(home.state, [line(DAY, "a")])
    assert len(home.publish()) == 3
    forget_load_status(home.state, [line(DAY, "b")])
    assert len(home.publish()) == 2


def test_a_file_made_anew_has_all_days(home):
    save_load_status(home.state, [line(d) for d in days(0, 1)], 0.0)
    home.publish()
    assert len(home.publish(rebuild=True)) == 2
    assert home.read == [days(0, 1), days(0, 1)]


def test_a_state_that_was_restored_is_read_again(home):
    """Its rows were changed at other instants, or are of days that the file does not know."""
    save_load_status(home.state, [line(d) for d in days(0, 1, 2)], 0.0)
    home.publish()
    with home.state.begin() as db:
        db.execute(text("DELETE FROM load_status"))
        db.execute(text("DELETE FROM load_status_days"))
    save_load_status(home.state, [line(DAY, status=Outcome.QUOTA)], 0.0)
    assert [status for *_, status in home.publish()] == ["quota"]


def test_lines_that_an_earlier_version_wrote_are_published(home):
    save_load_status(home.state, [line(d) for d in days(0, 1)], 0.0)
    with home.state.begin() as db:
        for later in ("load_status_days", "state_version"):
            db.execute(text(f"DROP TABLE {later}"))
    home.state.close()
    home.state = State(home.url)
    assert changed_days(home.state) == dict.fromkeys(days(0, 1), 0)
    assert len(home.publish()) == 2
    save_load_status(home.state, [line(DAY, "b")], 0.0)
    assert len(home.publish()) == 3
    assert home.read == [days(0, 1), days(0)]


def test_after_it_was_handed_over_whole_it_is_read_whole(home):
    """A caller without days passed all rows, which need not equal the state's later."""
    save_load_status(home.state, [line(d) for d in days(0, 1)], 0.0)
    home.publish()
    home.warehouse.publish(lambda: {"meta.load_status": load_status_batches(home.state, days(0))})
    assert len(home.publish()) == 2


def test_other_tables_are_not_published_by_day(home):
    with pytest.raises(ValueError, match=r"meta\.accounts"):
        home.warehouse.publish(lambda: {"meta.accounts": TableByDay({}, lambda days: [])})
    assert not home.warehouse.path.with_name("warehouse.duckdb.building").exists()
