"""Compute hot words: born every hour, rising, peaking, fading.

The lists contain the hottest words at the top of the hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from sandbox.clock import HOUR_S
from sandbox.hashing import DeterministicRng, mix, name, unit
from sandbox.vocabulary import CATEGORIES, EVENTS, FOODS, GOODS, HOT_PATTERNS, PLACES, SEASONS, SPORTS
from sandbox.world.ids import ItemIds

REFRESH_S = 37
"""The lists change this many seconds after the full hour."""
LIST_SIZE = 50
RISING_SIZE = 60
_BORN_PER_HOUR = 14
_LONGEST_H = 60


@dataclass(frozen=True, slots=True)
class HotWord:
    """A word, born at hour ``born`` (hours since the epoch). ``peak_h`` and ``fade_h`` are in hours."""

    sentence: str
    key: int
    born: int
    heat: float
    peak_h: float
    fade_h: float
    rank_in_hour: int

    def level(self, hour: int) -> float:
        """Return the heat at the top of ``hour``: a steep rise to the peak, then a slow fade, with some noise."""
        age = hour - self.born + 0.5
        if age <= 0:
            return 0.0
        x = age / self.peak_h
        shape = x * x * (3 - 2 * x) if x < 1 else math.exp(-(age - self.peak_h) / self.fade_h)
        return self.heat * shape * (0.93 + 0.14 * unit(mix(self.key, hour)))


@dataclass(frozen=True, slots=True)
class Rising:
    """An entry of the rising list: level now, label (0..5)."""

    word: HotWord
    level: int
    label: int


@dataclass(frozen=True, slots=True)
class WordVideo:
    """A video grouped under a hot word.

    ``created`` is epoch seconds, ``scale`` its final plays.
    """

    owner: int
    slot: int
    key: int
    created: int
    scale: float
    like: float
    category: str
    album: bool

    def plays(self, instant: float) -> int:
        """Return the plays until an instant."""
        return int(self.scale * (1 - math.exp(-max(0.0, instant - self.created) / (9 * HOUR_S))))


def _sentence(draw: DeterministicRng) -> str:
    return draw.pick(HOT_PATTERNS).format(
        place=draw.pick(PLACES),
        season=draw.pick(SEASONS),
        event=draw.pick(EVENTS),
        food=draw.pick(FOODS),
        sport=draw.pick(SPORTS),
        goods=draw.pick(GOODS),
    )


def list_hour(instant: float) -> int:
    """Return the hour (since the epoch) whose lists are shown at ``instant``."""
    return int((instant - REFRESH_S) // HOUR_S)


class HotWords:
    """The hot words of a world."""

    def __init__(self, seed: int, ids: ItemIds) -> None:
        self._seed = seed
        self._ids = ids
        self._born = lru_cache(maxsize=1_024)(self._born_in)
        self.alive = lru_cache(maxsize=64)(self._alive)
        self.hottest = lru_cache(maxsize=256)(self._hottest)
        self.rising = lru_cache(maxsize=64)(self._rising)
        self._by_sentence = lru_cache(maxsize=64)(self._index)

    def _born_in(self, hour: int) -> tuple[HotWord, ...]:
        words = []
        for k in range(_BORN_PER_HOUR):
            draw = DeterministicRng(self._seed, name("hot word"), hour, k)
            words.append(
                HotWord(
                    sentence=_sentence(draw),
                    key=draw.key,
                    born=hour,
                    heat=draw.lognormal(3_200_000, 0.55),
                    peak_h=draw.between(2, 11),
                    fade_h=draw.between(3, 14),
                    rank_in_hour=k,
                )
            )
        return tuple(words)

    def _alive(self, hour: int) -> tuple[HotWord, ...]:
        """Return the words of the last days, oldest first; of equal sentences the older one stays."""
        seen: dict[str, HotWord] = {}
        for born in range(hour - _LONGEST_H, hour + 1):
            for word in self._born(born):
                seen.setdefault(word.sentence, word)
        return tuple(seen.values())

    def _hottest(self, hour: int) -> tuple[tuple[HotWord, int], ...]:
        """Return the list of the hour: (word, level), hottest first."""
        levels = sorted(((int(w.level(hour)), w) for w in self.alive(hour)), key=lambda pair: (-pair[0], pair[1].key))
        return tuple((word, level) for level, word in levels[:LIST_SIZE])

    def _rising(self, hour: int) -> tuple[Rising, ...]:
        """Return the words that gained most within the hour, fastest first."""
        top = {w.sentence: i for i, (w, _) in enumerate(self.hottest(hour))}
        gains = [(w.level(hour) - w.level(hour - 1), w) for w in self.alive(hour)]
        gains = sorted((g for g in gains if g[0] > 0), key=lambda pair: (-pair[0], pair[1].key))[:RISING_SIZE]
        return tuple(Rising(w, int(w.level(hour)), self._label(w, hour, top.get(w.sentence))) for _, w in gains)

    def _label(self, word: HotWord, hour: int, position: int | None) -> int:
        if position is not None and position < 3:
            return 4  # 爆
        if position is not None and position < 20:
            return 3  # 热
        if word.born == hour:
            return 5 if word.key % 4 == 0 else 1  # 首发, 新
        if word.key % 9 == 0:
            return 2  # 推荐
        return 1 if hour - word.born <= 2 else 0

    def _index(self, hour: int) -> dict[str, HotWord]:
        return {w.sentence: w for w in self.alive(hour)}

    def find(self, sentence: str, instant: float) -> HotWord | None:
        """Return the living word with this sentence."""
        return self._by_sentence(list_hour(instant)).get(sentence)

    def videos(self, word: HotWord, instant: float) -> list[WordVideo]:
        """Return six to eight videos of a word, most played first.

        Half are from before its birth; more come as it spreads.
        """
        videos = []
        for k in range(6 + word.key % 3):
            draw = DeterministicRng(word.key, name("word video"), k)
            created = word.born * HOUR_S + int((k - 4) * draw.between(0.1, 0.5) * HOUR_S) - 60
            if created > instant:
                continue
            videos.append(
                WordVideo(
                    owner=0x4000_0000 | (word.key & 0x3FFF_FFFF),
                    slot=(word.born & 0xFFFFF) * 128 + word.rank_in_hour * 8 + k,
                    key=draw.key,
                    created=created,
                    scale=word.heat * draw.log_between(0.05, 1.2),
                    like=draw.log_between(0.02, 0.09),
                    category=draw.pick(CATEGORIES),
                    album=draw.chance(0.1),
                )
            )
        return sorted(videos, key=lambda v: (-v.plays(instant), v.key))

    def item_id(self, video: WordVideo) -> str:
        """Return the item_id of a video."""
        return self._ids.write(video.owner, video.slot)
