"""docs/performance.md matches the saved figures and notes, and lists missed bars."""

from __future__ import annotations

import json

import pytest

from benchmarks.all import MEASURED, SCRIPTS
from benchmarks.page import PAGE, page

FOUND = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in MEASURED.glob("*.json")}


def test_the_page_is_made_from_the_kept_figures():
    assert PAGE.read_text(encoding="utf-8") == page(MEASURED, SCRIPTS), "run `python -m benchmarks.all --page`"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_has_figures_and_says_why_where_it_falls_short(name: str):
    figures = FOUND[name]["figures"]
    assert figures
    assert all(figure["met"] or figure["why"] for figure in figures)
