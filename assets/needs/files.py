"""The editable files of ``needs/``: rules, words and the lexicon of moods."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator

from resources.plain_yaml import BadFile, Strict, read_yaml
from resources.settings import Settings

NEEDS_DIR = Path(__file__).resolve().parents[2] / "needs"
RULES, USER_WORDS, STOP_WORDS, SENTIMENT, EVALUATION = "rules.yaml", "user_words.txt", "stop_words.txt", "sentiment.yaml", "evaluation.tsv"


class BadNeeds(BadFile):
    """A file of ``needs/`` that cannot be used."""


class Need(Strict):
    """One class: a comment has it where one of ``any`` is found and none of ``not``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    zh: str
    en: str
    any_: tuple[str, ...] = Field(alias="any", min_length=1)
    not_: tuple[str, ...] = Field(alias="not", default=())

    @field_validator("any_", "not_")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return value


class Rules(Strict):
    classes: tuple[Need, ...] = Field(min_length=1)

    @field_validator("classes")
    @classmethod
    def _ids_differ(cls, value: tuple[Need, ...]) -> tuple[Need, ...]:
        ids = [need.id for need in value]
        if twice := {i for i in ids if ids.count(i) > 1 or i == "other"}:
            raise ValueError(f"{', '.join(sorted(twice))}: each class has an id of its own, and other stands for comments without one")
        return value


class Moods(Strict):
    """Weights of words and faces."""

    positive: dict[str, float]
    negative: dict[str, float]
    negations: tuple[str, ...]
    degrees: dict[str, float]
    faces: dict[str, float]


@dataclass(frozen=True)
class Files:
    """All of a folder, read and checked."""

    rules: Rules
    moods: Moods
    user_words: tuple[tuple[str, int | None, str | None], ...]
    """(word, frequency, tag)"""
    stop_words: frozenset[str]


def needs_dir() -> Path:
    """The folder that the installation uses."""
    return Settings().needs_dir or NEEDS_DIR


def read_files(folder: Path) -> Files:
    """A folder.

    Raises:
        BadNeeds: a file is missing or not understood; the message names file and place.
    """
    words = []
    for number, line in _lines(folder / USER_WORDS):
        parts = line.split()
        if len(parts) > 3 or (len(parts) > 1 and not parts[1].isdigit()):
            raise BadNeeds(f"{folder / USER_WORDS}:{number}: a line is a word, or `word frequency tag`; got {line!r}")
        words.append((parts[0], int(parts[1]) if len(parts) > 1 else None, parts[2] if len(parts) > 2 else None))
    stop = frozenset(line for _, line in _lines(folder / STOP_WORDS))
    return Files(read_yaml(folder / RULES, Rules, BadNeeds), read_yaml(folder / SENTIMENT, Moods, BadNeeds), tuple(words), stop)


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadNeeds(f"{path}: cannot be read ({error})") from error
    return [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]


def hash_files(folder: Path) -> str:
    """A text that changes with every change of the files that labels are made by."""
    found = hashlib.sha256()
    for name in (RULES, USER_WORDS, STOP_WORDS, SENTIMENT):
        path = folder / name
        found.update(path.read_bytes() if path.exists() else b"")
    return found.hexdigest()[:16]
