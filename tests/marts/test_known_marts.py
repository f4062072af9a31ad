"""Compiled marts are cached by one process and read by the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import scaled

from resources.warehouse.mart_files import load_marts
from services.marts import binding
from services.marts.binding import bind, keep

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bound():
    return bind(load_marts())


@pytest.fixture
def known(bound, tmp_path: Path) -> Path:
    path = tmp_path / "home" / "cache" / "marts.json"
    keep(bound, path)
    return path


@pytest.fixture(autouse=True)
def another_process(bound, monkeypatch):
    """Forget this process's cached results for the length of a test."""
    monkeypatch.setattr(binding, "_bound", {})


def test_what_was_kept_is_what_was_bound(bound, known: Path):
    read = bind(load_marts(), known)
    assert list(read) == list(bound), "those that others read come first"
    for name, one in bound.items():
        assert (read[name].mart, read[name].sources, read[name].schema, read[name].uses_texts) == (
            one.mart,
            one.sources,
            one.schema,
            one.uses_texts,
        ), name
        assert read[name].schema.equals(one.schema, check_metadata=True)
        assert read[name].schemas == one.schemas, name
        assert read[name].lineage == one.lineage, name


def test_the_file_is_what_is_read(known: Path):
    reported = json.loads(known.read_bytes())
    reported["marts"]["video_daily"]["lineage"] = {"dt": [["main.videos", "title"]]}
    known.write_text(json.dumps(reported))
    assert bind(load_marts(), known)["video_daily"].lineage == {"dt": [("main.videos", "title")]}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": "of another version", "marts": {}}'])
def test_a_file_that_says_something_else_is_not_believed(bound, known: Path, content: str):
    known.write_text(content)
    assert {name: one.sources for name, one in bind(load_marts(), known).items()} == {
        name: one.sources for name, one in bound.items()
    }
    keep(bound, known)
    assert json.loads(known.read_bytes())["marts"].keys() == bound.keys()


def test_another_select_is_bound_anew(known: Path, tmp_path: Path):
    folder = tmp_path / "sql"
    folder.mkdir()
    for mart in load_marts().values():
        (folder / mart.path.name).write_text(mart.sql, encoding="utf-8")
    changed = folder / "account_daily.sql"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n-- one more line\n", encoding="utf-8")
    reported = json.loads(known.read_bytes())
    reported["marts"]["account_daily"]["sources"] = ["main.wrong"]
    known.write_text(json.dumps(reported))
    assert "main.wrong" not in bind(load_marts(folder), known)["account_daily"].sources


def test_what_is_kept_already_is_not_written_again(bound, known: Path):
    before = known.stat().st_mtime_ns
    keep(bound, known)
    assert known.stat().st_mtime_ns == before


@pytest.mark.slow
def test_definitions_load_neither_parser_nor_client_nor_frames(known: Path, tmp_path: Path):
    """Every run loads definitions in a new process; libraries of a step are imported by the step."""
    heavy = ("sqlglot", "duckdb", "pandas", "httpx", "jinja2", "altair", "marimo", "rich", "opencc", "rjieba")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "DOUYIN_HOME": str(known.parents[1]),
        "PYTHONPATH": str(ROOT),
    }
    code = (
        "import sys; from pipelines.code_location import repository; repository.load_all_definitions(); "
        f"print(sorted(set({heavy!r}) & sys.modules.keys()))"
    )
    reported = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=scaled(120),
        check=True,
    )
    assert reported.stdout.strip() == "[]"
