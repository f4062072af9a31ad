"""Codes and their actions against GUIDE section 4, by reading its table."""

from __future__ import annotations

import re

import pytest
from contract_reading import FOLDER

from catalog.errors import ERRORS, Action, error_for

_CODE = re.compile(r"\d+")


def guide_rows() -> list[tuple[list[int], str]]:
    """(codes, action text) per line of the guide's table; ranges such as 2190005-2190007 written out."""
    section = (FOLDER / "GUIDE.md").read_text(encoding="utf-8").split("\n## 4. ")[1].split("\n## 5. ")[0]
    rows = []
    for line in section.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if not line.startswith("|") or not cells[0][:1].isdigit():
            continue
        assert len(cells) == 3, line
        codes: list[int] = []
        for part in re.split(r"[,/]", cells[0]):
            first, *last = (int(n) for n in _CODE.findall(part))
            codes += range(first, (last or [first])[0] + 1)
        rows.append((codes, cells[2]))
    return rows


GUIDE = {code: text for codes, text in guide_rows() for code in codes}

LETTERS = {
    "R": {Action.RETRY},
    "T": {Action.REFRESH},
    "U": {Action.RECONSENT},
    "Q": {Action.QUOTA},
    "S": {Action.SKIP},
    "-": {Action.ACCEPT},
    "A": {Action.ALERT},
}


def permitted(code: int) -> set[Action]:
    """Return the actions that the guide's text allows for a code."""
    text = GUIDE[code]
    own = re.search(rf"\(([\d, ]*\b{code}\b[\d, ]*): (\w)", text)
    if own:
        return LETTERS[own[2]]
    if text.startswith("stop the account"):
        return {Action.STOP_ACCOUNT}
    if text.startswith("slow down"):
        return {Action.SLOW_DOWN}
    if text.startswith("A, disable"):
        return {Action.DISABLE}
    if text.startswith("A, stop all jobs of the app"):
        return {Action.STOP_APP}
    letters = re.match(r"([RTUASQ-])(?: / ([RTUASQ]))?(?=$|[ ,])", text)
    assert letters, f"the tests do not understand {text!r}"
    return set().union(*(LETTERS[letter] for letter in letters.groups() if letter))


def test_the_table_was_read():
    assert len(GUIDE) == sum(len(codes) for codes, _ in guide_rows()) > 70
    assert {2111001, 2111004, 2111007, 2190006, 28003080, 28003081, 0} <= set(GUIDE)


def test_the_same_codes_stand_in_the_guide_and_in_the_catalogue():
    assert set(ERRORS) == set(GUIDE)


@pytest.mark.parametrize("code", sorted(GUIDE))
def test_action(code: int):
    assert ERRORS[code].action in permitted(code), f"the guide says: {GUIDE[code]}"


@pytest.mark.parametrize("code", sorted(GUIDE))
def test_tries(code: int):
    known = ERRORS[code]
    if known.action is Action.RETRY:
        assert known.tries == (3 if "R twice" in GUIDE[code] else 5)
    elif known.action is Action.REFRESH:
        assert known.tries == 2, "refreshed, and once more"
    elif known.action is Action.SLOW_DOWN:
        assert known.tries > 1
    else:
        assert known.tries == 1, f"{known.action} does not ask again"


@pytest.mark.parametrize("code", sorted(GUIDE))
def test_every_code_says_what_it_means_and_what_to_do(code: int):
    known = ERRORS[code]
    assert known.code == code
    assert known.meaning
    assert known.action is Action.ACCEPT or known.advice.endswith((".", "`."))


def test_only_success_is_accepted():
    assert [c for c, e in ERRORS.items() if e.action is Action.ACCEPT] == [0]


@pytest.mark.parametrize("code", [1, -1, 2190016, 99999999])
def test_an_unknown_code_alerts_after_two_retries(code: int):
    assert code not in ERRORS
    found = error_for(code)
    assert (found.code, found.action, found.tries) == (code, Action.ALERT, 3)
    assert found.advice


def test_a_known_code_gives_its_record():
    assert all(error_for(code) is known for code, known in ERRORS.items())
