"""Evaluate the rules: precision 准确率, recall 召回率 and F1 over ``needs/evaluation.tsv``.

Tuning and held-out lines are scored separately.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.comments.reading import Analyser
from services.comments.rules import EVALUATION, BadNeeds, text_lines

QUESTION = "is_question"
CERTAIN = 0.05
"""A sentiment closer to 0 than this counts as none."""


class Half(StrEnum):
    """The halves of the examples: rules are tuned on one and measured on both."""

    TUNE = "tune"
    HELD_OUT = "held-out"


class Sentiment(StrEnum):
    """The sentiment classes."""

    POSITIVE = "pos"
    NEGATIVE = "neg"
    NONE = "none"


@dataclass(frozen=True)
class Example:
    """One comment with the labels that a person gave it."""

    line: int
    text: str
    needs: frozenset[str]
    question: bool
    sentiment: Sentiment

    @property
    def half(self) -> Half:
        """Assign a half by the hash of the text, so that adding or moving lines does not affect the others."""
        return Half.TUNE if hashlib.sha256(self.text.encode()).digest()[0] % 2 else Half.HELD_OUT

    @property
    def labels(self) -> frozenset[str]:
        """Return all labels: needs, the question, the sentiment."""
        return labels_of(self.needs, self.question, self.sentiment)


@dataclass(frozen=True)
class Score:
    """Counts of a class: examples with the label (support), labelled by the rules (found), and correctly so (right)."""

    label: str
    support: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """Return the share of found examples that are right; None if nothing was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Return the share of the support that was found; None without support."""
        return self.right / self.support if self.support else None

    @property
    def f1(self) -> float:
        """Return 2·right / (found + support), or 0 if both are 0."""
        return 2 * self.right / (self.found + self.support) if self.found + self.support else 0.0


@dataclass(frozen=True)
class Wrong:
    """A comment with labels that were missed or made up."""

    example: Example
    missed: frozenset[str]
    made_up: frozenset[str]


@dataclass(frozen=True)
class Evaluation:
    """Scores of one part of the examples; labels of sentiments begin with ``sentiment:``."""

    examples: int
    scores: tuple[Score, ...]
    wrong: tuple[Wrong, ...]

    @property
    def needs_f1(self) -> float:
        """Return the mean F1 over need classes that have examples (macro)."""
        return _mean(s.f1 for s in self.scores if s.label != QUESTION and ":" not in s.label and s.support)

    @property
    def sentiment_f1(self) -> float:
        """Return the mean F1 over pos, neg and none (macro)."""
        return _mean(s.f1 for s in self.scores if ":" in s.label and s.support)

    @property
    def question_f1(self) -> float:
        """Return the F1 of the question label."""
        return next(s.f1 for s in self.scores if s.label == QUESTION)


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def labels_of(needs: Iterable[str], question: bool, sentiment: Sentiment) -> frozenset[str]:
    """Combine needs, question and sentiment into labels."""
    return frozenset(needs) | ({QUESTION} if question else set()) | {f"sentiment:{sentiment}"}


def sentiment_of(value: float | None) -> Sentiment:
    """Classify a value of ``comment_sentiment``."""
    if value is None or abs(value) < CERTAIN:
        return Sentiment.NONE
    return Sentiment.POSITIVE if value > 0 else Sentiment.NEGATIVE


def load_examples(folder: Path, known: Sequence[str]) -> list[Example]:
    """Load the examples of ``evaluation.tsv``; ``known`` are the ids of the need classes.

    Raises:
        BadNeeds: a line is invalid; the message has its number and what to write.
    """
    path = folder / EVALUATION
    found: list[Example] = []
    first: dict[str, int] = {}
    for number, line in text_lines(path):
        place, cells = f"{path}:{number}", line.split("\t")
        if len(cells) != 4:
            raise BadNeeds(
                f"{place}: {len(cells)} cells: write text, needs, is_question and sentiment with a tab between"
            )
        text, needs, question, sentiment = (c.strip() for c in cells)
        ids = [] if needs == "-" else needs.split(",")
        if unknown := [i for i in ids if i not in known]:
            raise BadNeeds(
                f"{place}: {', '.join(unknown) or 'nothing'} is no need class of rules.yaml: write some "
                f"of {', '.join(known)}, or -"
            )
        if question not in ("0", "1"):
            raise BadNeeds(f"{place}: is_question is {question!r}: write 1 or 0")
        if sentiment not in list(Sentiment):
            raise BadNeeds(f"{place}: sentiment is {sentiment!r}: write {', '.join(Sentiment)}")
        if text in first:
            raise BadNeeds(f"{place}: {text} stands in line {first[text]}, too: take one out")
        first[text] = number
        found.append(Example(number, text, frozenset(ids), question == "1", Sentiment(sentiment)))
    if not found:
        raise BadNeeds(
            f"{path}: holds no comment: write some, with a tab between text, needs, is_question and sentiment"
        )
    return found


def evaluate(analyser: Analyser, examples: Sequence[Example]) -> Evaluation:
    """Score the rules over ``examples``: each need class in the order of the rules, the question, three sentiments."""
    texts = [e.text for e in examples]
    answers = zip(analyser.needs(texts), analyser.questions(texts), analyser.sentiments(texts), strict=True)
    given = [labels_of(needs, question, sentiment_of(value)) for needs, question, value in answers]
    pairs = list(zip(examples, given, strict=True))
    labels = [*(n.id for n in analyser.classes), QUESTION, *(f"sentiment:{s}" for s in Sentiment)]
    scores = tuple(
        Score(
            label,
            sum(label in e.labels for e in examples),
            sum(label in labels_ for labels_ in given),
            sum(label in e.labels and label in g for e, g in pairs),
        )
        for label in labels
    )
    wrong = tuple(Wrong(e, e.labels - g, g - e.labels) for e, g in pairs if e.labels != g)
    return Evaluation(len(examples), scores, wrong)
