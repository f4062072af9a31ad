"""Model how a video is played over its life: one cumulative, saturating function of time.

Plays come in three parts: a fast one (the first days), a slow one (weeks), and for some videos a second wave. The clock
runs faster in the evening and slower before dawn (Beijing), so hourly differences follow the time of day while the
curve never falls.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

LIFE_S = 91 * 86_400
"""After this age (seconds) a video is played no more."""

_OMEGA = 2 * math.pi / 86_400
_BREATH_S = 8_000.0
"""Amplitude of the daily rhythm; below 86400/2π, else time would run backwards at dawn."""
_PEAK_S = (20 - 8) * 3_600
"""Second of the UTC day at which plays are densest: 20:00 Beijing."""


def breathing(instant: float) -> float:
    """Convert ``instant`` to the audience's clock (seconds); the shift is equal at every Beijing midnight."""
    return instant + _BREATH_S * math.sin(_OMEGA * (instant - _PEAK_S))


def smoothstep(x: float) -> float:
    """Return 0 below 0, 1 above 1, and a smooth rise between."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return x * x * (3 - 2 * x)


class LifeCurve:
    """Share of its final plays that a video has reached; 0 at creation, 1 from :data:`LIFE_S` on."""

    __slots__ = ("_fast", "_fast_rate", "_slow", "_slow_rate", "_wave", "_wave_start", "_wave_width", "origin")

    def __init__(
        self, created: float, fast_s: float, slow_s: float, slow_share: float, wave: tuple[float, float, float] | None
    ) -> None:
        """Create a curve; ``wave`` is (share, start, width), times in seconds of age."""
        self.origin = breathing(created)
        share, self._wave_start, self._wave_width = wave or (0.0, 0.0, 1.0)
        self._wave = share
        self._fast_rate, self._slow_rate = -1 / fast_s, -1 / slow_s
        self._fast = (1 - share) * (1 - slow_share) / (1 - math.exp(LIFE_S * self._fast_rate))
        self._slow = (1 - share) * slow_share / (1 - math.exp(LIFE_S * self._slow_rate))

    def at(self, breathed: float) -> float:
        """Return the share at an instant of the audience's clock (:func:`breathing`)."""
        age = breathed - self.origin
        if age <= 0:
            return 0.0
        if age >= LIFE_S:
            return 1.0
        share = self._fast * (1 - math.exp(age * self._fast_rate)) + self._slow * (1 - math.exp(age * self._slow_rate))
        if self._wave:
            share += self._wave * smoothstep((age - self._wave_start) / self._wave_width)
        return share

    def seconds_before(self, shares: npt.ArrayLike, start: float, end: float) -> np.ndarray:
        """Return, for each share, the last whole second in [start, end) at which it is not reached yet.

        All shares are found at once, by bisection. They must be reached at ``end``. The result is epoch seconds as
        int64.
        """
        wanted = np.asarray(shares)
        below = np.full(len(wanted), int(start), np.int64)
        reached = np.full(len(wanted), int(end) + 1, np.int64)
        for _ in range(int(end - start + 2).bit_length()):
            middle = (below + reached) >> 1
            there = self._many(middle + _BREATH_S * np.sin(_OMEGA * (middle - _PEAK_S))) >= wanted
            reached = np.where(there, middle, reached)
            below = np.where(there, below, middle)
        return below

    def _many(self, breathed: np.ndarray) -> np.ndarray:
        """Evaluate :meth:`at` for many instants."""
        age = np.clip(breathed - self.origin, 0, LIFE_S)
        share = self._fast * (1 - np.exp(age * self._fast_rate)) + self._slow * (1 - np.exp(age * self._slow_rate))
        if self._wave:
            x = np.clip((age - self._wave_start) / self._wave_width, 0, 1)
            share += self._wave * x * x * (3 - 2 * x)
        return share
