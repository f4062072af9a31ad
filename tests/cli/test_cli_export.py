"""``douyin export``: tables and answers as files that Excel opens, ids unharmed."""

from __future__ import annotations

import csv
import zipfile
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assets.warehouse import publish
from catalog import TABLES
from resources.lake import Lake
from resources.runtime import Runtime
from resources.schema import arrow_schema
from resources.settings import Settings

DAY = date(2026, 11, 16)
HOSTILE = ["=1+1", "+86", "-2", "@SUM(1)", "普通词", "https://example.com"]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    import pyarrow as pa

    home = tmp_path_factory.mktemp("export")
    rows = [
        {
            "dt": day, "observed_at": 1_763_262_000_000_000 + n, "source": "hotsearch_sentences", "client_key": "app", "rank": n + 1, "sentence": word, "hot_level": 10**16 + n,
            "active_date": day, "active_at": None,
        }
        for day in (DAY, date(2026, 11, 17))
        for n, word in enumerate(HOSTILE)
    ]  # fmt: skip
    lake = Lake(home / "lake")
    for day in (DAY, date(2026, 11, 17)):
        lake.write("hot_words", day, pa.Table.from_pylist([r for r in rows if r["dt"] == day], arrow_schema(TABLES["hot_words"])))
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
    told = export("hot_words", "-f", "csv", "--from", "2026-11-17")
    assert told.exit_code == 0, told.output
    assert "6 rows of hot_words" in told.stdout
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
    (tmp_path / "mine.sql").write_text("-- 问题\nSELECT sentence, count(*) AS n FROM hot_words GROUP BY 1 ORDER BY 1;\n", encoding="utf-8")
    assert export("mine.sql", "-f", "csv").exit_code == 0
    assert len((tmp_path / "mine.csv").read_text(encoding="utf-8-sig").splitlines()) == 7


@pytest.mark.parametrize(
    ("words", "told"),
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
def test_what_cannot_be_exported_is_told_and_nothing_is_written(export, tmp_path, words, told: str):
    (tmp_path / "bad.sql").write_text("SELECT nothing FROM hot_words")
    (tmp_path / "two.sql").write_text("SELECT 1; DROP TABLE hot_words")
    (tmp_path / "there.xlsx").write_text("mine")
    before = {p.name for p in tmp_path.iterdir()}
    answer = export(*words)
    assert answer.exit_code == 2
    assert told in answer.output.replace("\n", " ")
    assert {p.name for p in tmp_path.iterdir()} == before
    assert (tmp_path / "there.xlsx").read_text() == "mine"


def test_force_replaces(export, tmp_path):
    (tmp_path / "there.xlsx").write_text("mine")
    assert export("hot_words", "-o", "there.xlsx", "--force").exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "there.xlsx")
