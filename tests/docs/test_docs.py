"""The documentation is current, complete, and free of details of our machines."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from apps.cli.main import app
from apps.docs import figures, reference
from apps.docs.reference_words import EN
from catalog import ENDPOINTS, EVENTS, OPERATIONS, SOURCES, TABLES
from catalog.errors import ERRORS, Action
from resources.config.settings import Settings
from resources.state.load_status import Outcome
from sandbox.faults import KINDS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
PAIRS = [(p.with_name(p.name.replace(".zh-CN", "")), p) for p in PAGES if p.name.endswith(".zh-CN.md")]
"""Pages in both languages: English, Chinese."""
COMMANDS = typer.main.get_command(app).commands


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """Code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(path), re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(path), flags=re.MULTILINE | re.DOTALL)


@cache
def headings(path: Path) -> list[tuple[int, str]]:
    return [(len(m[1]), m[2].strip()) for m in re.finditer(r"^(#+) (.+)$", prose(path), re.MULTILINE)]


def anchor(title: str) -> str:
    """The anchor that a heading gets: lower case, without punctuation, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def links(path: Path) -> list[str]:
    return [m for m in re.findall(r"\]\(([^)\s]+)\)", prose(path)) if not m.startswith(("http://", "https://"))]


# --------------------------------------------------------------------------- generated pages


@pytest.mark.parametrize("name", reference.PAGES)
def test_generated_pages_are_current(name: str):
    assert text_of(ROOT / name) == reference.PAGES[name](), f"{name} is stale: run `make docs`"


def test_figures_and_tables_of_the_written_pages_are_current():
    names = figures.written_pages(ROOT)
    old = [name for name in names if text_of(ROOT / name) != figures.renewed_page(ROOT, name)]
    assert old == [], "they are stale: run `make docs`"
    everything = "\n".join(text_of(ROOT / name) for name in names)
    assert {p for p, n in figures.figures().items() if p.replace("#", "{}").format(*n) not in everything} == set()


def test_figures_are_renewed():
    old = "999 core tables, 1 of the 2 operations are not plainly; <!-- tables -->\nold\n<!-- /tables --> 7 days"
    new = figures.renewed(old, EN)
    assert new.startswith(f"{len(TABLES)} core tables, ")
    assert f" of the {len(OPERATIONS)} operations are not plainly; <!-- tables -->\n| group |" in new
    assert new.endswith("|\n<!-- /tables --> 7 days")


def test_help_does_not_depend_on_the_terminal(monkeypatch):
    before = reference.cli_page()
    for name, value in {"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert reference.cli_page() == before
    assert "\x1b" not in before


def test_check_reports_what_is_stale(tmp_path: Path):
    for name, text in reference.pages().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert reference.stale(tmp_path) == {}
    (tmp_path / "docs/cli.md").write_text("old", encoding="utf-8")
    (tmp_path / "docs/tables.md").unlink()
    assert set(reference.stale(tmp_path)) == {"docs/cli.md", "docs/tables.md"}


def test_check_writes_nothing_and_exits_with_what_it_found(monkeypatch, capsys, tmp_path: Path):
    monkeypatch.setattr(reference, "SHIPPED", tmp_path)
    assert reference.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


# --------------------------------------------------------------------------- links


@pytest.mark.parametrize("page", [pytest.param(p, id=named(p)) for p in PAGES])
def test_links_and_pictures_exist(page: Path):
    for link in links(page):
        path, _, fragment = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)}: {link}"
        if fragment and target.suffix == ".md":
            assert fragment in {anchor(title) for _, title in headings(target)}, f"{named(page)}: {link}"


def test_every_page_can_be_reached_from_the_readme():
    reached, open_ = set(), [README]
    while open_:
        page = open_.pop()
        if page in reached:
            continue
        reached.add(page)
        open_ += [t for link in links(page) if (t := (page.parent / link.partition("#")[0]).resolve()).suffix == ".md"]
    assert set(PAGES) <= reached


def test_every_picture_is_shown():
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert set((ROOT / "docs" / "img").iterdir()) <= shown


# --------------------------------------------------------------------------- both languages say the same


WRITTEN_PAIRS = [pytest.param(en, zh, id=named(en)) for en, zh in PAIRS if f"docs/{en.name}" not in reference.PAGES]
"""Generated pages say the same by the way they are made."""


HOWTO = {"mart", "campaign", "backfill", "backup", "upgrade"}


def test_pages_of_the_readme_exist_in_both_languages():
    pages = {"README", "CONTRIBUTING", "tutorial", "own-app", "messages", "commands", "warehouse", "promises"}
    assert pages | HOWTO | {"configuration", "dagster", "tables", "dictionary"} == {en.stem for en, _ in PAIRS}


@pytest.mark.parametrize(("en", "zh"), WRITTEN_PAIRS)
def test_both_languages_have_the_same_sections(en: Path, zh: Path):
    assert [level for level, _ in headings(en)] == [level for level, _ in headings(zh)]


@pytest.mark.parametrize(("en", "zh"), WRITTEN_PAIRS)
@pytest.mark.parametrize("language", ["bash", "python", "text"])
def test_both_languages_show_the_same_code(language: str, en: Path, zh: Path):
    assert blocks(en, language) == blocks(zh, language)


@pytest.mark.parametrize(("en", "zh"), WRITTEN_PAIRS)
def test_both_languages_name_the_same_things(en: Path, zh: Path):
    def names(path: Path) -> set[str]:
        return set(re.findall(r"`([A-Za-z_][\w./-]*)`", prose(path)))

    assert names(en) == names(zh)


@pytest.mark.parametrize(("en", "zh"), WRITTEN_PAIRS)
def test_both_languages_link_the_same_pages(en: Path, zh: Path):
    def targets(path: Path) -> set[str]:
        return {link.partition("#")[0].replace(".zh-CN", "") for link in links(path)} - {""}

    assert targets(en) == targets(zh)


def test_the_readme_is_short():
    assert max(len(text_of(page).splitlines()) for page in (README, ROOT / "README.zh-CN.md")) <= 150


# --------------------------------------------------------------------------- commands


def command_lines() -> list[tuple[str, list[str]]]:
    """(page, words after ``douyin``) of each command in code blocks and between back quotes."""
    found = []
    for page in PAGES:
        if page.name == "cli.md":
            continue
        shown = "\n".join(blocks(page, "bash")) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", prose(page)))
        for m in re.finditer(r"(?:^|[\s/])douyin ([a-z]+[^\n]*)", shown):
            found.append((named(page), m[1].split(' "')[0].split()))
    return found


def test_commands_of_the_pages_exist():
    seen = set()
    for page, (command, *words) in command_lines():
        assert command in COMMANDS, f"{page}: douyin {command}"
        seen.add(command)
        of = COMMANDS[command]
        # A group may be named alone, and one that does something by itself with its own options.
        rest = list(words)
        while (
            (inner := getattr(of, "commands", {}))
            and rest
            and not (of.invoke_without_command and rest[0].startswith("-"))
        ):
            assert rest[0] in inner, f"{page}: douyin {command} {rest[0]}"
            of = inner[rest.pop(0)]
        known = {o for p in of.params for o in p.opts}
        assert {w for w in words if w.startswith("-")} <= known, f"{page}: douyin {command} {' '.join(words)}"
    assert seen == set(COMMANDS)


@pytest.mark.parametrize("page", ["docs/commands.md", "docs/commands.zh-CN.md"])
def test_the_page_of_commands_lists_every_command(page: str):
    listed = re.findall(r"^\| `douyin ([a-z]+)` \|", text_of(ROOT / page), re.MULTILINE)
    assert listed == list(COMMANDS)


def test_cli_reference_has_every_command_and_option():
    text = text_of(ROOT / "docs" / "cli.md")
    for name, command in COMMANDS.items():
        section = text.split(f"\n## douyin {name}\n")[1].split("\n## ")[0]
        for option in (o for p in command.params for o in p.opts if o.startswith("--")):
            assert option in section, f"douyin {name} {option}"


MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", [pytest.param(p, id=named(p)) for p in PAGES])
def test_make_targets_exist(page: Path):
    named_targets = [m for b in blocks(page, "bash") for m in re.findall(r"^make ([a-z-]+)", b, re.MULTILINE)]
    assert set(named_targets) <= MAKE_TARGETS


@pytest.mark.parametrize("page", ["docs/commands.md", "docs/commands.zh-CN.md"])
def test_the_page_of_commands_lists_every_make_target(page: str):
    listed = re.search(r"Make[^\n]*?[:：](.*)", text_of(ROOT / page))[1]
    assert set(re.findall(r"`([a-z-]+)`", listed)) == MAKE_TARGETS


def test_python_of_the_pages_opens_the_warehouse_in_beijing_time():
    examples = [b for page in PAGES for b in blocks(page, "python") if "duckdb.connect" in b]
    assert examples
    for block in examples:
        assert "SET TimeZone = 'Asia/Shanghai'" in block, block


def test_python_of_the_pages_compiles():
    for page in PAGES:
        for block in blocks(page, "python"):
            compile(block, named(page), "exec")


# --------------------------------------------------------------------------- nothing is left out


@pytest.mark.parametrize("page", ["docs/tables.md", "docs/tables.zh-CN.md"])
def test_every_table_is_documented_with_its_columns_and_operations(page: str):
    text = text_of(ROOT / page)
    for table in TABLES.values():
        section = text.split(f"\n### {table.name}\n")[1].split("\n## ")[0].split("\n### ")[0]
        assert table.zh in section
        columns = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert columns == list(table.fields)
        assert all(f"`{e.name}`" in section for e in SOURCES.values() if table.name in e.tables)


@pytest.mark.parametrize("page", ["docs/warehouse.md", "docs/warehouse.zh-CN.md"])
def test_the_page_of_the_warehouse_names_every_table(page: str):
    text = text_of(ROOT / page)
    assert [t for t in TABLES if f"`{t}`" not in text] == []


@pytest.mark.parametrize("page", ["docs/configuration.md", "docs/configuration.zh-CN.md"])
def test_the_page_of_settings_names_every_setting(page: str):
    named_settings = set(re.findall(r"`DOUYIN_([A-Z_0-9]+)`", text_of(ROOT / page)))
    assert named_settings == {s.upper() for s in Settings.model_fields}


@pytest.mark.parametrize("readme", [README, ROOT / "README.zh-CN.md"], ids=named)
def test_the_readme_names_the_withdrawn_operations(readme: Path):
    text = text_of(readme)
    withdrawn = [e for e in ENDPOINTS.values() if e.status == "withdrawn"]
    assert {e.name.split("_")[0] for e in withdrawn} == {"hotsearch", "billboard", "ent"}
    assert all(f"`{e.name}`" in text for e in withdrawn if e.domain != "billboard")
    assert "docs/coverage.md" in text, "the page that names all the others"


def test_every_operation_code_and_action_is_documented():
    text = text_of(ROOT / "docs" / "operations-reference.md")
    for endpoint in ENDPOINTS.values():
        (line,) = (x for x in text.splitlines() if x.startswith(f"| `{endpoint.name}` "))
        assert endpoint.path in line
        assert str(endpoint.status) in line
    assert {int(c) for c in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(ERRORS)
    assert all(f"| `{action}` |" in text for action in Action)


def test_every_event_is_documented_in_both_languages():
    text = text_of(ROOT / "docs" / "operations-reference.md").split("## Webhook events")[1].split("\n## ")[0]
    for event in EVENTS.values():
        (line,) = (x for x in text.splitlines() if x.startswith(f"| `{event.name.removeprefix('webhook_')}` "))
        assert all(word in line for word in (event.zh, event.doc_en, event.doc_zh, str(event.status), *event.tables))
        assert event.scope is None or f"`{event.scope}`" in line


def test_every_outcome_has_an_advice():
    reported = text_of(ROOT / "docs" / "operations.md").split("## Outcomes")[1].split("\n## ")[0]
    assert [o for o in Outcome if f"`{o}`" not in reported] == []
    assert [o for o in Outcome if f"| `{o}` |" not in text_of(ROOT / "docs" / "architecture.md")] == []


def test_every_fault_is_documented():
    listed = re.findall(r"^\| `(\w+)` \|", text_of(ROOT / "docs" / "sandbox.md").split("## Faults")[1], re.MULTILINE)
    assert listed == list(KINDS)


def test_sandbox_page_lists_the_flags():
    flags = re.findall(r"^\| `(--[\w-]+)` \|", text_of(ROOT / "docs" / "sandbox.md"), re.MULTILINE)
    assert flags == [p.opts[0] for p in COMMANDS["sandbox"].params]


def test_decisions_are_numbered_and_listed():
    folder = ROOT / "docs" / "decisions"
    records = sorted(p.name for p in folder.glob("0*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    assert [link for link in links(folder / "README.md") if link.startswith("0")] == records
    for name in records:
        assert [title for level, title in headings(folder / name) if level == 2] == [
            "Context",
            "Decision",
            "Consequences",
        ]


# --------------------------------------------------------------------------- nothing of ours

# Written in pieces, so that this file passes its own test.
_FORBIDDEN = re.compile(
    r"(?<![\w.~}/])/(?:" + "|".join(("work", "root", "home", "tmp", "Users")) + r")/\w"
    "|" + "|".join(("py" r"pi\.", "python" r"hosted\.", "registry" r"\.npmjs", "crates" r"\.io"))
)


def test_no_text_names_our_machines_or_a_registry():
    reported = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = reported.stdout.decode().split("\0") if reported.returncode == 0 else [named(p) for p in PAGES]
    found = []
    for path in (ROOT / n for n in names if n and (ROOT / n).is_file()):
        try:
            lines = text_of(path).splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        found += [f"{named(path)}:{n}" for n, line in enumerate(lines, 1) if _FORBIDDEN.search(line)]
    assert found == []
