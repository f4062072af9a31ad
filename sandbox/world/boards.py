"""Compute billboards (榜单): pools of invented entrants whose strength drifts from day to day."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sandbox.clock import HOUR_S, READY_HOUR, day_start
from sandbox.hashing import DeterministicRng, mix, name, unit
from sandbox.vocabulary import (
    NAME_HEADS,
    NAME_TAILS,
    PROP_HEADS,
    PROP_TAILS,
    SONG_HEADS,
    SONG_TAILS,
    STAR_HEADS,
    STAR_TAILS,
    TOPICS,
)
from sandbox.world.accounts import SandboxAccount
from sandbox.world.hotwords import HotWord, HotWords, WordVideo
from sandbox.world.series import Series

SIZE = 30
ON_BOARD_DAYS = 30
"""``onbillbaord_times`` counts the days on the list within so many days, today included."""
_POOL = 120
_OWN_ACCOUNTS = 6
"""At most so many of the sandbox's own accounts compete on the boards of their category."""
_KNOT_DAYS = 6


@dataclass(frozen=True, slots=True)
class Entrant:
    """A person or thing that may stand on a board. ``strength`` is its usual score."""

    key: int
    title: str
    strength: float
    followers: int = 0
    account: SandboxAccount | None = None


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One line of a board: ``change`` is the text of rank_change, ``score`` falls with the rank."""

    rank: int
    change: str
    times: int
    score: float
    entrant: Entrant


def random_walk(key: int, day: int) -> float:
    """Return a number about 1 that drifts over some days and jitters a little daily."""
    offset = key % _KNOT_DAYS
    knot, step = divmod(day + offset, _KNOT_DAYS)
    x = step / _KNOT_DAYS
    x = x * x * (3 - 2 * x)
    low, high = unit(mix(key, knot)), unit(mix(key, knot + 1))
    return math.exp(1.1 * (low + (high - low) * x - 0.5) + 0.16 * (unit(mix(key, 9, day)) - 0.5))


def _pool(
    seed: int, board: str, size: int, titles: Callable[[DeterministicRng], str], lowest: float, highest: float
) -> tuple[Entrant, ...]:
    """Return ``size`` entrants with distinct titles; ``titles`` makes one from a draw."""
    entrants: dict[str, Entrant] = {}
    for k in range(size):
        draw = DeterministicRng(seed, name(board), k)
        title = next((t for _ in range(40) if (t := titles(draw)) not in entrants), f"{titles(draw)}{k}")
        followers = int(draw.log_between(30_000, 18_000_000))
        entrants[title] = Entrant(draw.key, title, draw.log_between(lowest, highest), followers)
    return tuple(entrants.values())


class Boards:
    """The daily lists. A board is named by its endpoint without ``billboard_``, e.g. ``sport_overall``."""

    def __init__(self, seed: int, accounts: list[SandboxAccount], series: Series, words: HotWords) -> None:
        self._seed = seed
        self._accounts = accounts
        self._series = series
        self._words = words
        self.pool = lru_cache(maxsize=256)(self._make_pool)
        self._ranked = lru_cache(maxsize=8_192)(self._rank)
        self.entries = lru_cache(maxsize=1_024)(self._entries)
        self.topics = lru_cache(maxsize=32)(self._topics)
        self.hot_videos = lru_cache(maxsize=32)(self._hot_videos)

    def _make_pool(self, board: str) -> tuple[Entrant, ...]:
        group = board.split("_")[0]
        if group in NAME_TAILS:
            return self._creators(board, group)
        if board == "stars":
            return _pool(self._seed, board, 60, lambda d: d.pick(STAR_HEADS) + d.pick(STAR_TAILS), 200_000, 9_000_000)
        if board == "live":
            tails = [t for tails in NAME_TAILS.values() for t in tails]
            return _pool(self._seed, board, 90, lambda d: d.pick(NAME_HEADS) + d.pick(tails), 90_000, 5_000_000)
        if board == "topic":
            topics = [t for topics in TOPICS.values() for t in topics]
            return _pool(self._seed, board, 44, lambda d: "#" + d.pick(topics), 120_000, 3_000_000)
        if board == "prop":
            return _pool(self._seed, board, 80, lambda d: d.pick(PROP_HEADS) + d.pick(PROP_TAILS), 20_000, 2_000_000)
        if group == "music":
            return _pool(self._seed, board, 80, lambda d: d.pick(SONG_HEADS) + d.pick(SONG_TAILS), 30_000, 4_000_000)
        raise KeyError(f"no pool for the billboard {board!r}")

    def _creators(self, board: str, group: str) -> tuple[Entrant, ...]:
        """Return creators of the whole group, each weighted for this board, and the group's own accounts."""
        invented = _pool(
            self._seed, group, _POOL, lambda d: d.pick(NAME_HEADS) + d.pick(NAME_TAILS[group]), 8_000, 900_000
        )
        names = {e.title for e in invented}
        own = [a for a in self._accounts if a.category == group][:_OWN_ACCOUNTS]
        entrants = list(invented)
        for account in own:
            title = account.nickname if account.nickname not in names else account.nickname + str(account.index)
            entrants.append(Entrant(account.key, title, 0.0, account.base_fans, account))
        tilt = name(board)
        return tuple(
            Entrant(
                mix(e.key, tilt), e.title, e.strength * (0.35 + 1.3 * unit(mix(e.key, tilt, 5))), e.followers, e.account
            )
            for e in entrants
        )

    def score(self, board: str, entrant: Entrant, day: int) -> float:
        """Return the score behind the rank; an account's follows its plays of the day before."""
        if entrant.account is not None:
            plays = self._series.day_plays(entrant.account, day - 1)
            return plays * 0.6 * (0.5 + unit(mix(entrant.key, 6)))
        return entrant.strength * random_walk(entrant.key, day)

    def _rank(self, board: str, day: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return (positions in the pool, best first; their scores)."""
        pool = self.pool(board)
        scores = [self.score(board, e, day) for e in pool]
        order = sorted(range(len(pool)), key=lambda i: (-scores[i], i))
        return tuple(order), tuple(scores[i] for i in order)

    def _entries(self, board: str, day: int) -> tuple[BoardEntry, ...]:
        pool = self.pool(board)
        order, scores = self._ranked(board, day)
        before = {i: rank for rank, i in enumerate(self._ranked(board, day - 1)[0], 1)}
        times = dict.fromkeys(order[:SIZE], 0)
        for d in range(day - ON_BOARD_DAYS + 1, day + 1):
            for i in self._ranked(board, d)[0][:SIZE]:
                if i in times:
                    times[i] += 1
        return tuple(
            BoardEntry(rank, self._change(pool[i], rank, before[i], day), times[i], round(scores[rank - 1], 1), pool[i])
            for rank, i in enumerate(order[:SIZE], 1)
        )

    def _change(self, entrant: Entrant, rank: int, before: int, day: int) -> str:
        """Return the places won since the day before, as text; sometimes no number for a new entry."""
        if before > SIZE and mix(entrant.key, 8, day) % 4 == 0:
            return "new"
        return str(before - rank)

    def _topics(self, day: int) -> tuple[BoardEntry, ...]:
        """Return lasting topics and those of the day's hottest words, by influence."""
        today, yesterday = (self._topic_scores(d) for d in (day, day - 1))
        before = {t: rank for rank, t in enumerate(sorted(yesterday, key=lambda t: (-yesterday[t][0], t)), 1)}
        best = sorted(today, key=lambda t: (-today[t][0], t))[:SIZE]
        return tuple(
            BoardEntry(
                rank,
                str(before[t] - rank) if t in before else "new",
                1,
                round(today[t][0], 1),
                Entrant(today[t][1], t, today[t][0]),
            )
            for rank, t in enumerate(best, 1)
        )

    def _topic_scores(self, day: int) -> dict[str, tuple[float, int]]:
        scores = {e.title: (self.score("topic", e, day), e.key) for e in self.pool("topic")}
        for word, level in self.day_words(day)[:15]:
            scores.setdefault("#" + word.sentence, (level * 0.25, word.key))
        return scores

    def day_words(self, day: int) -> tuple[tuple[HotWord, int], ...]:
        """Return the hot words at the hour at which the day's boards are produced."""
        return self._words.hottest(day_start(day) // HOUR_S + READY_HOUR)

    def _hot_videos(self, day: int) -> list[tuple[float, WordVideo, HotWord]]:
        """Return (score, video, word) of the day's hottest words, best first: at most two videos a word."""
        instant = day_start(day) + READY_HOUR * HOUR_S
        found = []
        for word, _ in self.day_words(day):
            for video in self._words.videos(word, instant)[:2]:
                found.append((round(video.plays(instant) * (0.08 + video.like), 1), video, word))
        return sorted(found, key=lambda f: (-f[0], f[1].key))[:SIZE]
