"""``douyin export`` writes tables and query results as files that Excel opens without damage to ids."""

from __future__ import annotations

import csv
import zipfile
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.lake import Lake
from resources.storage.schema import arrow_schema
from services.marts.publishing import publish

DAY = date(2026, 11, 16)
HOSTILE = ["=1+1", "+86", "-2", "@SUM(1)", "普通词", "https://example.com"]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    import pyarrow as pa

    home = tmp_path_factory.mktemp("export")
    rows = [
        {
            "dt": day,
            "observed_at": 1_763_262_000_000_000 + n,
            "source": "hotsearch_sentences",
            "client_key": "app",
            "rank": n + 1,
            "sentence": word,
            "hot_level": 10**16 + n,
            "active_date": day,
            "active_at": None,
        }
        for day in (DAY, date(2026, 11, 17))
        for n, word in enumerate(HOSTILE)
    ]
    lake = Lake(home / "lake")
    for day in (DAY, date(2026, 11, 17)):
        lake.write(
            "hot_words",
            day,
            pa.Table.from_pylist([r for r in rows if r["dt"] == day], arrow_schema(TABLES["hot_words"])),
        )
    runtime = Runtime(Settings(_env_file=None, home=home))
    publish(runtime)
    runtime.close()
    return home


@pytest.fixture
def export(douyin, home, tmp_path, monkeypatch):
    monkeypatch.setenv("DOUYIN_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return lambda *words: douyin("export", *words)


def test_csv_for_excel_keeps_numbers_and_disarms_formulas(export, tmp_path):
    reported = export("hot_words", "-f", "csv", "--from", "2026-11-17")
    assert reported.exit_code == 0, reported.output
    assert "6 rows of hot_words" in reported.stdout
    raw = (tmp_path / "hot_words.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert [r["sentence"] for r in rows] == ["'=1+1", "'+86", "'-2", "'@SUM(1)", "普通词", "https://example.com"]
    assert rows[0]["hot_level"] == "10000000000000000"
    assert rows[0]["active_at"] == ""
    assert rows[0]["observed_at"].startswith("2025-11-16 11:00:00"), "Beijing"


def test_excel_has_no_formulas_no_links_and_no_rounded_numbers(export, tmp_path):
    assert export("hot_words", "--headers", "zh").exit_code == 0
    with zipfile.ZipFile(tmp_path / "hot_words.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "10000000000000000" in sheet
    assert "1E+16" not in sheet
    assert "热点词" in sheet


def test_parquet_has_the_table_s_own_types(export, tmp_path):
    assert export("main.hot_words", "-f", "parquet", "-o", "words.parquet").exit_code == 0
    found = pq.read_table(tmp_path / "words.parquet")
    assert found.num_rows == 12
    assert found.schema.field("observed_at").type.tz is not None


def test_a_file_with_a_select(export, tmp_path):
    (tmp_path / "mine.sql").write_text(
        "-- 问题\nSELECT sentence, count(*) AS n FROM hot_words GROUP BY 1 ORDER BY 1;\n", encoding="utf-8"
    )
    assert export("mine.sql", "-f", "csv").exit_code == 0
    assert len((tmp_path / "mine.csv").read_text(encoding="utf-8-sig").splitlines()) == 7


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (("hot_word",), "did you mean hot_words"),
        (("hot_words_now",), "marts.hot_words_now"),
        (("meta.tables", "--from", "2026-11-01"), "dt"),
        (("nothing.sql",), "cannot read"),
        (("bad.sql",), "does not run"),
        (("two.sql",), "one SELECT"),
        (("hot_words", "-o", "no/where.xlsx"), "does not exist"),
        (("hot_words", "-o", "there.xlsx"), "--force"),
    ],
)
def test_what_cannot_be_exported_is_reported_and_nothing_is_written(export, tmp_path, words, reported: str):
    (tmp_path / "bad.sql").write_text("SELECT nothing FROM hot_words")
    (tmp_path / "two.sql").write_text("SELECT 1; DROP TABLE hot_words")
    (tmp_path / "there.xlsx").write_text("mine")
    before = {p.name for p in tmp_path.iterdir()}
    answer = export(*words)
    assert answer.exit_code == 2
    assert reported in answer.output.replace("\n", " ")
    assert {p.name for p in tmp_path.iterdir()} == before
    assert (tmp_path / "there.xlsx").read_text() == "mine"


def test_force_replaces(export, tmp_path):
    (tmp_path / "there.xlsx").write_text("mine")
    assert export("hot_words", "-o", "there.xlsx", "--force").exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "there.xlsx")


def sheet_of(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


def test_cells_have_the_kind_of_their_values(export, tmp_path):
    (tmp_path / "kinds.sql").write_text(
        "SELECT dt, rank, sum(hot_level) AS heat, 0.25 AS share, '@1/2=' AS item_id FROM hot_words GROUP "
        "BY ALL ORDER BY dt, rank;\n-- end\n"
    )
    assert export("kinds.sql").exit_code == 0
    sheet = sheet_of(tmp_path / "kinds.xlsx")
    row = sheet.split('<row r="2"')[1].split("</row>")[0]
    assert '<c r="A2" s="2"><v>46342</v></c>' in row, "2026-11-16 is a day, not a text"
    assert '<c r="B2"><v>1</v></c>' in row
    assert '<c r="C2" t="inlineStr"><is><t>10000000000000000</t></is></c>' in row, (
        "a sum is a HUGEINT, and Excel would round it"
    )
    assert '<c r="D2"><v>0.25</v></c>' in row
    assert '<c r="E2" t="inlineStr"><is><t>@1/2=</t></is></c>' in row
    assert 'state="frozen"' in sheet


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


def heads_of(path: Path) -> list[str]:
    return rows_of(path)[0]


def test_heads_are_those_of_the_dictionary(export, tmp_path):
    assert export("hot_words", "-f", "csv", "--headers", "zh").exit_code == 0
    heads = heads_of(tmp_path / "hot_words.csv")
    assert heads == [
        "分区日期",
        "采集时间",
        "来源接口",
        "应用标识",
        "排名",
        "热点词",
        "热度",
        "榜单日期",
        "榜单刷新时间",
    ]
    assert export("marts.hot_word_lifecycle", "-f", "csv", "--headers", "zh", "-o", "life.csv").exit_code == 0
    assert "在榜时长" in heads_of(tmp_path / "life.csv")
    assert export("videos_latest", "-f", "csv", "--headers", "en", "-o", "videos.csv").exit_code == 0
    assert "Video status" in heads_of(tmp_path / "videos.csv")


def test_full_width_formulas_are_disarmed_too(export, tmp_path):
    (tmp_path / "wide.sql").write_text("SELECT unnest(['＝1+1', '＠某人 快看', '正常']) AS content", encoding="utf-8")
    assert export("wide.sql", "-f", "csv").exit_code == 0
    assert rows_of(tmp_path / "wide.csv")[1:] == [["'＝1+1"], ["'＠某人 快看"], ["正常"]]


def test_joined_lists_heads_and_what_only_calls_itself_an_id_are_disarmed(export, tmp_path):
    (tmp_path / "mine.sql").write_text(
        """SELECT ['=1+1', 'b'] AS words, '=1+1' AS nickname_id, '@SUM(1)' AS comment_id, '=cmd|x' AS item_id,
        {'a': '=1'} AS object, 1.50::DECIMAL(5, 2) AS price, -2 AS n,
        '' AS empty, NULL::VARCHAR AS nothing, '@9aB/+=' AS open_id, '-2' AS "=head" """
    )
    assert export("mine.sql", "-f", "csv").exit_code == 0
    raw = (tmp_path / "mine.csv").read_text(encoding="utf-8-sig").splitlines()
    heads, row = rows_of(tmp_path / "mine.csv")
    assert heads[-1] == "'=head"
    assert row == ["'=1+1、b", "'=1+1", "'@SUM(1)", "'=cmd|x", "{'a': '=1'}", "1.50", "-2", "", "", "@9aB/+=", "'-2"]
    assert ',"",,"@9aB' in raw[1], "an empty text and nothing stay apart"


def test_the_dashboard_writes_the_same_bytes(export, home, tmp_path):
    import duckdb

    from apps.dashboard.saving import FORMATS

    assert export("hot_words", "-f", "csv").exit_code == 0
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        assert (
            FORMATS["csv"][0](connection.execute("FROM hot_words").to_arrow_table())
            == (tmp_path / "hot_words.csv").read_bytes()
        )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "FROM '/etc/hostname'",
        "SELECT * FROM glob('/etc/*')",
        "COPY hot_words TO 'out.csv'",
        "ATTACH 'out.duckdb'",
        "SELECT 1; SELECT 2",
        "SET enable_external_access = true",
        "PRAGMA version",
        "SELECT * FROM warehouse",
        "SELECT getenv('HOME')",
        "INSTALL httpfs",
        "CREATE TEMP TABLE t AS SELECT 1",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_select_reaches_the_warehouse_alone(export, tmp_path, text: str, kind: str):
    (tmp_path / "mine.sql").write_text(text)
    answer = export("mine.sql", "-f", kind)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("✗ ")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.sql"]


def test_sql_that_fails_under_a_bound_is_reported_as_well(export, tmp_path):
    (tmp_path / "mine.sql").write_text("SELECT nothing FROM hot_words")
    answer = export("mine.sql", "--from", "2026-11-16")
    assert answer.exit_code == 2
    assert "does not run" in answer.stderr


def test_more_rows_than_a_sheet_has_are_refused_at_once(export, tmp_path):
    (tmp_path / "many.sql").write_text("SELECT range AS n FROM range(1048576)")
    answer = export("many.sql")
    assert answer.exit_code == 2
    assert "these are 1,048,576: bound them" in answer.output.replace("\n", " ")
    assert [p.name for p in tmp_path.iterdir()] == ["many.sql"], "nothing half written, nothing spilled"


def test_a_text_too_long_for_a_cell_is_cut_and_reported(export, tmp_path):
    (tmp_path / "long.sql").write_text("SELECT repeat('x', 40000) AS content")
    reported = export("long.sql")
    assert reported.exit_code == 0
    assert "1 texts were longer" in reported.output
    assert f">{'x' * 32_767}<" in sheet_of(tmp_path / "long.xlsx")
