"""Parse the editable files of ``needs/``, strictly: need classes 需求分类, sentiment 情感词, user and stop words.

An unusable file is an error with file, line and entry that says what to do.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from resources.config.project import SHIPPED
from resources.config.settings import Settings

RULES, SENTIMENT, USER_WORDS, STOP_WORDS, EVALUATION = (
    "rules.yaml",
    "sentiment.yaml",
    "user_words.txt",
    "stop_words.txt",
    "evaluation.tsv",
)
VERSION = 2
"""Increase it when code changes the results of the text functions: marts compare :func:`fingerprint`."""


_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Both loaders give the same trees; the one in C, part of PyYAML's wheels, is ten times faster."""


class BadNeeds(ValueError):
    """An unusable file of ``needs/``; the message names file, line, entry and what to do."""


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _expression(pattern: str) -> str:
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if found.search("") and not re.search(r"[\^$]", pattern):
        raise ValueError(f"{pattern!r} fits every comment, the empty one too: make it ask for something")
    if re.search(r"\\[1-9]|\(\?P", pattern):
        raise ValueError(
            f"{pattern!r}: patterns are put together, so groups have no numbers or names: write the repetition out"
        )
    if re.search(r"(?<!\\)[A-Z]", pattern):
        raise ValueError(f"{pattern!r}: comments are read in lower case; write it so")
    return pattern


def _something(word: str) -> str:
    if not word:
        raise ValueError("an empty word fits every comment: take it out")
    return word


Word = Annotated[str, AfterValidator(_something)]
Expression = Annotated[str, AfterValidator(_expression)]


class Patterns(_StrictModel):
    """Words and regular expressions, one of which must match.

    Text that matches ``except`` is removed first.
    """

    words: list[Word] = Field(default_factory=list)
    patterns: list[Expression] = Field(default_factory=list)
    except_: list[Expression] = Field(default_factory=list, alias="except")

    @field_validator("words")
    @classmethod
    def _said_once(cls, value: list[str]) -> list[str]:
        if twice := sorted({w for w in value if value.count(w) > 1}):
            raise ValueError(f"{', '.join(twice)}: stands twice; take one out")
        return value

    @model_validator(mode="after")
    def _looks_for_something(self) -> Patterns:
        if not (self.words or self.patterns):
            raise ValueError("name words or patterns; without them it never fits")
        return self


class Need(Patterns):
    """One need class."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    words_beside: list[str] = Field(default_factory=list)
    """Ids of classes beside which faces do not make this one: only its words do."""


class Rules(_StrictModel):
    """Contents of ``rules.yaml``."""

    question: Patterns
    needs: list[Need] = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> Rules:
        ids = [n.id for n in self.needs]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"two needs are called {', '.join(twice)}")
        if unknown := sorted({i for n in self.needs for i in n.words_beside} - {*ids}):
            raise ValueError(
                f"words_beside names {', '.join(unknown)}, which is no need: write one of {', '.join(ids)}"
            )
        return self


class WeightedWord(_StrictModel):
    """Words of the same weight."""

    weight: float = Field(gt=0, le=5)
    words: list[Word] = Field(min_length=1)


class Face(_StrictModel):
    """A [表情] and the equivalent emoji; its weight is like that of a word, below 0 for displeasure.

    Polite ones do not count beside a request.
    """

    face: str = Field(min_length=1, max_length=8)
    weight: float = Field(ge=-5, le=5)
    emoji: list[str] = Field(default_factory=list)
    polite: bool = False


class Lexicon(_StrictModel):
    """Contents of ``sentiment.yaml``."""

    positive: list[WeightedWord]
    negative: list[WeightedWord]
    neutral: list[Word] = Field(default_factory=list)
    negations: list[Word]
    degrees: list[WeightedWord]
    contrasts: list[Word]
    ironies: list[Word]
    requests: list[Word]
    faces: list[Face]

    @property
    def words(self) -> list[str]:
        """List the words that must be distinct: all but those of ironies, requests and faces."""
        return [w for group in (*self.positive, *self.negative, *self.degrees) for w in group.words] + [
            *self.neutral,
            *self.negations,
            *self.contrasts,
        ]

    @model_validator(mode="after")
    def _one_meaning(self) -> Lexicon:
        said = self.words
        if twice := sorted({w for w in said if said.count(w) > 1}):
            raise ValueError(
                f"{', '.join(twice)}: stands in two lists or twice in one; a word has one meaning, take the others out"
            )
        signs = [sign for f in self.faces for sign in (f"[{f.face}]", *f.emoji)]
        if twice := sorted({s for s in signs if signs.count(s) > 1}):
            raise ValueError(f"{', '.join(twice)}: two faces share it; take one out")
        if wrong := sorted(s for s in signs if not s.startswith("[") and len(s) != 1):
            raise ValueError(
                f"{', '.join(wrong)}: an emoji is one character here; leave skin tones and joiners away, "
                "they are dropped before"
            )
        return self


@dataclass(frozen=True)
class UserWord:
    """A name that the segmentation keeps whole.

    ``frequency`` and ``tag`` are those of jieba's own dictionary; None means as high as needed.
    """

    word: str
    frequency: int | None
    tag: str | None


def needs_dir(settings: Settings) -> Path:
    """Return the folder of the editable files: ``DOUYIN_NEEDS_DIR``, or ``needs/`` of the repository."""
    return settings.needs_dir or SHIPPED / "needs"


def fingerprint(folder: Path | None = None) -> str:
    """Hash the editable files, the versions of the libraries, and :data:`VERSION` to 16 hexadecimal digits.

    Raises:
        BadNeeds: a file is missing.
    """
    folder = folder or SHIPPED / "needs"
    digest = hashlib.sha256(f"{VERSION} rjieba {version('rjieba')} opencc {version('opencc')}".encode())
    for name in (RULES, SENTIMENT, USER_WORDS, STOP_WORDS):
        content = _bytes(folder / name)
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def load_rules(folder: Path) -> Rules:
    """Load ``rules.yaml``."""
    return _read(folder / RULES, Rules)


def load_lexicon(folder: Path) -> Lexicon:
    """Load the sentiment lexicon."""
    return _read(folder / SENTIMENT, Lexicon)


def load_user_words(folder: Path) -> list[UserWord]:
    """Load the user words: ``word [frequency [tag]]``, one per line."""
    found: dict[str, UserWord] = {}
    for number, text in text_lines(folder / USER_WORDS):
        place = f"{folder / USER_WORDS}:{number}"
        match = re.fullmatch(r"(\S+)(?:\s+(\d+))?(?:\s+([a-z]+))?", text)
        if not match:
            raise BadNeeds(
                f"{place}: {text!r}: write a word without spaces, then if you like a frequency "
                "and a tag: 兰朵咖啡 1000 nz"
            )
        word = match[1].lower()
        if word in found:
            raise BadNeeds(f"{place}: {word} stands above, too: take one out")
        found[word] = UserWord(word, int(match[2]) if match[2] else None, match[3])
    return list(found.values())


def load_stop_words(folder: Path) -> list[str]:
    """Load the stop words, one per line."""
    found: dict[str, int] = {}
    for number, text in text_lines(folder / STOP_WORDS):
        if text.lower() in found:
            raise BadNeeds(
                f"{folder / STOP_WORDS}:{number}: {text} stands in line {found[text.lower()]}, too: take one out"
            )
        found[text.lower()] = number
    return list(found)


def text_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor ``#`` comments, with their numbers."""
    try:
        lines = _bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadNeeds(f"{path}: is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    return [(n, line.strip()) for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]


def line_of(path: Path, word: str) -> int:
    """Return the number of the first line with ``word`` outside comments; 1 if there is none."""
    return next((n for n, line in text_lines(path) if word in line or word in line.lower()), 1)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadNeeds(
            f"{path}: cannot be read ({error.strerror}): DOUYIN_NEEDS_DIR must name a folder like needs/ "
            "of the repository"
        ) from error


def _read(path: Path, model: type[_StrictModel]) -> Any:
    try:
        node = yaml.compose(_bytes(path).decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise BadNeeds(f"{path}: is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise BadNeeds(f"{path}: is no YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise BadNeeds(f"{path}: must hold names and values")
    lines: dict[tuple[str | int, ...], int] = {}
    document = _plain(path, node, (), lines)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = []
        for e in error.errors():
            place = e["loc"]
            while place and place not in lines:
                place = place[:-1]
            named = ".".join(str(p) for p in e["loc"]) or "the file"
            problems.append(
                f"{path}:{lines.get(place, 1)}: {_named(document, e['loc'], named)}: "
                f"{e['msg'].removeprefix('Value error, ')}"
            )
        raise BadNeeds("\n".join(problems)) from error


def _named(document: Any, place: tuple[str | int, ...], shown: str) -> str:
    """Describe a place by the id of its need, which is easier to find than its index."""
    if len(place) > 1 and place[0] == "needs" and isinstance(place[1], int):
        entry = document["needs"][place[1]]
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            return ".".join(["needs", entry["id"], *(str(p) for p in place[2:])])
    return shown


def _plain(path: Path, node: yaml.Node, place: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    """Convert a YAML tree to lists, dictionaries and texts.

    All scalars are texts, so that 666 and ``on`` are words. The line of each place is added to ``lines``.
    """
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, child, (*place, n), lines) for n, child in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key, child in node.value:
        if key.value in found:
            raise BadNeeds(f"{path}:{key.start_mark.line + 1}: {key.value} is said twice: put both together")
        found[key.value] = _plain(path, child, (*place, key.value), lines)
    return found


def class_names(folder: Path | None = None) -> dict[str, tuple[str, str]]:
    """Map the id of each need to its names in Chinese and English; ``other`` is for comments without a need."""
    return {need.id: (need.zh, need.en) for need in load_rules(folder or SHIPPED / "needs").needs} | {
        "other": ("其他", "Other")
    }
