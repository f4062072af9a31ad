"""Compute daily numbers of accounts and videos: differences of counters at Beijing midnights."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache

from sandbox.clock import DAY_S, day_of, day_start
from sandbox.hashing import mix, unit
from sandbox.world.accounts import SandboxAccount
from sandbox.world.curves import LIFE_S, breathing
from sandbox.world.videos import METRICS, MONTH_DAYS, Video, VideoStore

_WINDOW_DAYS = MONTH_DAYS + 1
_EPOCH_2026 = 1_767_225_600
_YEAR_S = 365 * DAY_S


@dataclass(frozen=True, slots=True)
class Month:
    """The 31 days that end with ``last``; ``reaches[slot]`` are plays (doubles) at the 32 midnights around them."""

    account: SandboxAccount
    first: int
    last: int
    videos: tuple[Video, ...]
    reaches: dict[int, array]

    def daily(self, video: Video, metric: int, day: int) -> int:
        """Return the counter's increase on ``day``, which must be within the month."""
        reach, j = self.reaches[video.slot], day - self.first
        return video.count(metric, reach[j + 1]) - video.count(metric, reach[j])

    def rolling(self, video: Video, metric: int) -> int:
        """Return the counter's increase over the last 30 days of the month."""
        reach = self.reaches[video.slot]
        return video.count(metric, reach[-1]) - video.count(metric, reach[-1 - MONTH_DAYS])


class Series:
    """Per-day numbers of accounts. Months are cached because many endpoints read the same one."""

    def __init__(self, video_store: VideoStore) -> None:
        self._video_store = video_store
        self.month = lru_cache(maxsize=4_096)(self._month)
        self.totals = lru_cache(maxsize=16_384)(self._totals)
        self.day_plays = lru_cache(maxsize=16_384)(self._day_plays)
        self.fans_at_midnights = lru_cache(maxsize=4_096)(self._fans_at_midnights)

    def _month(self, account: SandboxAccount, last: int) -> Month:
        first = last - _WINDOW_DAYS + 1
        midnights = [day_start(day) for day in range(first, last + 2)]
        breathed = [breathing(m) for m in midnights]
        videos = tuple(self._video_store.between(account, midnights[0] - LIFE_S - DAY_S, midnights[-1] - 1))
        reaches = {}
        for v in videos:
            at, scale = v.curve.at, v.scale
            stop = breathing(v.private_at) if v.private_at < midnights[-1] else None
            if stop is None:
                reaches[v.slot] = array("d", [scale * at(b) for b in breathed])
            else:
                reaches[v.slot] = array("d", [scale * at(min(b, stop)) for b in breathed])
        return Month(account, first, last, videos, reaches)

    def _totals(self, account: SandboxAccount, last: int, metric: int) -> tuple[int, ...]:
        """Return sums over the account's videos for each of the 31 days that end with ``last``."""
        month = self.month(account, last)
        sums = [0] * _WINDOW_DAYS
        for v in month.videos:
            ratio, before = v.ratios[metric], None
            for j, reach in enumerate(month.reaches[v.slot]):
                now = int(ratio * reach)
                if before is not None:
                    sums[j - 1] += now - before
                before = now
        return tuple(sums)

    def _day_plays(self, account: SandboxAccount, day: int) -> int:
        """Return the plays of one day over all videos: the last of :meth:`totals`, without its month."""
        start, end = day_start(day), day_start(day + 1)
        videos = self._video_store.between(account, start - LIFE_S - DAY_S, end - 1)
        return sum(int(v.reach(end)) - int(v.reach(start)) for v in videos)

    def fans(self, account: SandboxAccount, instant: float) -> int:
        """Return the fans at an instant: the account's own growth and the fans its videos brought."""
        videos = self._video_store.between(account, instant - LIFE_S, instant)
        return self.own_fans(account, instant) + int(sum(v.fans(v.reach(instant), instant) for v in videos))

    def own_fans(self, account: SandboxAccount, instant: float) -> int:
        """Return fans apart from single videos: a slow trend, and people who come and go from day to day."""
        day = day_of(instant)
        before, after = (unit(mix(account.key, 502, d)) for d in (day, day + 1))
        restless = before + (after - before) * (instant - day_start(day)) / DAY_S
        trend = max(0.5, 1 + account.growth * (instant - _EPOCH_2026) / _YEAR_S)
        return int(account.base_fans * (trend + 0.0012 * restless))

    def _fans_at_midnights(self, account: SandboxAccount, last: int) -> tuple[int, ...]:
        """Return the fans at the 32 midnights around the 31 days that end with ``last``."""
        month, totals = self.month(account, last), []
        for j in range(_WINDOW_DAYS + 1):
            instant = day_start(month.first + j)
            brought = sum(v.fans(month.reaches[v.slot][j], instant) for v in month.videos if v.created < instant)
            totals.append(self.own_fans(account, instant) + int(brought))
        return tuple(totals)

    def day_fans(self, account: SandboxAccount, last: int) -> int:
        """Return the fans at the end of ``last``."""
        return self.fans_at_midnights(account, last)[-1]

    def visitors(self, account: SandboxAccount, last: int, day: int) -> int:
        """Return the people on the account's page on ``day``: from its videos, and some of its fans."""
        from_videos = self.totals(account, last, METRICS.index("profile"))[day - last + _WINDOW_DAYS - 1]
        of_fans = account.base_fans * 0.004 * (0.7 + 0.6 * unit(mix(account.key, 501, day)))
        return from_videos + int(of_fans)

    def issues(self, account: SandboxAccount, day: int) -> tuple[int, int]:
        """Return (videos published on ``day``, videos ever published at its end)."""
        total = self._video_store.issued(account, day)
        start = day_start(day)
        return len(self._video_store.between(account, start - 1, start + DAY_S - 1)), total


def age_in_days(video: Video, instant: float) -> int:
    """Return the Beijing days since the creation day."""
    return day_of(instant) - day_of(video.created)
