"""The pipeline's clock: the machine's, or a frozen one for simulated days and reproducible runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.records import beijing_day

BEIJING_SESSION = "SET TimeZone = 'Asia/Shanghai'"
"""DuckDB then shows instants, and takes their day, as Beijing does, whatever the zone of the machine."""


@dataclass(frozen=True)
class Clock:
    """Tells the present instant (aware, UTC). Pacing of requests never uses it: that is real time."""

    read: Callable[[], datetime]

    @classmethod
    def system(cls) -> Clock:
        return cls(lambda: datetime.now(UTC))

    @classmethod
    def frozen(cls, instant: datetime) -> Clock:
        """A clock that stands still at ``instant``, which must be aware."""
        if instant.tzinfo is None:
            raise ValueError("a frozen clock needs an instant with a time zone, e.g. 2026-11-16T10:30:00+08:00")
        fixed = instant.astimezone(UTC)
        return cls(lambda: fixed)

    @classmethod
    def parse(cls, text: str) -> Clock:
        """``system``, or an ISO 8601 instant with zone for a frozen clock."""
        if text == "system":
            return cls.system()
        try:
            return cls.frozen(datetime.fromisoformat(text))
        except ValueError as error:
            raise ValueError(
                f"DOUYIN_CLOCK={text!r}: write `system` or an instant such as 2026-11-16T10:30:00+08:00"
            ) from error

    def now(self) -> datetime:
        return self.read()

    def today(self):
        """The present day in Beijing."""
        return beijing_day(self.now())
