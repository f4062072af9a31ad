"""Which days of marts are rebuilt, what a mart may read, and what it must guarantee."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import children
import duckdb
import pyarrow as pa
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from resources.warehouse.mart_files import BadMart
from resources.warehouse.published_marts import WHOLE
from resources.warehouse.publisher import Warehouse
from services.marts.build import Marts

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 16)
DAYS = [DAY + timedelta(days=n) for n in range(-3, 3)]
HEADER = (
    "-- Words 词\n-- en: Words.\n-- zh: 词。\n-- grain: one row per word\n-- owner: team:data-platform\n-- "
    "cadence: daily\n-- column n: number / 数\n"
)
SEEN = HEADER + (
    "-- key: dt, sentence\n-- mode: incremental\n-- lookback: 1 day\n-- lookahead: 1 day\nSELECT $dt AS "
    "dt, sentence, count(*) AS n FROM main.hot_words GROUP BY ALL\n"
)
SUMS = HEADER + (
    "-- key: dt, sentence\n-- mode: incremental\n-- rows: 50 %\nSELECT dt, sentence, sum(n) AS n FROM "
    "marts.seen WHERE dt = $dt GROUP BY ALL\n"
)
ALL = HEADER + "-- key: sentence\n-- mode: full\nSELECT sentence, count(*) AS n FROM main.hot_words GROUP BY ALL\n"


def words(day: date, *sentences: str) -> pa.Table:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    rows = [
        {
            "dt": day,
            "observed_at": at,
            "source": "s",
            "client_key": "app",
            "rank": n,
            "sentence": w,
            "hot_level": 1,
            "active_date": day,
            "active_at": at,
        }
        for n, w in enumerate(sentences, 1)
    ]
    return pa.Table.from_pylist(rows, arrow_schema(TABLES["hot_words"]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sql"
    folder.mkdir()
    for name, sql in (("seen", SEEN), ("sums", SUMS), ("all_words", ALL)):
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    return folder


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home"))
    for day in DAYS:
        runtime.lake.write("hot_words", day, words(day, f"词{day.day}", "同"))
    yield runtime
    runtime.close()


@pytest.fixture
def marts(runtime: Runtime, folder: Path) -> Marts:
    made = Marts(runtime, folder)
    made.build_stale()
    return Marts(runtime, folder)


def stale(marts: Marts) -> dict[str, list[date]]:
    return Marts(marts.runtime, marts.folder).any_stale()


def test_a_mart_sees_its_look_back_and_look_ahead_and_no_more(marts):
    rows = marts.lake.read("marts/seen", DAY).to_pylist()
    assert [(r["sentence"], r["n"]) for r in rows] == [("同", 3), ("词15", 1), ("词16", 1), ("词17", 1)]
    assert [r["n"] for r in marts.lake.read("marts/seen", DAYS[0]).to_pylist() if r["sentence"] == "同"] == [2], (
        "the first day has none before it"
    )


def test_what_did_not_change_is_not_made_again(marts):
    assert stale(marts) == {}
    assert marts.build_stale() == []
    assert [b.changed for b in marts.build("seen", [DAY])] == [False], (
        "when requested by name it is made, and is the same"
    )


def test_a_changed_day_concerns_the_days_that_see_it(marts):
    marts.lake.write("hot_words", DAY, words(DAY, "别"))
    assert stale(marts) == {"seen": [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)], "all_words": [WHOLE]}
    built = Marts(marts.runtime, marts.folder).build_stale()
    assert {(b.bound.mart.name, b.dt) for b in built} >= {("sums", DAY), ("all_words", WHOLE)}, (
        "who reads a mart follows"
    )
    assert stale(marts) == {}


def test_the_same_rows_written_again_make_no_mart_stale(marts):
    assert not marts.lake.write("hot_words", DAY, words(DAY, "词16", "同"))
    assert stale(marts) == {}


def test_a_new_day_in_front_of_a_gap_gives_the_days_between_too(marts):
    late = DAYS[-1] + timedelta(days=3)
    marts.lake.write("hot_words", late, words(late, "晚"))
    built = Marts(marts.runtime, marts.folder).build_stale()
    made = sorted(b.dt for b in built if b.bound.mart.name == "seen")
    assert made == [DAYS[-1] + timedelta(days=n) for n in (1, 2, 3)], (
        "the day before the gap looked ahead into it, and saw nothing"
    )
    assert marts.lake.read("marts/seen", late).num_rows == 1


def test_other_sql_makes_every_day_again(marts, folder):
    (folder / "seen.sql").write_text(SEEN.replace("count(*)", "2 * count(*)"), encoding="utf-8")
    assert stale(marts)["seen"] == DAYS


def test_a_lost_record_of_inputs_makes_everything_again_and_the_same(marts):
    (marts.lake.root / "marts" / "seen" / "inputs.json").unlink()
    before = {p: p.read_bytes() for p in (marts.lake.root / "marts").rglob("*.parquet")}
    built = Marts(marts.runtime, marts.folder).build_stale()
    assert [b.dt for b in built if b.bound.mart.name == "seen"] == DAYS
    assert not any(b.changed for b in built)
    assert {p: p.read_bytes() for p in before} == before


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            SEEN.replace("GROUP BY ALL", "GROUP BY rank").replace("sentence, count", "'同' AS sentence, count"),
            "several rows",
        ),
        (SEEN.replace("$dt AS dt", "$dt - 1 AS dt"), "another day"),
        (SEEN.replace("sentence, count", "nullif(sentence, '同') AS sentence, count"), "part of the key"),
        (
            SEEN.replace("count(*)", "count(*) // (count(*) - count(*))").replace(
                "-- column n", "-- not null: n\n-- column n"
            ),
            "never empty",
        ),
    ],
)
def test_a_broken_promise_leaves_the_old_file(marts, folder, sql: str, why: str):
    before = marts.path("seen", DAY).read_bytes()
    (folder / "seen.sql").write_text(sql, encoding="utf-8")
    with pytest.raises(BadMart, match=why):
        list(Marts(marts.runtime, folder).build("seen", [DAY]))
    assert marts.path("seen", DAY).read_bytes() == before


def test_marts_are_published_as_tables_and_follow_their_files(marts, folder, tmp_path):
    warehouse = Warehouse(tmp_path / "w.duckdb", marts.lake, tmp_path / "locks", folder)

    def columns() -> dict[str, list[str]]:
        with warehouse.connect() as connection:
            found = connection.execute(
                "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE "
                "schema_name = 'marts' GROUP BY 1"
            ).fetchall()
            assert connection.execute(
                "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'marts' AND (comment IS NULL "
                "OR NOT contains(comment, ' / '))"
            ).fetchone() == (0,)
        return dict(found)

    first = warehouse.publish()
    assert set(first.changed) == {"hot_words", "marts/seen", "marts/sums", "marts/all_words"}
    assert columns() == {
        "seen": ["dt", "sentence", "n"],
        "sums": ["dt", "sentence", "n"],
        "all_words": ["sentence", "n"],
    }
    assert warehouse.is_current()
    assert warehouse.publish().changed == {}

    marts.lake.write("hot_words", DAY, words(DAY, "别"))
    Marts(marts.runtime, folder).build_stale()
    assert not warehouse.is_current()
    assert set(warehouse.publish().changed) == {"hot_words", "marts/seen", "marts/sums", "marts/all_words"}

    # Another column: days that the older file built are not published with it.
    (folder / "seen.sql").write_text(SEEN.replace("AS n FROM", "AS n, max(rank) AS rank FROM"), encoding="utf-8")
    list(Marts(marts.runtime, folder).build("seen", [DAYS[-1]]))
    assert warehouse.publish().left_out == ["seen"]
    assert columns()["seen"] == ["dt", "sentence", "n", "rank"]
    Marts(marts.runtime, folder).build_stale()
    assert warehouse.publish().left_out == []
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(DISTINCT dt) FROM marts.seen").fetchone() == (len(DAYS),)

    (folder / "sums.sql").unlink()
    assert not warehouse.is_current()
    warehouse.publish()
    assert set(columns()) == {"seen", "all_words"}
    assert warehouse.is_current()


def test_a_rebuilt_warehouse_has_the_marts(marts, folder, tmp_path):
    warehouse = Warehouse(tmp_path / "w.duckdb", marts.lake, tmp_path / "locks", folder)
    warehouse.publish()
    assert warehouse.publish(rebuild=True).rebuilt
    with warehouse.connect() as connection:
        assert connection.execute("SELECT count(*) FROM marts.sums").fetchone()[0] > 0


def test_an_empty_lake_has_no_marts(tmp_path, folder):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "empty"))
    assert Marts(runtime, folder).build_stale() == []
    assert not Lake(tmp_path / "empty" / "lake").root.exists()


# --------------------------------------------------------------------------- requested, late, killed, several readers


def test_only_the_requested_days_are_made(runtime, folder):
    marts = Marts(runtime, folder)
    built = list(marts.build("seen", [DAYS[1], DAYS[3]]))
    assert [b.dt for b in built] == [DAYS[1], DAYS[3]]
    assert sorted(p.parent.name for p in (runtime.lake.root / "marts").rglob("*.parquet")) == [
        f"dt={DAYS[1]}",
        f"dt={DAYS[3]}",
    ]
    assert stale(marts)["seen"] == [d for d in DAYS if d not in (DAYS[1], DAYS[3])]


def test_what_came_late_is_in_the_day_that_may_see_it(marts):
    """A day looks one day ahead: data of the next day changes it, data of the one after does not."""
    before = marts.lake.read("marts/seen", DAYS[0])
    marts.lake.write("hot_words", DAYS[2], words(DAYS[2], "迟"))
    Marts(marts.runtime, marts.folder).build_stale()
    assert marts.lake.read("marts/seen", DAYS[0]) == before
    assert "迟" in marts.lake.read("marts/seen", DAYS[1])["sentence"].to_pylist()


def test_a_day_that_left_the_lake_is_kept_and_those_that_saw_it_are_made_again(marts):
    """Days pruned by the retention settings keep their marts; the day after them sees that they are gone."""
    marts.lake.path("hot_words", DAYS[0]).unlink()
    assert stale(marts) == {"seen": [DAYS[1]], "all_words": [WHOLE]}
    Marts(marts.runtime, marts.folder).build_stale()
    assert marts.path("seen", DAYS[0]).exists()
    assert f"词{DAYS[0].day}" not in marts.lake.read("marts/seen", DAYS[1])["sentence"].to_pylist()


_KILLED = """
import os, signal, sys
from pathlib import Path
from services.marts.build import Marts
from resources.storage import atomic as pending
from resources.runtime import Runtime
from resources.config.settings import Settings
replace = os.replace
def die(source, target):
    if Path(target).name == "data.parquet":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
pending.os.replace = die
home, folder = map(Path, sys.argv[1:])
list(Marts(Runtime(Settings(_env_file=None, home=home)), folder).build_stale())
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_the_old_day_and_the_next_one_sweeps(marts, folder):
    kept = {p: p.read_bytes() for p in (marts.lake.root / "marts").rglob("*.parquet")}
    marts.lake.write("hot_words", DAY, words(DAY, "别"))
    home = marts.runtime.settings.home
    ended = children.run(
        [sys.executable, "-c", _KILLED, home, folder],
        timeout_s=60,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert {p: p.read_bytes() for p in kept} == kept, "no reader sees half a file"
    assert list((marts.lake.root / "marts").rglob(".*.tmp")), "the dead writer's file lies beside"

    again = Marts(marts.runtime, folder)
    assert again.any_stale()["seen"] == [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]
    again.build_stale()
    assert list((marts.lake.root / "marts").rglob(".*.tmp")) == []
    assert stale(marts) == {}
    assert "别" in marts.lake.read("marts/seen", DAY)["sentence"].to_pylist()
    assert list((home / "pins").glob("*")) == []


def test_readers_keep_their_file_while_a_mart_gets_other_columns(marts, folder, tmp_path):
    warehouse = Warehouse(tmp_path / "w.duckdb", marts.lake, tmp_path / "locks", folder)
    warehouse.publish()
    with warehouse.connect() as reader:
        before = reader.execute("SELECT count(*) FROM marts.seen").fetchone()
        (folder / "seen.sql").write_text(SEEN.replace("AS n FROM", "AS n, max(rank) AS rank FROM"), encoding="utf-8")
        Marts(marts.runtime, folder).build_stale()
        warehouse.publish()
        assert reader.execute("SELECT count(*) FROM marts.seen").fetchone() == before
        with pytest.raises(duckdb.BinderException):
            reader.execute("SELECT rank FROM marts.seen")
    with warehouse.connect() as reader:
        assert reader.execute("SELECT count(rank) FROM marts.seen").fetchone() == before


def test_days_of_instants_are_beijing_days_without_a_time_zone_in_the_sql(runtime, tmp_path):
    late = datetime(2026, 11, 16, 17, 30, tzinfo=UTC)  # 01:30 on the next day in Beijing
    lines = words(DAY, "夜").set_column(1, "observed_at", pa.array([late], pa.timestamp("us", tz="UTC")))
    runtime.lake.write("hot_words", DAY, lines)
    folder = tmp_path / "of_days"
    folder.mkdir()
    body = "SELECT sentence, observed_at::DATE AS day, hour(observed_at) AS n FROM main.hot_words WHERE sentence = '夜'"
    (folder / "of_days.sql").write_text(
        f"{HEADER}-- column day: day / 日\n-- key: sentence\n-- mode: full\n{body}\n", encoding="utf-8"
    )
    (built,) = Marts(runtime, folder).build_stale()
    assert built.rows.to_pylist() == [{"sentence": "夜", "day": date(2026, 11, 17), "n": 1}]
