"""Keep the sandbox's clock, and count days in Beijing as integers.

Instants inside the sandbox are epoch seconds (float). A *day* is the number of the Beijing day since 1970-01-01, so
days can be added and compared.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from functools import lru_cache

from catalog.records import BEIJING

DAY_S = 86_400
HOUR_S = 3_600
_BEIJING_S = 8 * HOUR_S
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
READY_HOUR = 10
"""Beijing hour from which yesterday's data (T+1) and today's billboards are available."""


def day_of(instant: float) -> int:
    """Return the Beijing day of an instant."""
    return int((instant + _BEIJING_S) // DAY_S)


def day_start(day: int) -> int:
    """Return the epoch seconds of midnight in Beijing at the start of ``day``."""
    return day * DAY_S - _BEIJING_S


def seconds_of_day(instant: float) -> float:
    """Return the seconds since midnight in Beijing."""
    return (instant + _BEIJING_S) % DAY_S


@lru_cache(maxsize=8192)
def day_text(day: int) -> str:
    """Format a day as ``yyyy-MM-dd``."""
    return date_of(day).isoformat()


def date_of(day: int) -> date:
    """Convert the number of a day to a calendar day."""
    return date.fromordinal(_EPOCH_ORDINAL + day)


def day_number(day: date) -> int:
    """Convert a calendar day to its number."""
    return day.toordinal() - _EPOCH_ORDINAL


def is_ready(instant: float) -> bool:
    """Report whether the daily jobs of the instant's Beijing day are done."""
    return seconds_of_day(instant) >= READY_HOUR * HOUR_S


def last_complete_day(instant: float) -> int:
    """Return the newest day that T+1 data covers.

    It is yesterday from 10:00 Beijing on, and the day before yesterday earlier.
    """
    return day_of(instant) - (1 if is_ready(instant) else 2)


def beijing_text(instant: float) -> str:
    """Format an instant as ``yyyy-MM-dd HH:mm:ss`` in Beijing."""
    return datetime.fromtimestamp(int(instant), BEIJING).strftime("%Y-%m-%d %H:%M:%S")


class SandboxClock:
    """The real clock, or one that stands still until it is set again."""

    def __init__(self, frozen: datetime | None = None) -> None:
        self._frozen: float | None = None
        self.set(frozen)

    def set(self, instant: datetime | None) -> None:
        """Freeze at an aware instant; None follows the real clock.

        Raises:
            ValueError: the instant has no time zone.
        """
        if instant is not None and instant.tzinfo is None:
            raise ValueError("the clock needs an instant with a time zone, e.g. 2026-11-16T10:30:00+08:00")
        self._frozen = None if instant is None else instant.timestamp()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    def now(self) -> float:
        """Return the current instant in epoch seconds."""
        return time.time() if self._frozen is None else self._frozen

    def isoformat(self) -> str:
        """Format the current instant in ISO 8601, UTC."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat()
