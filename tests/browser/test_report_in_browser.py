"""The daily report as people see it: both widths, both languages, on paper, and without a single request."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from report_rows import DAY, HOSTILE, Home, account_days, put_accounts, put_everything

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    from services.reporting.page import write_report

    home = Home(tmp_path_factory.mktemp("report"))
    put_everything(home)
    return write_report(home.publish(), DAY)


@pytest.fixture
def requested(page):
    """The page's network requests, and its error messages."""
    found = []
    page.on("request", lambda request: found.append(request.url))
    page.on("console", lambda message: found.append(message.text))
    page.on("dialog", lambda dialog: (found.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_fits_and_can_be_read(page, report, requested, look, width, language):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{report.as_uri()}#{language}")
    assert requested == [report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    letters = page.evaluate("""() => [...document.querySelectorAll('svg text')]
        .filter(t => t.getBoundingClientRect().width > 0)
        .map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width
                  / t.ownerSVGElement.viewBox.baseVal.width)""")
    assert len(letters) > 30
    assert min(letters) >= 11
    cut = page.evaluate("""() => [...document.querySelectorAll('svg text')].filter(t => {
        const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
        return a.width > 0 && (a.left < b.left - 1 || a.right > b.right + 1) }).map(t => t.textContent)""")
    assert cut == []
    shown, hidden = (".zh", ".en") if language == "zh" else (".en", ".zh")
    assert page.locator(f"h2 {shown}").first.is_visible()
    assert not page.locator(f"h2 {hidden}").first.is_visible()
    look(f"report-{width}-{language}")


def test_the_language_is_remembered(page, report, requested):
    page.goto(report.as_uri())
    assert page.locator("h1 .zh").is_visible()
    page.click("#language")
    assert page.locator("h1 .en").is_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.goto("about:blank")
    page.goto(report.as_uri())
    assert page.locator("h1 .en").is_visible()
    page.click("#language")
    assert page.locator("h1 .zh").is_visible()


def test_text_of_people_is_not_executed(page, report, requested):
    page.goto(report.as_uri())
    page.evaluate(
        "(words) => { const element = document.createElement('div'); element.innerHTML = '<img src=x "
        "onerror=alert(3)>' + words; document.body.append(element) }",
        HOSTILE,
    )
    page.wait_for_timeout(300)
    assert [said for said in requested if said in ("1", "2", "3")] == []
    assert any("Content Security Policy" in said for said in requested), "the policy holds even where the words got in"


def test_on_paper(page, report, tmp_path):
    page.goto(report.as_uri())
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "report.pdf").read_bytes()))
    assert 3 <= pages <= 8
    page.emulate_media(media="print")
    assert not page.locator("#language").is_visible()


def test_a_thousand_accounts_stay_one_page(tmp_path):
    from services.reporting.page import write_report

    home = Home(tmp_path / "many")
    put_accounts(home, *[account_days(f"{n:04}", [n, None, *[n + 1] * 28], fans=n) for n in range(1000)])
    home.put(
        "comment_keywords",
        *[{"open_id": f"{n:04}", "term": "词", "comments": 2, "score": 1.0, "position": 1} for n in range(1000)],
    )
    young = {
        "published_date": DAY - timedelta(days=4),
        "counted_age_days": 3,
        "counted_until": DAY,
        "median_play_count": 100.0,
        "compared_videos": 6,
        "play_count": 1,
    }
    home.put(
        "video_performance",
        *[
            {**young, "item_id": str(n), "ratio_to_median": n / 1000, "is_hit": n >= 3000, "is_low_play": n <= 200}
            for n in range(4000)
        ],
    )
    path = write_report(home.publish(), DAY)
    html = path.read_text(encoding="utf-8")
    assert len(html.encode()) < 2_000_000
    assert "共 1000 个" in html
    assert "988 more videos in the warehouse" in html
