"""The rules classify the comments of the evaluation as well as before, and the scores are computed correctly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.comments.evaluate import CERTAIN, Half, Score, Sentiment, evaluate, load_examples, sentiment_of
from services.comments.reading import analyser
from services.comments.rules import SHIPPED, BadNeeds

OURS = SHIPPED / "needs"
FLOORS = {Half.TUNE: (0.95, 0.97, 0.91), Half.HELD_OUT: (0.88, 0.95, 0.80)}
"""Mean F1 of needs, F1 of questions, mean F1 of sentiment: what was reached less 0.02. Raise them with the rules."""
CLASSES = ["ask_price", "praise"]


@pytest.fixture(scope="module")
def examples():
    return load_examples(OURS, [need.id for need in analyser().classes])


def test_the_set_is_large_and_has_every_class_in_both_halves(examples):
    assert len(examples) >= 300
    for half in Half:
        lines = [e for e in examples if e.half is half]
        assert len(lines) > 0.3 * len(examples)
        for need in analyser().classes:
            assert sum(need.id in e.needs for e in lines) >= 3, (half, need.id)
        assert {e.sentiment for e in lines} == set(Sentiment)


@pytest.mark.parametrize("half", Half)
def test_the_rules_read_as_well_as_they_did(examples, half: Half):
    found = evaluate(analyser(), [e for e in examples if e.half is half])
    reached = (found.needs_f1, found.question_f1, found.sentiment_f1)
    assert all(r >= f for r, f in zip(reached, FLOORS[half], strict=True)), reached
    assert all(r <= f + 0.06 for r, f in zip(reached, FLOORS[half], strict=True)), (
        f"better than the floors, {reached}: raise them"
    )


def test_the_documentation_states_the_numbers(examples):
    page = (SHIPPED / "docs" / "needs.md").read_text(encoding="utf-8")
    reported = {half: evaluate(analyser(), [e for e in examples if e.half is half]) for half in Half}
    for name, of in (
        ("mean F1 of needs", "needs_f1"),
        ("F1 of questions", "question_f1"),
        ("mean F1 of sentiment", "sentiment_f1"),
    ):
        (row,) = re.findall(rf"^\| {name} \| ([\d.]+) \| ([\d.]+) \|", page, re.MULTILINE)
        assert row == tuple(f"{getattr(reported[half], of):.2f}" for half in Half), name
    (row,) = re.findall(r"^\| comments \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    assert row == tuple(str(reported[half].examples) for half in Half)


def test_scores():
    assert (Score("x", 4, 3, 2).precision, Score("x", 4, 3, 2).recall, Score("x", 4, 3, 2).f1) == (2 / 3, 0.5, 4 / 7)
    assert (Score("x", 0, 0, 0).precision, Score("x", 0, 0, 0).recall, Score("x", 0, 0, 0).f1) == (None, None, 0)
    assert [sentiment_of(v) for v in (None, 0.0, CERTAIN / 2, CERTAIN, -CERTAIN)] == [
        "none",
        "none",
        "none",
        "pos",
        "neg",
    ]


def write(folder: Path, *lines: str) -> Path:
    (folder / "evaluation.tsv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_what_was_missed_and_made_up(tmp_path: Path):
    folder = write(
        tmp_path, "# remark", "多少钱\task_price\t1\tnone", "太好看了\task_price\t1\tneg", "路过\t-\t0\tnone"
    )
    found = evaluate(analyser(), load_examples(folder, CLASSES))
    (wrong,) = found.wrong
    assert (wrong.example.line, wrong.missed, wrong.made_up) == (
        3,
        {"ask_price", "is_question", "sentiment:neg"},
        {"praise", "sentiment:pos"},
    )
    price = next(s for s in found.scores if s.label == "ask_price")
    assert (price.support, price.found, price.right) == (2, 1, 1)
    assert found.needs_f1 == price.f1 == found.question_f1


def test_a_text_stays_in_its_half_wherever_it_stands(tmp_path: Path):
    first = load_examples(write(tmp_path, "多少钱\t-\t1\tnone", "路过\t-\t0\tnone"), CLASSES)
    then = load_examples(write(tmp_path, "新的\t-\t0\tnone", "路过\t-\t0\tnone", "多少钱\task_price\t0\tpos"), CLASSES)
    assert {e.text: e.half for e in first}.items() <= {e.text: e.half for e in then}.items()


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("多少钱", "1 cells: write text, needs, is_question and sentiment"),
        (
            "多少钱\task_prise\t1\tnone",
            "ask_prise is no need class of rules.yaml: write some of ask_price, praise, or -",
        ),
        ("多少钱\task_price\tyes\tnone", "is_question is 'yes': write 1 or 0"),
        ("多少钱\task_price\t1\tgood", "sentiment is 'good': write pos, neg, none"),
        ("路过\t-\t0\tnone", "路过 stands in line 2, too: take one out"),
    ],
)
def test_a_bad_line_is_reported_with_its_number(tmp_path: Path, line: str, reported: str):
    with pytest.raises(BadNeeds) as error:
        load_examples(write(tmp_path, "# remark", "路过\t-\t0\tnone", line), CLASSES)
    assert str(error.value).startswith(f"{tmp_path / 'evaluation.tsv'}:3: {reported}")


def test_an_empty_file_is_reported(tmp_path: Path):
    with pytest.raises(BadNeeds, match="holds no comment"):
        load_examples(write(tmp_path, "# remark"), CLASSES)
