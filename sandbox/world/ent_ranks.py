"""Invent films, series and variety shows (影视综), and compute their weekly lists.

Titles appear, rise and fall over weeks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sandbox.clock import HOUR_S, day_number, day_start, day_text
from sandbox.hashing import DeterministicRng, mix, name, unit
from sandbox.vocabulary import SCREEN_AREAS, SCREEN_HEADS, SCREEN_TAGS, SCREEN_TAILS, STAR_TAILS
from sandbox.world.boards import random_walk

FILM, SERIES, VARIETY = 1, 2, 3
SIZES = {FILM: 30, SERIES: 10, VARIETY: 10}
WEEKS_BACK = 60
"""Number of published weeks that can be requested."""
_FIRST_MONDAY = day_number(date(2024, 5, 20))
_FIRST_VERSION = 231
"""The version of the week that begins on that Monday; they count on by one."""
_FINAL_HOUR = 12
_PER_WEEK = {FILM: 4, SERIES: 2, VARIETY: 2}
"""New titles a week, at most."""
_LIFE = {FILM: (4.0, 13.0), SERIES: (16.0, 18.0), VARIETY: (30.0, 30.0)}
"""Days that a title rises after its release, and days in which its heat then falls to a third."""
_KEPT_WEEKS = {FILM: 14, SERIES: 12, VARIETY: 16}
_STEP = 77
"""Has no divisor in common with the number of titles, so that every title is used."""
_SHARE_OF_BEST = 0.004
"""Titles with less heat than this share of the best one's are not listed."""


@dataclass(frozen=True, slots=True)
class Title:
    """A film, series or show. ``released`` is a day; ``heat`` its best day's."""

    key: int
    kind: int
    title: str
    released: int
    heat: float
    actors: tuple[str, ...]
    directors: tuple[str, ...]
    areas: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def id(self) -> str:
        """The platform's id of the title."""
        return str(6_900_000_000_000_000_000 + self.key % 10**17)

    @property
    def released_text(self) -> str:
        """The day of the release as text."""
        return day_text(self.released)


def version_of(day: int) -> int:
    """Return the version of the week that contains the day."""
    return _FIRST_VERSION + (day - _FIRST_MONDAY) // 7


def monday_of(version: int) -> int:
    """Return the first day of a version's week."""
    return _FIRST_MONDAY + 7 * (version - _FIRST_VERSION)


def final_at(version: int) -> int:
    """Return the epoch seconds at which a week's list is final: Monday 12:00 Beijing after it."""
    return day_start(monday_of(version) + 7) + _FINAL_HOUR * HOUR_S


class EntRanks:
    """The lists of all weeks."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._born = lru_cache(maxsize=1_024)(self._make_week)
        self.ranked = lru_cache(maxsize=512)(self._ranked)

    def _make_week(self, kind: int, version: int) -> tuple[Title, ...]:
        """Return the titles that are released in a week."""
        made = []
        for k in range(_PER_WEEK[kind]):
            draw = DeterministicRng(self._seed, name("screen"), kind, version, k)
            if k and draw.chance(0.2):
                continue
            made.append(
                Title(
                    key=draw.key,
                    kind=kind,
                    title=self._title(kind, version * _PER_WEEK[kind] + k),
                    released=monday_of(version) + draw.bits() % 7,
                    heat=draw.log_between(60_000, 4_000_000),
                    actors=_names(draw, 3 + draw.bits() % 3),
                    directors=_names(draw, 1 + draw.bits() % 2),
                    areas=(SCREEN_AREAS[0] if draw.chance(0.7) else draw.pick(SCREEN_AREAS),),
                    tags=tuple({draw.pick(SCREEN_TAGS[kind]): None for _ in range(2)}),
                )
            )
        return tuple(made)

    def _title(self, kind: int, number: int) -> str:
        """Return the next title; 216 follow each other before one repeats."""
        tails = SCREEN_TAILS[kind]
        head, tail = divmod((number * _STEP + mix(self._seed, kind)) % (len(SCREEN_HEADS) * len(tails)), len(tails))
        return SCREEN_HEADS[head] + tails[tail]

    def day_heat(self, title: Title, day: int) -> float:
        """Return the heat of one day: a little before the release, a rise, a long fall; more on weekends."""
        rise, fall = _LIFE[title.kind]
        age = day - title.released
        if age < 0:
            shape = 0.12 * math.exp(age / 5)
        else:
            shape = min(1.0, 0.45 + 0.55 * age / rise) * math.exp(-max(0.0, age - rise) / fall)
        return title.heat * shape * (1.3 if (day + 3) % 7 >= 4 else 1.0) * random_walk(title.key, day) ** 0.4

    def _ranked(self, kind: int, version: int, last: int) -> tuple[tuple[Title, int], ...]:
        """Return (title, heat) of a week from Monday to the day ``last``, hottest first.

        One title in five has a heat of four significant digits.
        """
        titles = [t for v in range(version - _KEPT_WEEKS[kind], version + 2) for t in self._born(kind, v)]
        heats = {t: sum(self.day_heat(t, day) for day in range(monday_of(version), last + 1)) for t in titles}
        best = sorted(heats, key=lambda t: (-heats[t], t.key))[: SIZES[kind]]
        listed = [(t, _rounded(t, heats[t])) for t in best if heats[t] >= _SHARE_OF_BEST * heats[best[0]]]
        return tuple(sorted(listed, key=lambda pair: (-pair[1], pair[0].key)))

    # ---- what is published

    def newest(self, instant: float, today: int) -> int:
        """Return the newest version whose list is final."""
        version = version_of(today) - 1
        return version if instant >= final_at(version) else version - 1

    def refreshed(self, kind: int, day: int) -> int:
        """Return the epoch seconds of a day's refresh of the running week: between 12:00 and 23:00."""
        return day_start(day) + _FINAL_HOUR * HOUR_S + mix(self._seed, name("refresh"), kind, day) % (11 * HOUR_S)

    def running(self, kind: int, instant: float, today: int) -> tuple[int, tuple[tuple[Title, int], ...]]:
        """Return (instant of the refresh, list) of the running week as last refreshed.

        On a Monday that may be the week before.
        """
        day = today if instant >= self.refreshed(kind, today) else today - 1
        return self.refreshed(kind, day), self.ranked(kind, version_of(day), day)

    def final(self, kind: int, version: int) -> tuple[tuple[Title, int], ...]:
        """Return the final (title, heat) list of a week, hottest first."""
        return self.ranked(kind, version, monday_of(version) + 6)


def has_short_heat(title: Title) -> bool:
    """Report whether the heat has four significant digits, so that 1.361e+06 is exact."""
    return title.key % 5 == 0


def _rounded(title: Title, heat: float) -> int:
    return int(float(f"{heat:.3e}")) if has_short_heat(title) else int(heat)


def _names(draw: DeterministicRng, number: int) -> tuple[str, ...]:
    """Return names of invented people."""
    return tuple({draw.pick(STAR_TAILS): None for _ in range(number)})


def part_of(title: Title, heat: int, what: str) -> int:
    """Return a part of the heat: discussion, influence, search or topic."""
    return int(heat * (0.1 + 0.25 * unit(mix(title.key, name(what)))))
