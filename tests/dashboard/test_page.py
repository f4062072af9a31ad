"""The page in a browser: every section, both languages, a publication meanwhile, a download, a token."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from test_dashboard import LAST, fill, runtime, series  # noqa: F401

from apps.dashboard.sections import SECTIONS
from services.marts.publishing import publish

pytestmark = pytest.mark.slow
CHART = "#root .vega-embed svg, #root .vega-embed canvas"


def test_a_publication_while_the_page_is_open_is_seen_after_a_refresh(runtime, serve, page):  # noqa: F811
    fill(runtime)
    url = serve(runtime.settings.home)
    page.goto(url)
    page.wait_for_selector(CHART)
    assert page.locator("#root .dw-card").first.inner_text().split("\n")[1] == "78"
    runtime.lake.write("user_item", LAST, series("user_item", LAST, new_issue=0, new_play=5000, total_issue=5))
    assert publish(runtime).seconds < 60
    page.get_by_text("刷新 Refresh").first.click()
    page.locator("#root .dw-card", has_text="5,068").wait_for()
    page.reload()
    assert "5,068" in page.locator("#dw-first").inner_text()
    page.wait_for_selector(CHART)
    page.wait_for_function("() => !document.querySelector('#dw-first')")


def test_every_section_shows_something_in_both_languages(runtime, serve, page):  # noqa: F811
    fill(runtime)
    url = serve(runtime.settings.home)
    for language, heads in (
        ("zh", [both[0] for both in SECTIONS.values()]),
        ("en", [both[1] for both in SECTIONS.values()]),
    ):
        page.goto(f"{url}?lang={language}")
        page.wait_for_selector(CHART)
        for head in heads:
            page.get_by_role("tab", name=head, exact=True).click()
            page.wait_for_timeout(300)
            page.locator("#root .dw-block, #root .dw-notice").first.wait_for()
        assert re.search(r"[?&]tab=health", page.url)
        assert page.get_by_text("Traceback").count() == 0


def test_a_view_has_an_address_and_its_rows_can_be_saved(runtime, serve, page, tmp_path: Path):  # noqa: F811
    fill(runtime)
    first = LAST - timedelta(days=4)
    page.goto(f"{serve(runtime.settings.home)}?account=a&from={first}&to={LAST}&metric=total_fans")
    page.wait_for_selector(CHART)
    with page.expect_download() as reported:
        page.get_by_text("csv", exact=True).first.click()
    saved = tmp_path / reported.value.suggested_filename
    reported.value.save_as(saved)
    assert saved.name == f"account_daily_{first}_{LAST}.csv"
    lines = saved.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 6
    assert '"new_play"' in lines[0]


def test_without_a_warehouse_the_page_says_what_to_do_and_shows_it_when_it_comes(runtime, serve, page):  # noqa: F811
    page.goto(serve(runtime.settings.home))
    page.locator("#root .dw-notice", has_text="make demo").wait_for()
    fill(runtime)
    page.get_by_text("刷新 Refresh").first.click()
    page.wait_for_selector(CHART)


def test_with_a_token_nothing_is_shown_before_it(runtime, serve, page):  # noqa: F811
    fill(runtime)
    url = serve(runtime.settings.home, "--token", "only-for-us")
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        assert "dw-first" not in client.get(url).text
    page.goto(f"{url}?access_token=only-for-us")
    page.wait_for_selector(CHART)


def test_other_names_and_sites_are_refused(runtime, serve):  # noqa: F811
    fill(runtime)
    url = serve(runtime.settings.home)
    for headers in ({"Host": "rebound.example"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 403
    assert httpx.get(url, headers={"Origin": url.rstrip("/")}, trust_env=False).status_code == 200
    assert "dw-first" in httpx.get(url, trust_env=False).text
