"""Represent the findings of ``douyin doctor``."""

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
    """One line of ``douyin doctor``; ``advice`` names the command or console page that fixes it."""

    level: Level
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    """Report that something is in order."""
    return Finding(Level.OK, what)


def note(what: str, advice: str) -> Finding:
    """Report something that is not wrong but that a person may want to know."""
    return Finding(Level.NOTE, what, advice)


def warn(what: str, advice: str) -> Finding:
    """Report something that needs attention soon."""
    return Finding(Level.WARN, what, advice)


def failure(what: str, advice: str) -> Finding:
    """Report something that is wrong; ``douyin doctor`` then fails."""
    return Finding(Level.FAIL, what, advice)
