"""The report as a page: its content for a real published file, hostile texts, and its size."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from report_rows import DAY, HOSTILE, Home, put_everything

from assets.report import READS
from services.reporting.page import latest_day, write_report
from services.reporting.questions import REPORT
from services.reporting.reasons import SECTIONS
from services.reporting.sql_files import queries_of

VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """Elements, attributes and texts, as a browser would find them; it complains of tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.open, self.elements, self.texts, self.sections, self.scripts = html, [], [], [], {}, []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style" and data.strip():
            self.texts.append(data)
            if "section" in self.open:
                self.sections[self.section] = self.sections.get(self.section, "") + data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Page:
    home = Home(tmp_path_factory.mktemp("full"))
    put_everything(home)
    return Page(write_report(home.publish(), DAY).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> tuple[Page, Home]:
    home = Home(tmp_path_factory.mktemp("empty"))
    return Page(write_report(home.publish(), DAY).read_text(encoding="utf-8")), home


@pytest.mark.slow
def test_hostile_words_are_words(full):
    assert len(full.all("script")) == 1
    assert not full.all("img")
    assert not [a for _, attributes in full.elements for a in attributes if a.startswith("on")]
    reported = [text for text in full.texts if text == HOSTILE]
    assert len(reported) >= 15, "the words stand in the page, each as one text"
    assert not [text for text in full.texts if "49" in text and "gnp" in text], "nothing was evaluated"


def test_charts_carry_hostile_words_as_text(full):
    charts = [attributes for attributes in full.all("svg") if attributes.get("role") == "img"]
    assert len(charts) >= 8
    ids = {attributes["id"] for _, attributes in full.elements if "id" in attributes}
    assert all(set(c["aria-labelledby"].split()) <= ids for c in charts)
    assert len([1 for tag, _ in full.elements if tag == "desc"]) == len(charts)
    assert any(text.startswith("<script>alert(1)") and text != HOSTILE for text in full.texts), (
        "a bar's label, cut to its place"
    )


def test_nothing_is_fetched_and_only_its_own_script_runs(full):
    for tag, attributes in full.elements:
        for name, value in attributes.items():
            assert name not in ("src", "srcset", "action", "data", "href"), (tag, name, value)
            assert name == "xmlns" or name.startswith("xmlns:") or "//" not in (value or ""), (tag, name, value)
    style = full.html[full.html.index("<style>") : full.html.index("</style>")]
    assert not re.search(r"url\(|@import|//", style)
    policy = next(a["content"] for a in full.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    (script,) = full.scripts
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy


def test_every_section_shows_its_numbers_in_both_languages(full):
    assert set(full.sections) == set(SECTIONS) - {"rhythm", "keywords", "tokens"}
    for name, text in full.sections.items():
        assert re.search("[\u4e00-\u9fff]", text), name
        assert re.search("[a-z]{4}", text), name
    chinese, english = (len([a for a in full.all("span") if a.get("class") == language]) for language in ("zh", "en"))
    assert chinese == english > 80
    assert "询价" in full.sections["needs"]
    assert "asks for the price" in full.sections["needs"]
    assert "+0.75" in full.sections["needs"], "the mean of the comments that show a mood, not of days"
    assert "+10.0" in full.html, "change of a share in percentage points"
    assert "25%" in full.sections["leads"]
    assert not [text for text in full.texts if re.search(r"\b(None|nan|NaN|undefined)\b", text)]


def test_what_is_not_there_is_a_break_and_is_marked(full):
    """The account has nine days, of which one lacks the plays."""
    chart = next(part for part in full.html.split("<svg ") if "缺失 days missing 1<" in part)
    assert len(re.findall(r'stroke-width="7"', chart)) == 1
    (line,) = re.findall(r'<path d="([^"]+)" fill="none"|<path [^>]*d="(M[^"]+)"[^>]*stroke="#fe2c55"', chart)[:1]
    assert max(line, key=len).count("M") == 2
    assert "缺 1 天" in full.sections["accounts"]


def test_it_is_small(full):
    assert len(full.html.encode()) < 500_000


def test_an_empty_warehouse_says_why_everywhere(empty):
    page, home = empty
    assert latest_day(home.runtime) is None
    assert len([a for a in page.all("div") if a.get("class") == "empty"]) >= 10
    for name in ("figures", "words", "topics", "boards", "accounts", "videos", "portrait", "needs", "leads", "places"):
        assert "没有采集记录" in page.sections[name], name
        assert "Nothing was collected" in page.sections[name], name
    assert not page.all("table")


def test_the_asset_waits_for_the_marts_that_the_page_reads():
    requested = {mart for sql in queries_of(REPORT).values() for mart in re.findall(r"marts\.(\w+)", sql)}
    assert requested == set(READS)
    assert {section.mart for section in SECTIONS.values()} - {""} <= requested
    assert {section.question for section in SECTIONS.values()} <= set(queries_of(REPORT))
