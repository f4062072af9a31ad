"""Reduce repeated log lines to one a minute, with the number of those omitted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_MOST = 1_000


class Repeats(logging.Filter):
    """Filter that passes each message once in ``seconds``; used by loggers, or directly through :meth:`line`."""

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._clock = seconds, clock
        self._seen: dict[str, tuple[float, int]] = {}

    def line(self, message: str) -> str | None:
        """Return the message with the number of omitted ones; None if it was logged within the last ``seconds``."""
        now = self._clock()
        since, left_out = self._seen.get(message, (None, 0))
        if since is not None and now - since < self._seconds:
            self._seen[message] = (since, left_out + 1)
            return None
        if len(self._seen) >= _MOST:  # drop expired ones; the limit may be exceeded by current ones
            self._seen = {m: entry for m, entry in self._seen.items() if now - entry[0] < self._seconds}
        self._seen[message] = (now, 0)
        return f"{message} ({left_out:,} more times since the last line)" if left_out else message

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record, and add the number of omitted ones to its message."""
        line = self.line(record.getMessage())
        if line is not None:
            record.msg, record.args = line, ()
        return line is not None
