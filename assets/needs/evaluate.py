"""How well the rules read comments: precision and recall against an evaluation set that lies in the repository.

The lines are parted once and for all by a hash: rules are tuned on one half only, the other is held out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from assets.needs.files import EVALUATION, BadNeeds
from assets.needs.reading import Reader

_MOODS = {"+": 1, "0": 0, "-": -1}


@dataclass(frozen=True, slots=True)
class Line:
    """An invented comment and what a person reads in it; ``mood`` is 1, 0 or -1."""

    text: str
    needs: frozenset[str]
    is_question: bool
    mood: int

    @property
    def is_held_out(self) -> bool:
        return zlib.crc32(self.text.encode()) % 2 == 1


@dataclass
class Score:
    """Counts of one class. Ratios are None where nothing can be divided."""

    right: int = 0
    too_many: int = 0
    missed: int = 0

    @property
    def support(self) -> int:
        return self.right + self.missed

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.too_many) if self.right + self.too_many else None

    @property
    def recall(self) -> float | None:
        return self.right / self.support if self.support else None

    @property
    def f1(self) -> float | None:
        p, r = self.precision, self.recall
        return None if p is None or r is None or p + r == 0 else 2 * p * r / (p + r)

    def count(self, said: bool, wanted: bool) -> None:
        self.right += said and wanted
        self.too_many += said and not wanted
        self.missed += wanted and not said


@dataclass
class Result:
    """Scores by class, ``question``, ``mood +`` and ``mood -``; and the lines that were got wrong, with what was said."""

    lines: int = 0
    scores: dict[str, Score] = field(default_factory=dict)
    wrong: list[tuple[Line, str]] = field(default_factory=list)

    def macro_f1(self, names: Iterable[str]) -> float:
        """Mean F1 of classes; a class without a right line counts as 0."""
        found = [self.scores[n].f1 or 0.0 for n in names if n in self.scores and self.scores[n].support]
        return sum(found) / len(found)


def read_lines(folder: Path) -> list[Line]:
    """The evaluation set.

    Raises:
        BadNeeds: a line has not four columns; the message names it.
    """
    path = folder / EVALUATION
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 4 or parts[2] not in ("0", "1") or parts[3] not in _MOODS:
            raise BadNeeds(f"{path}:{number}: a line is comment, needs, 0 or 1, and + 0 or -, with tabs between them")
        needs = frozenset() if parts[1] == "-" else frozenset(parts[1].split(","))
        found.append(Line(parts[0], needs, parts[2] == "1", _MOODS[parts[3]]))
    return found


def evaluate(reader: Reader, lines: Iterable[Line], classes: Iterable[str]) -> Result:
    """Read each line and count. Mood is taken as + above 0.1 and - below -0.1."""
    classes = list(classes)
    result = Result(scores={name: Score() for name in (*classes, "question", "mood +", "mood -")})
    for line in lines:
        result.lines += 1
        said = reader.read(line.text)
        mood = 0 if said.sentiment is None or abs(said.sentiment) <= 0.1 else 1 if said.sentiment > 0 else -1
        for name in classes:
            result.scores[name].count(name in said.needs, name in line.needs)
        result.scores["question"].count(said.is_question, line.is_question)
        result.scores["mood +"].count(mood == 1, line.mood == 1)
        result.scores["mood -"].count(mood == -1, line.mood == -1)
        if (set(said.needs), said.is_question, mood) != (set(line.needs), line.is_question, line.mood):
            result.wrong.append((line, f"{','.join(said.needs) or '-'} {int(said.is_question)} {'0+-'[mood]}"))
    return result
