"""Derive numbers from names: the only source of variety in the sandbox, without generator, state or clock.

Every value is a mixture of integers (seed, purpose, which one, which day), so any part of the world can be computed on
its own and comes out the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """Return 64 well-spread bits from the integers ``parts``, in their order."""
    h = 0x243F6A8885A308D3
    for part in parts:
        h = ((h ^ part) * 0x9E3779B97F4A7C15) & _MASK
        h ^= h >> 29
        h = (h * 0xBF58476D1CE4E5B9) & _MASK
        h ^= h >> 32
    return h


@lru_cache(maxsize=65536)
def name(text: str) -> int:
    """Return 64 bits that stand for ``text``."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def unit(h: int) -> float:
    """Return a number in [0, 1) from the upper bits of ``h``."""
    return (h >> 11) * 1.1102230246251565e-16


def bell(h: int) -> float:
    """Return an approximately normal number: mean 0, deviation 1, within ±3.5; four 16-bit parts added."""
    total = (h & 0xFFFF) + (h >> 16 & 0xFFFF) + (h >> 32 & 0xFFFF) + (h >> 48)
    return (total / 65536.0 - 2.0) * 1.7320508


def hex_text(digits: int, *parts: int) -> str:
    """Return ``digits`` lower-case hexadecimal digits."""
    text = ""
    while len(text) < digits:
        text += f"{mix(len(text), *parts):016x}"
    return text[:digits]


class DeterministicRng:
    """A deterministic sequence of random values: the n-th value depends on key and n only."""

    __slots__ = ("_count", "key")

    def __init__(self, *parts: int) -> None:
        self.key = mix(*parts)
        self._count = 0

    def bits(self) -> int:
        """Return 64 bits."""
        self._count += 1
        return mix(self.key, self._count)

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        return unit(self.bits())

    def between(self, low: float, high: float) -> float:
        """Return a number that is uniform from ``low`` to ``high``."""
        return low + (high - low) * unit(self.bits())

    def log_between(self, low: float, high: float) -> float:
        """Return a number that is uniform on a logarithmic scale; both ends are above 0."""
        return low * math.exp(math.log(high / low) * unit(self.bits()))

    def lognormal(self, median: float, sigma: float) -> float:
        """Return a log-normal number; ``sigma`` is the deviation of its logarithm."""
        return median * math.exp(sigma * bell(self.bits()))

    def chance(self, probability: float) -> bool:
        """Return true with this probability."""
        return unit(self.bits()) < probability

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items, all equally likely."""
        return items[self.bits() % len(items)]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split ``total`` into whole parts in proportion to ``weights``; the parts add up to it."""
    scale = total / sum(weights)
    exact = [w * scale for w in weights]
    parts = [int(x) for x in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts
