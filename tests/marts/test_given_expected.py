"""Every mart, by small given and expected tables beside its SQL."""

from __future__ import annotations

import pytest
from given_expected import FOLDER, Case, build, load_cases, plain, same

from resources.warehouse.mart_files import load_marts

CASES = load_cases()


def test_every_mart_has_cases_and_every_case_a_mart():
    assert {c.mart for c in CASES} == set(load_marts())
    assert {p.stem for p in FOLDER.glob("*.yaml")} == set(load_marts())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_given_rows_give_the_expected_ones(case: Case, tmp_path):
    found = [{k: plain(v) for k, v in row.items()} for row in build(case, tmp_path)]
    named = [{k: row[k] for k in wanted} for wanted, row in zip(case.expected, found, strict=False)]
    assert len(found) == len(case.expected), found
    assert all(same(w[k], g[k]) for w, g in zip(case.expected, named, strict=True) for k in w), (
        f"expected {case.expected}, got {named}"
    )
