"""The metric dictionary describes every column of the warehouse in both languages.

It contains nothing that the contract does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from catalog import FIELDS, TABLES
from catalog.notes import NOTES
from catalog.records import History
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from resources.warehouse.mart_files import load_marts
from services.marts.binding import bind
from services.marts.publishing import publish
from services.reporting.dictionary import dictionary

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = date(2026, 11, 16), date(2026, 11, 17)
PAGES = ("dictionary.md", "dictionary.zh-CN.md")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    return dictionary(bind(load_marts())).to_pylist()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file: two days of hot words, all other tables empty, everything of ``meta`` and ``outreach``."""
    home = tmp_path_factory.mktemp("dictionary")
    for day in (FIRST, SECOND):
        at = datetime(day.year, day.month, day.day, 11, tzinfo=ZoneInfo("Asia/Shanghai"))
        row = {
            "dt": day,
            "observed_at": at,
            "source": "hotsearch_sentences",
            "client_key": "app",
            "rank": 1,
            "sentence": "初雪",
            "hot_level": 9,
            "active_date": day,
            "active_at": at,
        }
        Lake(home / "lake").write("hot_words", day, pa.Table.from_pylist([row], arrow_schema(TABLES["hot_words"])))
    runtime = Runtime(Settings(_env_file=None, home=home))
    publish(runtime)
    runtime.close()
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def columns_of(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str]]:
    return set(
        connection.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    )


# --------------------------------------------------------------------------- nothing is left out


def test_every_column_of_the_warehouse_has_a_line(warehouse):
    reported = set(warehouse.execute("SELECT table_schema, table_name, column_name FROM meta.dictionary").fetchall())
    there = columns_of(warehouse)
    assert {schema for schema, _, _ in there} == {"main", "marts", "meta", "outreach"}
    assert there - reported == set()
    views = {f"{t.name}_latest" for t in TABLES.values() if t.history is History.LISTING}
    assert views <= {t for _, t, _ in reported}, "the views of present states, too"
    gone = {(s, t) for s, t, _ in reported} - {(s, t) for s, t, _ in there}
    assert all(schema == "marts" for schema, _ in gone), "only marts may lack their tables: those that were never made"


def test_the_file_lists_what_is_missing_how_to_join_and_when_it_was_published(warehouse):
    ((at, until),) = warehouse.execute("SELECT published_at, data_until FROM meta.published").fetchall()
    assert abs(datetime.now(at.tzinfo) - at).total_seconds() < 3600
    assert until is None, "no run has recorded an outcome"
    found = warehouse.execute("SELECT nearest FROM meta.not_available WHERE words LIKE '%完播%'").fetchall()
    assert found == [("marts.video_performance.ratio_to_median",)]
    joined = warehouse.execute("FROM meta.joins").fetchall()
    assert ("main.videos", "marts.dim_videos", "client_key, open_id, item_id", "1:1") in joined


def test_types_and_order_are_those_of_the_file(warehouse):
    wrong = warehouse.execute(
        """SELECT d.table_name, d.column_name, d.type, c.data_type FROM meta.dictionary AS d
           JOIN duckdb_columns() AS c
             ON (c.schema_name, c.table_name, c.column_name) = (d.table_schema, d.table_name, d.column_name)
           WHERE replace(c.data_type, 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ') <> d.type
              OR c.column_index <> d.position"""
    ).fetchall()
    assert wrong == []


def test_every_line_says_it_in_both_languages(lines):
    for x in lines:
        where = f"{x['table_schema']}.{x['table_name']}.{x['column_name']}"
        assert x["name_en"], where
        assert x["meaning_en"], where
        assert CHINESE.search(x["name_zh"]) or x["name_zh"].isascii() is False, where
        assert CHINESE.search(x["meaning_zh"]), where
        assert len(x["name_zh"]) <= 20, f"{where}: {x['name_zh']} is no head of a column"
        assert bool(x["differences_en"]) == bool(x["differences_zh"]), where
        if x["differences_zh"]:
            assert CHINESE.search(x["differences_zh"]), where
            assert not CHINESE.match(x["differences_en"]), where


def test_own_tables_are_commented_column_by_column(warehouse):
    bare = warehouse.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE schema_name IN ('meta', "
        "'outreach') AND comment IS NULL"
    ).fetchall()
    assert bare == []


# --------------------------------------------------------------------------- numbers say how they are summed


def test_units_stand_in_names_of_marts_too(lines):
    units = {
        "_ratio": "ratio",
        "_s": "s",
        "_ms": "ms",
        "_days": "d",
        "_days_left": "d",
        "_hours": "h",
        "_bytes": "bytes",
    }
    for x in (x for x in lines if x["table_schema"] != "main" and x["type"] in ("BIGINT", "DOUBLE")):
        for ending, unit in units.items():
            if x["column_name"].endswith(ending):
                assert x["unit"] == unit, f"{x['table_name']}.{x['column_name']}: say [{unit}] in its description"
        if re.match(r"(hours|days)_", x["column_name"]):
            assert x["unit"] in ("h", "d"), x["column_name"]


def test_calls_that_fill_several_days_are_not_summed(lines):
    kinds = {(x["table_name"], x["column_name"]): x["additive"] for x in lines}
    assert kinds["load_status", "calls"] == "not additive", "each day that a call filled counts it"
    assert kinds["quotas", "calls"] == "additive"


@pytest.mark.parametrize("name", ["tables.md", "dictionary.md"])
def test_pages_say_how_to_sum_in_the_words_of_the_column_additive(name):
    counted, at = 0, None
    for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)]
        if at is None or not line.startswith("|"):
            at = next((cells.index(head) for head in ("sum", "summed") if head in cells), None)
        elif (said := cells[at].partition(":")[0]) not in ("", "---"):
            assert said in ("additive", "semi-additive", "not additive"), line
            counted += 1
    assert counted > 50


def test_ratios_ranks_medians_and_people_are_never_summed(lines):
    for x in lines:
        never = x["unit"] in ("ratio", "s", "d", "h") or re.search(
            r"_uv$|^people|rank|median|^best_|score", x["column_name"]
        )
        if never:
            assert x["additive"] == "not additive", f"{x['table_name']}.{x['column_name']}"
        if x["additive"] != "not additive":
            assert x["is_metric"], f"{x['table_name']}.{x['column_name']}"


def test_codes_ids_and_keys_are_no_metrics(lines):
    metrics = {(x["table_name"], x["column_name"]) for x in lines if x["is_metric"]}
    assert {
        ("video_totals", "play_count"),
        ("user_fans", "new_fans"),
        ("account_daily", "engagement_ratio"),
        ("quotas", "calls"),
        ("poi_services", "order_count"),
    } <= metrics
    for table, column in (
        ("hot_words_rising", "label"),
        ("videos", "video_status"),
        ("hot_words", "rank"),
        ("hot_words_rising", "rank"),
        ("ent_rank_weeks", "ent_type"),
        ("lead_funnel", "action_type"),
        ("publishing_rhythm", "hour"),
        ("messages", "id"),
        ("load_status", "code"),
        ("poi_amap", "latitude"),
        ("campaign_effect", "plan_id"),
    ):
        assert (table, column) not in metrics, f"{table}.{column}"
    assert all(x["type"] in ("BIGINT", "DOUBLE") for x in lines if x["is_metric"])


def test_a_mart_s_column_borrows_a_meaning_only_with_its_type():
    for one in bind(load_marts()).values():
        for field in one.schema:
            if field.name not in one.mart.columns:
                core = arrow_schema(next(t for t in TABLES.values() if field.name in t.columns)).field(field.name)
                assert field.type == core.type, (
                    f"{one.mart.name}.{field.name} is something else than {FIELDS[field.name].en}: describe it"
                )


# --------------------------------------------------------------------------- where it comes from


def test_core_columns_name_the_member_that_fills_them(lines):
    found = {(x["table_name"], x["column_name"]): x["source_operations"] for x in lines if x["table_schema"] == "main"}
    assert found["user_fans", "new_fans"].startswith("user_fans: new_fans; ")
    assert found["video_totals", "play_count"].startswith("video_list: statistics.play_count")
    assert found["hot_words", "rank"] == "hotsearch_sentences: (order of the list)"
    assert found["billboard_music", "board"].startswith("billboard_music_hot: (constant of the operation)")
    assert all(
        source is None
        for (_, column), source in found.items()
        if column in ("dt", "observed_at", "source", "client_key")
    )
    assert [
        at for at, source in found.items() if not source and at[1] not in ("dt", "observed_at", "source", "client_key")
    ] == []


def test_marts_name_the_columns_that_they_are_made_of(lines):
    (rate,) = (x for x in lines if (x["table_name"], x["column_name"]) == ("account_daily", "engagement_ratio"))
    assert rate["made_of"].split(", ") == [
        "main.user_comment.new_comment",
        "main.user_item.new_play",
        "main.user_like.new_like",
        "main.user_share.new_share",
    ]
    (taken,) = (x for x in lines if (x["table_name"], x["column_name"]) == ("account_daily", "new_fans"))
    assert taken["platform_name"] == "每天新粉丝数", "what is known of a column goes with it"


def test_since_is_the_first_day_of_the_lake(warehouse):
    def since(table: str) -> set[date | None]:
        return {
            day
            for (day,) in warehouse.execute(
                "SELECT DISTINCT since FROM meta.dictionary WHERE table_schema || '.' || table_name = ?", [table]
            ).fetchall()
        }

    assert since("main.hot_words") == {FIRST}
    assert since("marts.hot_word_lifecycle") == {FIRST}
    assert since("main.videos") == since("marts.data_health") == since("meta.accounts") == {None}


def test_first_day_counts_sealed_months_and_single_days(tmp_path):
    lake = Lake(tmp_path)
    rows = arrow_schema(TABLES["hot_words"]).empty_table()
    assert lake.first_day("hot_words") is None
    for day in (date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 2)):
        lake.write("hot_words", day, rows)
    lake.compact("hot_words", "2026-10")
    assert lake.first_day("hot_words") == date(2026, 10, 30)
    lake.write("hot_words", date(2026, 10, 5), rows)
    assert lake.first_day("hot_words") == date(2026, 10, 5)
    lake.write("hot_words", date(2026, 9, 28), rows)
    assert lake.first_day("hot_words") == date(2026, 9, 28)


def test_first_day_is_of_the_first_month_that_can_be_read(tmp_path):
    lake = Lake(tmp_path)
    rows = arrow_schema(TABLES["hot_words"]).empty_table()
    for day in (date(2026, 9, 3), date(2026, 9, 4), date(2026, 10, 30), date(2026, 10, 31)):
        lake.write("hot_words", day, rows)
    for month in ("2026-09", "2026-10"):
        lake.compact("hot_words", month)
    lake.month_path("hot_words", "2026-09").write_bytes(b"PAR1")
    assert lake.first_day("hot_words") == date(2026, 10, 30)


# --------------------------------------------------------------------------- notes


def test_notes_are_of_columns_that_exist(lines):
    known = {(x["table_name"], x["column_name"]) for x in lines if x["table_schema"] in ("main", "marts")}
    assert {t.name for t in TABLES.values()}.isdisjoint(load_marts()), (
        "a note names a table or a mart without its schema"
    )
    assert [at for at in NOTES if at[0] and at not in known] == []
    assert [at for at in NOTES if not at[0] and at[1] not in FIELDS] == []


def test_names_of_the_platform_are_the_contract_s():
    contract = "".join(
        (ROOT / "catalog" / "contract" / name).read_text(encoding="utf-8") for name in ("openapi.yaml", "GUIDE.md")
    )
    assert [
        note.platform_name for note in NOTES.values() if note.platform_name and note.platform_name not in contract
    ] == []


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("user_fans", "new_fans", "net"),
        ("item_base", "plays_30d", "rolling"),
        ("fans_profile", "all_fans_num", "Huoshan"),
        ("user_profile", "profile_uv", "Distinct"),
        ("hot_words", "hot_level", "undocumented"),
        ("video_totals", "play_count", "private"),
        ("video_totals", "comment_count", "visible"),
        ("item_play", "plays", r"T\+1"),
        ("fans_flow", "fans_sum", "vv"),
        ("account_daily", "engagement_ratio", "saves"),
    ],
)
def test_known_differences_are_reported(lines, table, column, words):
    (line,) = (x for x in lines if (x["table_name"], x["column_name"]) == (table, column))
    assert re.search(words, line["differences_en"])


# --------------------------------------------------------------------------- pages


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_every_column_and_the_index_every_metric(lines, page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    index, rest = text.split("\n## ", 2)[1:]
    metrics = {x["column_name"] for x in lines if x["is_metric"]}
    assert set(re.findall(r"^\| [^|]+ \| [^|]+ \| `(\w+)` \|", index, re.MULTILINE)) == metrics
    described = set(re.findall(r"^\| `(\w+)` \|", rest, re.MULTILINE))
    assert {x["column_name"] for x in lines} == described
    for table in {f"{x['table_schema']}.{x['table_name']}" for x in lines if x["table_schema"] != "main"}:
        section = text.split(f"\n### {table}\n")[1].split("\n## ")[0].split("\n### ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [
            x["column_name"] for x in lines if f"{x['table_schema']}.{x['table_name']}" == table
        ]
