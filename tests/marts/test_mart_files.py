"""What a mart's file may contain; an invalid one fails when it is read, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.marts import mart_assets
from catalog.records import Additive
from resources.warehouse.mart_files import ALL_DAYS, MARTS_DIR, BadMart, Mode, load_marts, read_mart, readable_marts
from services.marts.binding import bind

HEADER = """-- Words 词
-- en: Words.
-- zh: 词。
-- grain: one row per word
-- key: sentence
-- owner: team:data-platform
-- cadence: daily
-- mode: full
"""
WORDS = HEADER + (
    "-- column times [additive]: how often / 次数\nSELECT sentence, count(*) AS times\nFROM "
    "main.hot_words\nGROUP BY 1\n"
)
DAILY = HEADER.replace("full", "incremental").replace("key: sentence", "key: dt, sentence")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str, name: str = "words") -> Path:
    path = folder / f"{name}.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_file_of_the_repository_is_a_mart_and_binds():
    bound = bind(load_marts())
    assert set(bound) == {p.stem for p in MARTS_DIR.glob("*.sql")}
    for name, one in bound.items():
        assert [f.name for f in one.schema if one.mart.meaning(f.name) is None] == [], name
        assert set(one.mart.key) <= {f.name for f in one.schema if not f.nullable}, name
        assert set(one.lineage) == set(one.schema.names), name
        for column, pairs in one.lineage.items():
            for source, of in pairs:
                assert source in one.sources, (name, column, source, of)


def test_a_header_says_all_there_is_to_know(folder):
    text = DAILY + (
        "-- lookback: 7 days; hot_words all; videos 1 day\n-- lookahead: 2 days\n-- days: hot_words\n-- "
        "not null: times\n-- rows: 50 %\n"
        "-- column times [plays; semi-additive]: how often / 次数\nSELECT $dt AS dt, sentence, count(*) AS "
        "times FROM main.hot_words JOIN main.videos USING (client_key) GROUP BY ALL\n"
    )
    mart = read_mart(write(folder, text))
    assert (mart.title_en, mart.title_zh, mart.mode, mart.key) == ("Words", "词", Mode.INCREMENTAL, ("dt", "sentence"))
    assert (
        mart.days_before("item_play"),
        mart.days_before("hot_words"),
        mart.days_before("videos"),
        mart.lookahead,
    ) == (7, ALL_DAYS, 1, 2)
    assert (mart.days_of, mart.not_null, mart.rows_may_change) == (("hot_words",), ("times",), 0.5)
    assert (mart.columns["times"].unit, mart.columns["times"].additive, mart.columns["times"].zh) == (
        "plays",
        Additive.SEMI,
        "次数",
    )
    (bound,) = bind(load_marts(folder)).values()
    assert bound.tables == ("hot_words", "videos")
    assert bound.lineage["sentence"] == [("main.hot_words", "sentence")]


_BAD_HEADERS = {
    "no title": (WORDS.removeprefix("-- Words 词\n"), 1, "title"),
    "no owner": (WORDS.replace("-- owner: team:data-platform\n", ""), 1, "owner"),
    "owner that Dagster refuses": (WORDS.replace("team:data-platform", "us"), 6, "team:NAME"),
    "empty": ("", 1, "title"),
    "no description": ("SELECT 1", 1, "title"),
    "mode": (WORDS.replace("mode: full", "mode: partial"), 8, "incremental"),
    "look-back of a full one": (HEADER + "-- lookback: 7 days\nSELECT 1 AS sentence", 9, "incremental"),
    "look-back": (DAILY + "-- lookback: a week\nSELECT 1", 9, "7 days"),
    "look-ahead": (DAILY + "-- lookahead: videos 1 day\nSELECT 1", 9, "2 days"),
    "rows": (DAILY + "-- rows: half\nSELECT 1", 9, "50 %"),
    "key without dt": (DAILY.replace("key: dt, ", "key: ") + "SELECT 1", 5, "dt"),
    "column in one language": (WORDS.replace(" / 次数", ""), 9, "English"),
    "two units": (WORDS.replace("[additive]", "[h; d]"), 9, "unit"),
}


@pytest.mark.parametrize("case", _BAD_HEADERS)
def test_a_bad_header_is_reported_with_its_line(folder, case: str):
    text, line, word = _BAD_HEADERS[case]
    path = write(folder, text)
    with pytest.raises(BadMart) as reported:
        read_mart(path)
    assert str(reported.value).startswith(f"{path}:{line}: ")
    assert word in str(reported.value)


_BAD_SQL = {
    "unknown table": (WORDS.replace("main.hot_words", "main.hot_word"), 11, "did you mean main.hot_words"),
    "unknown column": (WORDS.replace("SELECT sentence", "SELECT sentense"), 10, "sentense"),
    "without a schema": (WORDS.replace("main.hot_words", "hot_words"), 11, "write main.hot_words"),
    "no SQL": (WORDS.replace("FROM", "FORM"), 11, ""),
    "two statements": (WORDS + ";\nSELECT 2", 1, "one SELECT"),
    "no SELECT": (HEADER + "DROP TABLE main.hot_words", 1, "one SELECT"),
    "key that is not there": (WORDS.replace("key: sentence", "key: word"), 1, "word"),
    "column that is not there": (WORDS.replace("column times", "column time"), 1, "time"),
    "undocumented": (WORDS.replace("-- column times [additive]: how often / 次数\n", ""), 1, "add `-- column times"),
    "itself": (WORDS.replace("main.hot_words", "marts.words"), 11, "itself"),
    "a list": (WORDS.replace("count(*) AS times", "list(rank) AS times"), 1, "cast it"),
    "present state of a past day": (
        DAILY
        + "-- column n: number / 数\n"
        + "SELECT $dt AS dt, scope AS sentence, sum(calls) AS n FROM meta.quotas GROUP BY ALL",
        1,
        "mode: full",
    ),
    "days of a stranger": (
        DAILY + "-- days: videos\nSELECT DISTINCT $dt AS dt, sentence FROM main.hot_words",
        1,
        "videos",
    ),
}


@pytest.mark.parametrize("case", _BAD_SQL)
def test_an_invalid_select_is_reported_with_its_line(folder, case: str):
    text, line, word = _BAD_SQL[case]
    path = write(folder, text)
    with pytest.raises(BadMart) as reported:
        bind(load_marts(folder))
    assert str(reported.value).startswith(f"{path}:{line}: ")
    assert word in str(reported.value)


def test_marts_read_marts_in_an_order_and_never_in_a_circle(folder):
    write(folder, WORDS, "a_words")
    write(folder, WORDS.replace("main.hot_words", "marts.a_words").replace("count(*)", "sum(times)"), "b_words")
    assert list(bind(load_marts(folder))) == ["a_words", "b_words"]
    write(folder, WORDS.replace("main.hot_words", "marts.b_words").replace("count(*)", "sum(times)"), "a_words")
    with pytest.raises(BadMart, match="circle"):
        bind(load_marts(folder))


def test_definitions_do_not_load_with_a_bad_mart(folder, monkeypatch):
    from datetime import date

    path = write(folder, WORDS.replace("main.hot_words", "main.hot_word"))
    monkeypatch.setattr("assets.marts.load_marts", lambda *_: load_marts(folder))
    with pytest.raises(BadMart, match=f"{path}:11"):
        mart_assets(date(2026, 1, 1))


def test_a_publication_leaves_a_bad_file_out_and_says_so(folder, caplog):
    write(folder, WORDS)
    write(folder, "SELECT 1", "nameless")
    assert set(readable_marts(folder)) == {"words"}
    assert "nameless.sql:1" in caplog.text
