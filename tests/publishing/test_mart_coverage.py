"""``meta.mart_coverage`` counts days and accounts of marts by the days of their events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.accounts import add_account
from resources.storage.schema import arrow_schema
from resources.warehouse.mart_files import BadMart, load_marts, read_mart
from services.marts.binding import bind
from services.marts.publishing import publish

DAYS = [date(2026, 11, day) for day in (14, 15, 16)]


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home", client_key="app", client_secret="s"))
    for who in "abcd":
        add_account(runtime.state, "app", who, name=who, now=runtime.clock.now())
    yield runtime
    runtime.close()


def land(runtime: Runtime, table: str, day: date, *rows: dict) -> None:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    standard = {"dt": day, "observed_at": at, "source": "s", "client_key": "app"}
    runtime.lake.write(table, day, pa.Table.from_pylist([standard | r for r in rows], arrow_schema(TABLES[table])))


def comment(who: str, n: int, written: datetime) -> dict:
    return {"open_id": who, "item_id": f"v{who}", "comment_id": f"c{n}", "content": "多少钱", "created_at": written}


def coverage(runtime: Runtime) -> dict[str, tuple]:
    publish(runtime)
    with runtime.warehouse.connect() as connection:
        return {mart: tuple(counts) for mart, *counts in connection.execute("FROM meta.mart_coverage").fetchall()}


@pytest.mark.slow
def test_days_and_accounts_of_each_mart_are_those_of_its_events(runtime):
    written = datetime(2026, 10, 31, 17, tzinfo=UTC)  # in Beijing the first of November
    land(runtime, "comments", DAYS[0], comment("a", 1, written), comment("b", 2, written + timedelta(days=2)))
    land(runtime, "comments", DAYS[2], comment("a", 1, written), comment("gone", 3, written + timedelta(days=14)))
    for day in DAYS[1:]:
        land(runtime, "user_fans", day, *({"open_id": who, "stat_date": day, "total_fans": 5} for who in "abc"))
    found = coverage(runtime)
    first = date(2026, 11, 1)
    assert found["comment_labels"] == (first, DAYS[1], 3, 3, 0.2, 3, round(2 / 4, 6)), "gone is no account of ours"
    assert found["comment_needs"][:2] == (first, DAYS[1])
    assert found["comment_needs_by_video"] == (first, DAYS[1], 3, None, None, 3, 0.5), "a row spans days"
    assert found["account_daily"] == (DAYS[1], DAYS[2], 6, 2, 1.0, 3, 0.75)
    assert found["dim_accounts"] == (DAYS[1], DAYS[2], 4, None, None, 4, 1.0)
    assert found["dim_boards"][:2] == (None, None)
    assert found["dim_boards"][3:] == (None, None, None, None)
    assert {*found} == {*load_marts()}
    assert found["hot_words_now"] == (None, None, 0, None, None, None, None), "a mart without rows stands there, too"


@pytest.mark.parametrize("said", ["nickname", "day", "dt, dt, dt"])
def test_columns_without_a_day_are_refused(tmp_path, said):
    text = load_marts()["account_daily"].sql
    path = tmp_path / "account_daily.sql"
    path.write_text(text.replace("-- names: ", f"-- covers: {said}\n-- names: "), encoding="utf-8")
    with pytest.raises(BadMart, match="`-- covers` is a day or an instant"):
        bind({"dim_accounts": load_marts()["dim_accounts"], "account_daily": read_mart(path)})
