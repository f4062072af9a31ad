"""The documentation site builds, its links lead somewhere, and it loads nothing from elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from apps.docs import site

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {language: tomllib.loads((ROOT / name).read_text())["project"] for language, name in site.LANGUAGES.items()}


def pages_of(nav: list) -> list[str]:
    """All pages of a navigation, in order."""
    found = []
    for entry in nav:
        inner = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += [inner] if isinstance(inner, str) else pages_of(inner)
    return found


@pytest.mark.parametrize("language", site.LANGUAGES)
def test_every_page_is_in_the_navigation_once(language: str):
    pages = [str(path) for path in site.sources(language) if path.suffix == ".md"]
    assert sorted(pages_of(CONFIGS[language]["nav"])) == sorted(pages)


def test_both_languages_differ_in_words_only():
    def bare(config: dict) -> dict:
        words = {"nav", "site_description", "docs_dir", "site_dir", "theme", "extra"}
        theme = {k: v for k, v in config["theme"].items() if k != "language"}
        return {k: v for k, v in config.items() if k not in words} | {"nav": pages_of(config["nav"]), "theme": theme}

    assert bare(CONFIGS["en"]) == bare(CONFIGS["zh"])


class Page(HTMLParser):
    """Anchors, links and loaded files of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.anchors.add(named.get("id") or "")
        if tag == "a":
            self.links.append(named.get("href") or "")
        elif tag in ("script", "img", "iframe") or (tag == "link" and named.get("rel") in ("stylesheet", "icon")):
            self.loaded.append(named.get("src") or named.get("href") or "")


def dead_links(built: Path) -> list[str]:
    """Links within the site, from its frame too, whose file or anchor does not exist."""
    pages = {path.resolve(): Page(path) for path in built.rglob("*.html") if path.name != "404.html"}
    dead = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            address = urlsplit(link)
            if address.scheme:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(address.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                dead.append(f"{path.relative_to(built)}: {link}")
    return dead


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the site is made from; the generator is installed from its lock when it is not there yet."""
    installed = subprocess.run(
        ["make", str(site.GENERATOR.parents[1] / ".installed")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, f"docs/requirements.lock cannot be installed: {installed.stderr}"
    root = tmp_path_factory.mktemp("repository")
    for name in (*map(str, site.LANGUAGES.values()), "docs", "benchmarks", "catalog/contract"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    for page in (*ROOT.glob("*.md"), ROOT / "LICENSE"):
        shutil.copy(page, root)
    return root


@pytest.mark.slow
def test_the_site_builds_and_its_links_lead_somewhere(copy: Path):
    assert site.build(copy) == 0
    built = copy / site.BUILT
    assert dead_links(built) == []
    for language, folder in (("en", built), ("zh", built / "zh")):
        addresses = {path.with_suffix(".html") for path in site.sources(language) if path.suffix == ".md"}
        for address in addresses - {p for p in addresses if p.stem == "README"}:
            page = Page(folder / address)
            assert [file for file in page.loaded if urlsplit(file).scheme or file.startswith("//")] == []
            assert any(link.endswith(str(address)) and ("zh/" in link) == (language == "en") for link in page.links)


@pytest.mark.slow
@pytest.mark.parametrize("link", ["docs/nowhere.md", "docs/history.md#nowhere"])
def test_a_dead_link_fails_the_build(copy: Path, link: str):
    page = copy / "SECURITY.md"
    text = page.read_text(encoding="utf-8")
    try:
        page.write_text(f"{text}\n[there]({link})\n", encoding="utf-8")
        assert site.build(copy) != 0
    finally:
        page.write_text(text, encoding="utf-8")
