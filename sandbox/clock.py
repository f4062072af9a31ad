"""The sandbox's clock, and days in Beijing as integers.

Instants inside the sandbox are epoch seconds (float). A *day* is the number of the Beijing day
since 1970-01-01, so days can be added and compared.
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
"""Beijing hour at which yesterday's data (T+1) and today's billboards are there."""


def day_of(instant: float) -> int:
    """The Beijing day of an instant."""
    return int((instant + _BEIJING_S) // DAY_S)


def day_start(day: int) -> int:
    """Epoch seconds of midnight in Beijing at the start of ``day``."""
    return day * DAY_S - _BEIJING_S


def seconds_of_day(instant: float) -> float:
    return (instant + _BEIJING_S) % DAY_S


@lru_cache(maxsize=8192)
def day_text(day: int) -> str:
    """``yyyy-MM-dd``."""
    return date_of(day).isoformat()


def date_of(day: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + day)


def day_number(day: date) -> int:
    """The other way round: the number of a calendar day."""
    return day.toordinal() - _EPOCH_ORDINAL


def is_ready(instant: float) -> bool:
    """Whether the daily jobs of the instant's Beijing day are done."""
    return seconds_of_day(instant) >= READY_HOUR * HOUR_S


def last_complete_day(instant: float) -> int:
    """The newest day that T+1 data covers: yesterday from 10:00 Beijing on, before that the day before."""
    return day_of(instant) - (1 if is_ready(instant) else 2)


def beijing_text(instant: float) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in Beijing."""
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
        return self._frozen is not None

    def now(self) -> float:
        """Epoch seconds."""
        return time.time() if self._frozen is None else self._frozen

    def isoformat(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()
