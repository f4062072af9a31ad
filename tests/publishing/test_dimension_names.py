"""Columns of marts that publication fills from a dimension."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.schema import arrow_schema
from resources.warehouse.mart_files import BadMart, load_marts, read_mart
from services.marts.binding import bind
from services.marts.publishing import publish

DAYS = [date(2026, 11, day) for day in (14, 15, 16, 17)]


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home"))
    for day in DAYS:
        land(runtime, "user_fans", day, *({"open_id": who, "stat_date": day, "total_fans": 5} for who in "ab"))
    yield runtime
    runtime.close()


def land(runtime: Runtime, table: str, day: date, *rows: dict) -> None:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    standard = {"dt": day, "observed_at": at, "source": "s", "client_key": "app"}
    runtime.lake.write(table, day, pa.Table.from_pylist([standard | r for r in rows], arrow_schema(TABLES[table])))


def names(runtime: Runtime) -> list[tuple]:
    publish(runtime)
    with runtime.warehouse.connect() as connection:
        return connection.execute(
            "SELECT nickname, count(*) FROM marts.account_daily GROUP BY nickname ORDER BY nickname"
        ).fetchall()


@pytest.mark.slow
def test_days_before_the_first_profile_and_after_a_new_name_have_the_present_name(runtime):
    land(runtime, "account_profiles", DAYS[2], {"open_id": "a", "nickname": "甲"}, {"open_id": "b", "nickname": "乙"})
    assert names(runtime) == [("乙", 4), ("甲", 4)], "the lake has no name on the first two days"
    land(runtime, "account_profiles", DAYS[3], {"open_id": "a", "nickname": "新甲"}, {"open_id": "b", "nickname": "乙"})
    assert names(runtime) == [("乙", 4), ("新甲", 4)]
    with runtime.warehouse.connect() as connection:
        updated = connection.execute("FROM marts.account_daily ORDER BY ALL").fetchall()
    publish(runtime, rebuild=True)
    with runtime.warehouse.connect() as connection:
        assert connection.execute("FROM marts.account_daily ORDER BY ALL").fetchall() == updated


@pytest.mark.slow
def test_days_before_the_first_list_and_after_a_new_title_have_the_present_title(runtime):
    def titles() -> list[tuple]:
        publish(runtime)
        with runtime.warehouse.connect() as connection:
            return connection.execute("SELECT dt, item_id, title FROM marts.video_daily ORDER BY ALL").fetchall()

    video, plays = {"open_id": "a", "item_id": "v"}, {"stat_date": DAYS[0], "plays": 7}
    land(runtime, "item_play", DAYS[0], video | plays, video | plays | {"item_id": "never listed"})
    land(runtime, "videos", DAYS[2], video | {"title": "旧"})
    land(runtime, "video_totals", DAYS[2], video | {"play_count": 9})
    before = (DAYS[0], "never listed", None)
    assert titles() == [before, (DAYS[0], "v", "旧"), (DAYS[2], "v", "旧")], "no list of the first day had it"
    land(runtime, "videos", DAYS[3], video | {"title": "新"})
    assert titles() == [before, (DAYS[0], "v", "新"), (DAYS[2], "v", "新")]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("nickname", ":4: names are given as"),
        ("nickname dim_account.name", "no full mart has that column"),
        ("nickname account_daily.nickname", "no full mart has that column"),
        ("name dim_accounts.name", "the SELECT does not give it"),
        ("nickname dim_videos.title", "needs item_id"),
    ],
)
def test_names_of_what_is_not_there_are_refused(tmp_path, said, fault):
    text = load_marts()["account_daily"].sql
    lines = [line for line in text.splitlines() if not line.startswith("-- names:")]
    path = tmp_path / "account_daily.sql"
    path.write_text("\n".join([*lines[:3], f"-- names: {said}", *lines[3:]]), encoding="utf-8")
    with pytest.raises(BadMart, match=fault):
        bind({n: load_marts()[n] for n in ("dim_accounts", "dim_videos")} | {"account_daily": read_mart(path)})
