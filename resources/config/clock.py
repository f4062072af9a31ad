"""Provide the pipeline's clock: the machine's, or a frozen one for simulated days and reproducible runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from catalog.records import beijing_day


@dataclass(frozen=True)
class Clock:
    """Source of the current instant (aware, UTC); rate limits never use it, since they need real time."""

    read: Callable[[], datetime]

    @classmethod
    def system(cls) -> Clock:
        """Return the machine's clock."""
        return cls(lambda: datetime.now(UTC))

    @classmethod
    def frozen(cls, instant: datetime) -> Clock:
        """Return a clock fixed at ``instant``.

        Raises:
            ValueError: ``instant`` has no time zone.
        """
        if instant.tzinfo is None:
            raise ValueError("a frozen clock needs an instant with a time zone, e.g. 2026-11-16T10:30:00+08:00")
        fixed = instant.astimezone(UTC)
        return cls(lambda: fixed)

    @classmethod
    def parse(cls, text: str) -> Clock:
        """Return the clock for ``system``, or for an ISO 8601 instant with zone a frozen one.

        Raises:
            ValueError: the text is neither.
        """
        if text == "system":
            return cls.system()
        try:
            return cls.frozen(datetime.fromisoformat(text))
        except ValueError as error:
            raise ValueError(
                f"DOUYIN_CLOCK={text!r}: write `system` or an instant such as 2026-11-16T10:30:00+08:00"
            ) from error

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        return self.read()

    def today(self) -> date:
        """Return the current day in Beijing."""
        return beijing_day(self.now())
