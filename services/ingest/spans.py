"""Group days into ranges, for runs and for messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

DAY = timedelta(days=1)


def spans(days: Iterable[date], step: timedelta = DAY) -> list[tuple[date, date]]:
    """Group ascending days into ranges without a gap larger than ``step``."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] <= step:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def chunks(days: Iterable[date], longest: int) -> list[tuple[date, date]]:
    """Group ascending days into ranges without a gap, of at most ``longest`` days."""
    found = []
    for first, last in spans(days):
        while (last - first).days >= longest:
            found.append((first, first + timedelta(days=longest - 1)))
            first += timedelta(days=longest)
        found.append((first, last))
    return found


def span_text(days: list[date]) -> str:
    """Format days as one range, or as a count within a range."""
    if not days:
        return "none"
    if len(days) == 1:
        return days[0].isoformat()
    return (
        f"{min(days)} … {max(days)}"
        if len(days) == (max(days) - min(days)).days + 1
        else f"{len(days)} of {min(days)} … {max(days)}"
    )


def grouped(reasons: Mapping[date, str]) -> dict[str, list[date]]:
    """Group days by their text."""
    found: dict[str, list[date]] = {}
    for day, reason in reasons.items():
        found.setdefault(reason, []).append(day)
    return found
