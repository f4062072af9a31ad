"""Compute fan portraits: distributions that add up to the fans and drift slowly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from sandbox.hashing import DeterministicRng, apportion, mix, name, unit
from sandbox.vocabulary import COMMENT_KEYWORDS, DEVICES, FAN_KEYWORDS, FAN_SOURCES, INTERESTS, PROVINCES
from sandbox.world.accounts import SandboxAccount
from sandbox.world.series import Series

PORTRAIT_ABOVE = 100
"""fans_data returns data above so many fans."""
WORDS_FROM = 3_000
"""fans_favourite and fans_comment return data from so many fans on (the capability page's figure)."""

_AGES = (
    ("1-17", "18-23", "24-30", "31-40", "41-50", "50+"),
    ("1-17", "18-23", "24~29", "31-40", "41-50", "50+"),
)
_ACTIVE_DAYS = ("0~4", "5~8", "9~12", "13~16", "17~20", "20+")
_FLOWS = (("vv", 0), ("like_cnt", 1), ("comment_cnt", 2), ("share_video_cnt", 3))


@dataclass(frozen=True, slots=True)
class Portrait:
    """Fans of an account at the end of a day: label/number pairs per dimension, and (flow, fans, all) over 30 days."""

    total: int
    gender: tuple[tuple[str, int], ...]
    age: tuple[tuple[str, int], ...]
    province: tuple[tuple[str, int], ...]
    active_days: tuple[tuple[str, int], ...]
    device: tuple[tuple[str, int], ...]
    interest: tuple[tuple[str, int], ...]
    flows: tuple[tuple[str, int, int], ...]


class Fans:
    """Portraits of all accounts."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self.portrait = lru_cache(maxsize=2_048)(self._portrait)

    def _weights(
        self, account: SandboxAccount, what: str, labels: tuple[str, ...], spread: float, day: int
    ) -> list[float]:
        draw = DeterministicRng(account.key, name(what))
        weights = []
        for _ in labels:
            base, period, phase = math.exp(spread * (draw.unit() - 0.5)), draw.between(40, 160), draw.unit()
            weights.append(base * (1 + 0.08 * math.sin(2 * math.pi * (day / period + phase))))
        return weights

    def _split(
        self, account: SandboxAccount, what: str, labels: tuple[str, ...], total: int, spread: float, day: int
    ) -> tuple[tuple[str, int], ...]:
        return tuple(zip(labels, apportion(total, self._weights(account, what, labels, spread, day)), strict=True))

    def _portrait(self, account: SandboxAccount, day: int) -> Portrait:
        total = self._series.day_fans(account, day)
        unknown = total // 250
        male_female = self._split(account, "gender", ("1", "2"), total - unknown, 1.4, day)
        provinces = tuple(p for p in PROVINCES if mix(account.key, name(p)) % 8)
        known = self._split(account, "province", provinces, total - unknown, 3.2, day)
        devices = self._split(account, "device", DEVICES[:-1], total - unknown, 2.6, day)
        interests = tuple(i for i in INTERESTS if mix(account.key, name(i)) % 3)
        month = [sum(self._series.totals(account, day, metric)[1:]) for _, metric in _FLOWS]
        return Portrait(
            total=total,
            gender=(*male_female, ("0", unknown)),
            age=self._split(account, "age", _AGES[account.key % 2], total, 2.2, day),
            province=(*sorted(known, key=lambda p: -p[1]), ("<nil>", unknown)),
            active_days=self._split(account, "active days", _ACTIVE_DAYS, total, 2.0, day),
            device=(*devices, (DEVICES[-1], unknown)),
            interest=self._split(account, "interest", interests, total, 2.4, day),
            flows=tuple(
                (flow, int(seen * (0.05 + 0.4 * unit(mix(account.key, 61, metric)))), seen)
                for (flow, metric), seen in zip(_FLOWS, month, strict=True)
            ),
        )

    def sources(self, account: SandboxAccount, day: int) -> list[tuple[str, str]]:
        """Return (source, percent text); the hundredths add up to 100.00%."""
        labels = tuple(s for s in FAN_SOURCES if mix(account.key, name(s)) % 5) or FAN_SOURCES[:3]
        parts = self._split(account, "source", labels, 10_000, 3.4, day)
        return [(label, f"{part / 100:.2f}%") for label, part in sorted(parts, key=lambda p: -p[1])]

    def keywords(self, account: SandboxAccount, day: int) -> list[tuple[str, float]]:
        """Return the interests of fans: (keyword, heat), hottest first."""
        return self._words(account, day, "keyword", FAN_KEYWORDS, 12)

    def comment_words(self, account: SandboxAccount, day: int) -> list[tuple[str, float]]:
        """Return words in their comments: (word, heat), hottest first."""
        return self._words(account, day, "comment word", COMMENT_KEYWORDS, 20)

    def _words(
        self, account: SandboxAccount, day: int, what: str, words: tuple[str, ...], size: int
    ) -> list[tuple[str, float]]:
        weights = self._weights(account, what, words, 2.5, day)
        jitter = [w * (0.96 + 0.08 * unit(mix(account.key, name(what), k, day))) for k, w in enumerate(weights)]
        best = sorted(zip(words, jitter, strict=True), key=lambda p: (-p[1], p[0]))[:size]
        top = best[0][1]
        return [(word, round(10_000 * weight / top, 1)) for word, weight in best]
