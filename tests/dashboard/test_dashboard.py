"""The dashboard: its queries, that it keeps no file open, and the page in a browser."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import children
import httpx
import pyarrow as pa
import pytest
from patience import scaled

from apps.dashboard import questions
from apps.dashboard.questions import Choice, opening
from apps.dashboard.reading import CannotShow, DashboardQuery, WarehouseReader
from apps.dashboard.serving import is_loopback
from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.storage.schema import arrow_schema
from services.marts.publishing import publish

LAST = date(2026, 11, 22)
CHOICE = Choice((("app", "a"),), LAST - timedelta(days=6), LAST)


def series(table: str, day: date, **values: int) -> pa.Table:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    row = {
        "dt": day,
        "observed_at": at,
        "source": table,
        "client_key": "app",
        "open_id": "a",
        "stat_date": day,
    } | values
    return pa.Table.from_pylist([row], arrow_schema(TABLES[table]))


def fill(runtime: Runtime, days: int = 7) -> None:
    """An account with a gap in its plays, and a list of hot words."""
    for n in range(days):
        day = LAST - timedelta(days=n)
        runtime.lake.write("user_fans", day, series("user_fans", day, new_fans=1, total_fans=100 - n))
        if n != 3:
            runtime.lake.write("user_item", day, series("user_item", day, new_issue=0, new_play=10 + n, total_issue=5))
    at = datetime(2026, 11, 22, 4, tzinfo=UTC)
    words = [
        {
            "dt": LAST,
            "observed_at": at,
            "source": "s",
            "client_key": "app",
            "rank": n,
            "sentence": f"词{n}",
            "hot_level": 9,
            "active_date": LAST,
            "active_at": at,
        }
        for n in (1, 2)
    ]
    runtime.lake.write("hot_words", LAST, pa.Table.from_pylist(words, arrow_schema(TABLES["hot_words"])))
    publish(runtime)


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home"))
    yield runtime
    runtime.close()


def test_without_a_file_the_page_says_what_to_do(runtime):
    with pytest.raises(CannotShow) as reported:
        WarehouseReader(runtime.settings.warehouse_path).ask(opening())
    assert "make demo" in reported.value.zh
    assert "make demo" in reported.value.en


def test_figures_are_queried_in_sql_and_gaps_stay_gaps(runtime):
    fill(runtime)
    reader = WarehouseReader(runtime.settings.warehouse_path)
    opened = reader.ask(opening())
    assert opened["days"].to_pylist()[0]["last"] == LAST
    found = reader.ask(
        questions.overview(CHOICE, "new_play")
        | {"days": questions.account_days(CHOICE), "words": questions.hot_words(CHOICE)}
    )
    assert found["days"].num_rows == 7
    assert found["words"].column("sentence").to_pylist() == ["词1", "词2"]
    plays = {r["dt"]: r["new_play"] for r in found["days"].to_pylist()}
    assert plays[LAST - timedelta(days=3)] is None
    assert plays[LAST] == 10
    with pytest.raises(CannotShow, match="mart"):
        reader.ask(questions.needs(CHOICE))


@pytest.mark.slow
def test_nothing_is_kept_open_and_a_new_file_is_seen(runtime):
    fill(runtime)
    reader = WarehouseReader(runtime.settings.warehouse_path)
    before = reader.ask({"n": DashboardQuery("SELECT max(new_play) AS n FROM marts.account_daily")})["n"].to_pylist()
    version = reader.version()
    runtime.lake.write("user_item", LAST, series("user_item", LAST, new_issue=0, new_play=999, total_issue=5))
    publish(runtime)
    assert reader.version() != version
    after = reader.ask({"n": DashboardQuery("SELECT max(new_play) AS n FROM marts.account_daily")})["n"].to_pylist()
    assert (before, after) == ([{"n": 16}], [{"n": 999}])


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.5", False),
        ("example.com", False),
    ],
)
def test_who_can_reach_the_page_is_known(host: str, inside: bool):
    assert is_loopback(host) is inside


@pytest.mark.slow
def test_the_page_in_a_browser(runtime, tmp_path):
    """Charts of the published file at desktop and phone width, without requests to other servers.

    Foreign sites are refused.
    """
    chromium = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if chromium is None:
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    fill(runtime)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    with open(tmp_path / "said.txt", "w") as said:
        process = children.start(
            [sys.executable, "-m", "apps.cli.main", "dashboard", "--port", str(port)],
            cwd=tmp_path,
            env={"DOUYIN_HOME": str(runtime.settings.home), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        deadline = time.monotonic() + scaled(60)
        while True:
            assert process.poll() is None, (tmp_path / "said.txt").read_text()
            assert time.monotonic() < deadline
            try:
                assert httpx.get(url, trust_env=False).status_code == 200
                break
            except httpx.HTTPError:
                time.sleep(0.3)
        assert httpx.get(url, headers={"Origin": "https://elsewhere.example"}, trust_env=False).status_code == 403
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            for width in (1280, 390):
                page, strangers = browser.new_page(viewport={"width": width, "height": 900}), []
                page.on(
                    "request",
                    lambda r, s=strangers: (
                        s.append(r.url)
                        if not r.url.startswith((url, f"ws://127.0.0.1:{port}", "data:", "blob:"))
                        else None
                    ),
                )
                page.goto(url)
                page.wait_for_selector(".vega-embed svg, .vega-embed canvas", timeout=60_000)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert "抖音" in page.content()
                assert strangers == []
            browser.close()
    finally:
        children.end(process)
