"""The page on new endpoints, followed step by step in a copy of the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto-endpoint.md").read_text(encoding="utf-8")
STEP = re.compile(r"(?:in `([^`\n]+)`[^\n]*:\n\n)?```(bash|diff)\n(.*?)```", re.DOTALL)
EDIT = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)+)", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Copy the files of the repository, those of the next commit included."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    return tmp_path


def run(command: str, checkout: Path) -> str:
    """Run a command of the page with the interpreter of the tests and the code of the copy."""
    tools = {"python": "", "douyin": " -m apps.cli.main", "ruff": " -m ruff"}
    command = re.sub(r"\.venv/bin/(\w+)", lambda m: f"'{sys.executable}'{tools[m[1]]}", command)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_HOME", "PYTEST_"))}
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=checkout,
        env=environment | {"PYTHONPATH": str(checkout), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def edit(file: Path, block: str) -> int:
    """Replace the lines of a block; return how many lines it adds."""
    text, added = file.read_text(encoding="utf-8"), 0
    for old, new in EDIT.findall(block):
        old, new = ("".join(f"{line[1:]}\n" for line in lines.splitlines()) for lines in (old, new))
        assert text.count(old) == 1, f"{file.name}: {old}"
        text, added = text.replace(old, new), added + new.count("\n")
    file.write_text(text, encoding="utf-8")
    return added


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_page_leads_to_rows_in_the_warehouse(checkout: Path):
    """Commands and edits are those of the page; its own commands run the tests of the catalogue and of the docs."""
    typed = 0
    for file, language, block in STEP.findall(PAGE):
        if language == "bash":
            said = "".join(run(line, checkout) for line in block.splitlines())
        else:
            typed += edit(checkout / file, block)
    assert "挑战 1" in said
    assert typed <= 45
    (partition,) = (checkout / "data" / "demo" / "lake" / "hot_challenges").glob("dt=*/data.parquet")
    landed = duckdb.read_parquet(str(partition)).aggregate("count(*), count(DISTINCT rank), min(source)").fetchone()
    with duckdb.connect(str(checkout / "data" / "demo" / "warehouse.duckdb"), read_only=True) as warehouse:
        published = warehouse.execute(
            "SELECT count(*), count(DISTINCT rank), min(source) FROM hot_challenges"
        ).fetchone()
    assert landed == published
    assert landed[0] >= 10
    assert landed[1:] == (10, "hotsearch_challenges")
    changed = run("git diff --name-only -- ':!docs' ':!README*' ':!catalog/contract/GUIDE.md' ':!*.ambr'", checkout)
    new = run("git ls-files -o --exclude-standard -- catalog sandbox", checkout)
    assert len(changed.split()) + len(new.split()) == 4
