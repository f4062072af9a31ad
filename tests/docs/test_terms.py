"""Product, documentation and messages use the field's standard terms; class names are unique.

The words below were private terms of this project. Each of them reads like a riddle to a newcomer, and no search finds
the thing by it.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("apps", "assets", "catalog", "pipelines", "resources", "sandbox", "services")
WORDS = (
    *("told", "tell", "tells", "telling", "held", "asked", "asking", "door", "doors", "room", "rooms", "house"),
    *("elder", "eldest", "let go", "nobody", "somebody", "truly", "in silence", "without a word"),
)
_WORD = re.compile(rf"(?<![\w-])(?:{'|'.join(WORDS)})(?![\w-])", re.IGNORECASE)
ALLOWED = {
    r"reasons in the quarantine are bytes of the lake": (
        r"services/ingest/rows.py|tests/.*",
        r"cannot be told from others|was not asked for",
    ),
    r"a word in the state database of every home": (
        r"services/outreach/replies.py|tests/.*",
        r"asked for it",
    ),
    r"a label of a metric that monitoring queries": (
        r"apps/receiver/protection.py|docs/outreach(.zh-CN)?.md|tests/outreach/.*",
        r"no room",
    ),
    r"a member of campaign files": (
        r"services/outreach/(campaigns|planning).py|docs/outreach(.zh-CN)?.md|campaigns/.*\.yaml|tests/outreach/.*",
        r"\bdoor\b",
    ),
    r"the platform's word for a broadcast (直播间)": (r"catalog/fields.py|docs/(tables|dictionary).md", r"live room"),
    r"a change of a mart's or a rule's text has all its days built again": (
        r"sql/marts/.*|needs/.*|docs/(dictionary|tables).md",
        r"\w+",
    ),
    r"this list": ("tests/docs/test_terms.py", r".*"),
    r"a half of the evaluation that tuning does not see": ("docs/needs.md", r"held out"),
}
"""For each reason: the files, and what may stand there. The changelog tells history in its own words."""


def texts() -> list[Path]:
    """Everything that is tracked, but the history of the changelog and the platform's own contract."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    kinds = (".py", ".md", ".sql", ".yaml", ".toml")
    return [ROOT / f for f in tracked if f.endswith(kinds) and not f.startswith(("CHANGELOG", "catalog/contract"))]


def is_allowed(file: str, line: str, start: int, end: int) -> bool:
    for files, phrase in ALLOWED.values():
        if re.fullmatch(files, file) and any(
            m.start() <= start and end <= m.end() for m in re.finditer(phrase, line, re.IGNORECASE)
        ):
            return True
    return False


@pytest.mark.parametrize("path", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in texts()])
def test_terms_are_standard(path: Path):
    file = str(path.relative_to(ROOT))
    found = [
        f"{file}:{number}: {match[0]!r} in {line.strip()[:100]}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in _WORD.finditer(line)
        if not is_allowed(file, line, *match.span())
    ]
    assert found == []


def test_each_allowance_is_needed():
    """An allowance that nothing needs any more is taken out."""
    unused = [
        reason
        for reason, (files, phrase) in ALLOWED.items()
        if not any(
            re.fullmatch(files, str(p.relative_to(ROOT))) and re.search(phrase, p.read_text(encoding="utf-8"), re.I)
            for p in texts()
        )
    ]
    assert unused == []


def test_class_names_are_unique():
    places = defaultdict(list)
    for path in (p for p in texts() if p.relative_to(ROOT).parts[0] in PACKAGES and p.suffix == ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
