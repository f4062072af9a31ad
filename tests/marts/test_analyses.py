"""The queries of ``sql/analyses`` state their question in both languages and fit the warehouse's tables.

That each has rows is tested on three simulated days, in ``tests/cli/test_cli_demo.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog import TABLES
from catalog.records import History
from resources.warehouse.mart_files import load_marts
from services.marts.binding import SCHEMAS, bind, empty_table, known_schemas
from services.reporting.dictionary import OWN_SCHEMAS

QUESTIONS = sorted((Path(__file__).resolve().parents[2] / "sql" / "analyses").glob("*.sql"))
each = pytest.mark.parametrize("path", QUESTIONS, ids=lambda p: p.stem)


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the warehouse, without rows."""
    schemas = known_schemas() | OWN_SCHEMAS | {f"marts.{name}": one.schema for name, one in bind(load_marts()).items()}
    with duckdb.connect() as connection:
        connection.execute(
            ";".join(
                [
                    *(f"CREATE SCHEMA IF NOT EXISTS {s}" for s in SCHEMAS),
                    *(empty_table(n, s) for n, s in schemas.items()),
                ]
            )
        )
        for table in TABLES.values():
            if table.history is History.LISTING:
                connection.execute(f'CREATE VIEW "{table.name}_latest" AS SELECT * FROM "{table.name}"')
        yield connection


@each
def test_the_first_line_is_a_question_in_both_languages(path: Path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    chinese, mark, english = first.removeprefix("-- ").partition("？ ")
    assert first.startswith("-- ")
    assert mark
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert re.search(r"[A-Za-z].*\?", english)


@each
def test_it_is_one_select_that_fits_the_tables(path: Path, empty):
    sql = path.read_text(encoding="utf-8")
    (statement,) = empty.extract_statements(sql)
    assert statement.type == duckdb.StatementType.SELECT
    answer = empty.execute(sql)
    assert len({c[0] for c in answer.description}) == len(answer.description) >= 3, "names of columns differ"


@each
def test_it_has_an_end_and_an_order(path: Path):
    sql = path.read_text(encoding="utf-8")
    assert "ORDER BY" in sql.rpartition("\nFROM ")[2], "the same rows in the same order"


def test_teams_find_their_questions():
    assert len(QUESTIONS) >= 12
    reported = " ".join(p.read_text(encoding="utf-8").splitlines()[0] for p in QUESTIONS)
    for word in (
        "涨粉",
        "限流",
        "爆款",
        "粉丝在问",
        "什么时候发布",
        "热点",
        "榜单",
        "门店",
        "线索",
        "互动率",
        "缺口",
        "画像",
        "搜索词",
    ):
        assert word in reported, word


def test_people_of_a_lead_source_count_once(empty):
    path = next(p for p in QUESTIONS if p.stem == "lead_sources")
    with empty.cursor() as connection:
        connection.execute("BEGIN")
        connection.execute(
            """INSERT INTO main.lead_actions BY NAME
               SELECT dt, dt + INTERVAL 3 HOUR AS observed_at, 'app' AS client_key, open_id, lead_open_id,
                      day + INTERVAL 1 HOUR AS action_at, 1 AS action_type, source AS action_source
               FROM (VALUES ('2026-11-14'::DATE, 'a', 'p', '2026-11-14'::DATE, ''),
                            ('2026-11-15'::DATE, 'a', 'p', '2026-11-14'::DATE, '主页'), -- seen again, with a source
                            ('2026-11-15'::DATE, 'b', 'p', '2026-11-15'::DATE, '主页'),
                            ('2026-11-15'::DATE, 'a', 'q', '2026-11-15'::DATE, '主页'),
                            ('2026-11-15'::DATE, 'a', 'q', '2026-11-13'::DATE, NULL))
                    AS t(dt, open_id, lead_open_id, day, source)"""
        )
        connection.execute(
            """INSERT INTO main.leads BY NAME
               SELECT 'app' AS client_key, 'a' AS open_id, 'p' AS lead_open_id, unnest([NULL, '1']) AS telephone"""
        )
        assert connection.execute(path.read_text(encoding="utf-8")).fetchall() == [
            ("主页", 3, 2, 1, 1, 0.5),
            ("未知", 1, 1, 0, 0, 0.0),
        ]
        connection.execute("ROLLBACK")
