"""What a check of the installation shows, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``douyin doctor``; ``advice`` is the command or console page that mends it."""

    level: Level
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def note(what: str, advice: str) -> Finding:
    """Nothing is wrong; a person may want to know."""
    return Finding(Level.NOTE, what, advice)


def warn(what: str, advice: str) -> Finding:
    return Finding(Level.WARN, what, advice)


def failure(what: str, advice: str) -> Finding:
    return Finding(Level.FAIL, what, advice)
