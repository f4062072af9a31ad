"""The opening view that the server draws.

It shows what the interactive page will show, is updated with every published file, and never blocks the page.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from apps.dashboard import charts, questions
from apps.dashboard.firstview import FirstView
from apps.dashboard.questions import Choice
from apps.dashboard.reading import WarehouseReader
from apps.dashboard.serving import _with_view
from apps.dashboard.texts import speak

PAGE = b"""<head><script type="module" crossorigin src="./assets/index-a1.js"></script>
<link rel="modulepreload" crossorigin href="./assets/react-b2.js"></head><body><div id="root"></div></body>"""


def published(path: Path, nickname: str, plays: int) -> Path:
    """Write the tables that the opening view queries into a file that replaces ``path``, as a publication does."""
    building = path.with_suffix(".building")
    with duckdb.connect(str(building)) as connection:
        connection.execute("CREATE SCHEMA marts; CREATE SCHEMA meta")
        connection.execute(
            """CREATE TABLE marts.account_daily AS SELECT DATE '2026-11-20' + n::INT AS dt,
               'app' AS client_key, 'a' AS open_id, $name AS nickname, 100 AS total_fans, 1 AS new_fans, 1 AS net_fans,
               CASE WHEN n <> 1 THEN $plays::BIGINT END AS new_play, 5 AS interactions, 0.1 AS engagement_ratio,
               3 AS profile_uv, 3 AS new_like, 1 AS new_comment, 1 AS new_share, 0 AS new_issue,
               CASE WHEN n = 1 THEN 'user_item' ELSE '' END AS missing, n = 1 AS is_gap FROM range(3) AS days(n)""",
            {"name": nickname, "plays": plays},
        )
        connection.execute("CREATE TABLE marts.hot_words_now (dt DATE, listed_at TIMESTAMPTZ)")
        connection.execute("CREATE TABLE meta.accounts (client_key VARCHAR, open_id VARCHAR, name VARCHAR)")
        connection.execute(
            "CREATE TABLE meta.dictionary (table_schema VARCHAR, table_name VARCHAR, column_name "
            "VARCHAR, name_zh VARCHAR, name_en VARCHAR, meaning_zh VARCHAR, meaning_en VARCHAR)"
        )
        connection.execute(
            "INSERT INTO meta.dictionary VALUES ('marts', 'account_daily', 'new_play', '新增播放', 'New plays', '', '')"
        )
    building.rename(path)
    return path


def test_it_shows_figures_gaps_and_a_chart_in_the_requested_language(tmp_path):
    view = FirstView(WarehouseReader(published(tmp_path / "w.duckdb", "小店", 1234)))
    chinese, english = view.html(""), view.html("lang=en")
    assert chinese.count("<svg") == english.count("<svg") == 2
    assert "2,468" in chinese
    assert "3 个账号日中缺 1 个" in chinese
    assert "1 of 3 account-days have gaps" in english
    assert "每日 新增播放" in chinese
    assert "A day: New plays" in english


def test_days_are_midnights_of_the_reader(tmp_path):
    """JavaScript parses a bare day as midnight UTC: in America it would be shown as the day before."""
    found = WarehouseReader(published(tmp_path / "w.duckdb", "小店", 1)).ask(
        questions.overview(Choice((), date(2026, 11, 20), date(2026, 11, 22)), "new_play")
    )
    drawn = charts.lines(found["lines"], {"a": "小店"}, "播放", speak("zh")).to_dict()
    assert [(v["dt"], v["value"], v["missing"]) for v in drawn["data"]["values"]] == [
        ("2026-11-20T00:00:00", 1, ""),
        ("2026-11-21T00:00:00", None, "user_item"),
        ("2026-11-22T00:00:00", 1, ""),
    ]
    assert drawn["usermeta"]["embedOptions"]["actions"] is False


def test_a_nickname_is_text_and_no_markup(tmp_path):
    shown = FirstView(WarehouseReader(published(tmp_path / "w.duckdb", "<img src=x onerror=alert(1)>", 1))).html("")
    assert "<img" not in shown


def test_a_new_file_is_drawn_anew(tmp_path):
    view = FirstView(WarehouseReader(published(tmp_path / "w.duckdb", "小店", 1000)))
    assert "2,000" in view.html("")
    published(tmp_path / "w.duckdb", "小店", 3000)
    assert "6,000" in view.html("")


@pytest.mark.parametrize("query", ["tab=words", "account=a", "from=2026-11-01", "lang=zh&metric=net_fans"])
def test_another_view_is_left_to_the_living_page(tmp_path, query):
    assert FirstView(WarehouseReader(published(tmp_path / "w.duckdb", "小店", 1))).html(query) == ""


def test_without_a_file_there_is_no_view(tmp_path):
    assert FirstView(WarehouseReader(tmp_path / "w.duckdb")).html("") == ""


def test_the_view_comes_before_the_program():
    changed = _with_view(PAGE, '<div id="dw-first"></div>').decode()
    assert changed.index("dw-first") > changed.index('id="root"')
    assert 'import("./assets/index-a1.js")' in changed
    assert '["./assets/react-b2.js"]' in changed
    assert 'rel="modulepreload" crossorigin href' not in changed


@pytest.mark.parametrize("page", [b"<p>log in</p>", PAGE.replace(b"module", b"other"), PAGE + b'<div id="root"></div>'])
def test_a_page_that_is_not_as_expected_stays_as_it_is(page: bytes):
    assert _with_view(page, "<div></div>") == page
