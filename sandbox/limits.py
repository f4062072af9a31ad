"""Limit requests per scope: per second in real time, and per Beijing day of the sandbox's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from sandbox import errors
from sandbox.errors import Refusal


class Limits:
    """A token bucket per scope with the tokens of one second (at least one), and a daily count."""

    def __init__(self, qps: float | None, per_day: int | None, real_time: Callable[[], float] = time.monotonic) -> None:
        self._qps, self._per_day, self._real_time = qps, per_day, real_time
        self._buckets: dict[str, tuple[float, float]] = {}
        self._days: dict[str, tuple[int, int]] = {}

    def take(self, scope: str, day: int) -> None:
        """Count one request of ``scope`` on ``day``.

        Raises:
            Refusal: 28003018 too frequent, 28003017 quota used up.
        """
        if self._qps is not None:
            now, size = self._real_time(), max(1.0, self._qps)
            level, then = self._buckets.get(scope, (size, now))
            level = min(size, level + (now - then) * self._qps)
            self._buckets[scope] = (level - 1 if level >= 1 else level, now)
            if level < 1:
                raise Refusal(errors.TOO_FREQUENT)
        if self._per_day is not None:
            counted_day, used = self._days.get(scope, (day, 0))
            used = used if counted_day == day else 0
            if used >= self._per_day:
                raise Refusal(errors.QUOTA_USED_UP)
            self._days[scope] = (day, used + 1)
