"""Invent the videos of an account: creation times, titles, and how they are played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from sandbox.clock import DAY_S, day_start
from sandbox.hashing import DeterministicRng, mix, name
from sandbox.vocabulary import FRIENDS, TITLE_OBJECTS, TITLE_OPENINGS, TOPICS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.curves import LIFE_S, LifeCurve, breathing, smoothstep
from sandbox.world.ids import ItemIds

_WEEK_DAYS = 7
_FIRST_MONDAY = 4
"""1970-01-05, the first Monday of the epoch, as a day number; weeks count from here."""
_PER_WEEK = 128
"""Slots of a week: more videos than that are not published."""
MONTH_DAYS = 30
METRICS = ("play", "like", "comment", "share", "download", "forward", "profile")
"""Counters of a video that follow its plays, each by a ratio of the video's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """One video. ``created`` and ``private_at`` are epoch seconds (the latter may be infinite).

    ``scale`` is the plays it will ever have; ``ratios`` are counts per play in the order of :data:`METRICS`;
    ``fans_ratio`` is new fans per play.
    """

    owner: int
    slot: int
    key: int
    created: int
    private_at: float
    scale: float
    curve: LifeCurve
    ratios: tuple[float, ...]
    fans_ratio: float
    duration_s: float
    album: bool
    pinned: bool

    def reach(self, instant: float) -> float:
        """Return the plays until ``instant``, not rounded; they stop once the video is private."""
        return self.scale * self.curve.at(breathing(min(instant, self.private_at)))

    def count(self, metric: int, reach: float) -> int:
        """Return the counter ``metric`` (index in :data:`METRICS`) at a given number of plays."""
        return int(self.ratios[metric] * reach)

    def fans(self, reach: float, instant: float) -> float:
        """Return the fans that it brought and who stayed: some leave from the third week on."""
        return self.fans_ratio * reach * (1 - smoothstep((instant - self.created - 20 * DAY_S) / (LIFE_S - 20 * DAY_S)))


def _week_of(instant: float) -> int:
    return int((instant - day_start(_FIRST_MONDAY)) // (_WEEK_DAYS * DAY_S))


def _week_start(week: int) -> int:
    return day_start(_FIRST_MONDAY + week * _WEEK_DAYS)


def _published_before(account: SandboxAccount, week: int) -> int:
    """Count the videos published before a week, from an arbitrary beginning in the past."""
    return math.floor(account.per_week * (week - 2_600) + account.phase)


_THROTTLED = 0.04
"""Share of its plays that a video gets if the platform hardly shows it (限流)."""


def make_video(seed: int, account: SandboxAccount, slot: int, created: int) -> Video:
    """Create the video that ``account`` published at ``created`` in the slot of its calendar."""
    draw = DeterministicRng(seed, name("video"), account.key, slot)
    wave = (
        (draw.between(0.15, 0.35), draw.between(4, 18) * DAY_S, draw.between(1, 3) * DAY_S)
        if draw.chance(0.1)
        else None
    )
    curve = LifeCurve(
        created, draw.log_between(0.6, 2.2) * DAY_S, draw.between(10, 22) * DAY_S, draw.between(0.1, 0.3), wave
    )
    like = draw.log_between(0.012, 0.07)
    ratios = (
        1.0,
        like,
        like * draw.log_between(0.03, 0.15),
        like * draw.log_between(0.02, 0.12),
        like * draw.log_between(0.01, 0.06),
        like * draw.log_between(0.005, 0.04),
        draw.log_between(0.004, 0.03),
    )
    throttled = DeterministicRng(seed, name("throttled"), account.key, slot).chance(0.06)
    private_at = created + draw.between(3, 60) * DAY_S if draw.chance(0.06) else math.inf
    return Video(
        owner=account.index,
        slot=slot,
        key=draw.key,
        created=created,
        private_at=private_at,
        scale=draw.lognormal(8 * account.base_fans**0.75, 0.9) * (_THROTTLED if throttled else 1.0),
        curve=curve,
        ratios=ratios,
        fans_ratio=draw.log_between(0.0008, 0.006),
        duration_s=draw.log_between(4, 38),
        album=draw.chance(0.12),
        pinned=draw.chance(0.05),
    )


def title_of(key: int, category: str, extra: str = "") -> str:
    """Return a title with hashtags, sometimes mentioning a person with @; it contains the phrase ``extra``."""
    draw = DeterministicRng(key, name("title"))
    text = extra or draw.pick(TITLE_OPENINGS) + draw.pick(TITLE_OBJECTS[category])
    if draw.chance(0.15):
        text += f" @{draw.pick(FRIENDS)}"
    first, second = draw.pick(TOPICS[category]), draw.pick(TOPICS[category])
    text += f" #{first}"
    if draw.chance(0.6) and second != first:
        text += f" #{second}"
    return text


class VideoStore:
    """All videos of all accounts, computed on demand."""

    def __init__(self, seed: int, id_seed: int) -> None:
        self._seed = seed
        self.ids = ItemIds(id_seed)
        self.week = lru_cache(maxsize=131_072)(self._week)
        self._around = lru_cache(maxsize=8_192)(self._around_week)

    def _week(self, account: SandboxAccount, week: int) -> tuple[Video, ...]:
        """Return the videos of one calendar week, oldest first."""
        number = min(_published_before(account, week + 1) - _published_before(account, week), _PER_WEEK)
        start, times = _week_start(week), []
        for k in range(number):
            draw = DeterministicRng(self._seed, name("slot"), account.key, week, k)
            day = (
                (k * _WEEK_DAYS // number + draw.bits() % 2) % _WEEK_DAYS
                if number <= _WEEK_DAYS
                else draw.bits() % _WEEK_DAYS
            )
            times.append(start + day * DAY_S + draw.pick(account.hours) * 3_600 + draw.bits() % 3_600)
        times.sort()
        for k in range(1, number):
            times[k] = max(times[k], times[k - 1] + 1)
        return tuple(make_video(self._seed, account, week * _PER_WEEK + k, created) for k, created in enumerate(times))

    def _around_week(self, account: SandboxAccount, first: int, last: int) -> tuple[Video, ...]:
        return tuple(v for week in range(first, last + 1) for v in self.week(account, week))

    def between(self, account: SandboxAccount, start: float, end: float) -> list[Video]:
        """Return the videos created in (start, end], oldest first."""
        return [v for v in self._around(account, _week_of(start), _week_of(end)) if start < v.created <= end]

    def listed(self, account: SandboxAccount, instant: float) -> list[Video]:
        """Return the videos that the account shows at ``instant``, oldest first."""
        return self.between(account, instant - account.listed_s, instant)

    def find(self, account: SandboxAccount, slot: int, instant: float) -> Video | None:
        """Return the listed video in ``slot``."""
        week, k = divmod(slot, _PER_WEEK)
        if not _week_of(instant - account.listed_s) <= week <= _week_of(instant):
            return None
        videos = self.week(account, week)
        video = videos[k] if k < len(videos) else None
        return video if video and instant - account.listed_s < video.created <= instant else None

    def find_number(self, account: SandboxAccount, video_id: str, instant: float) -> Video | None:
        """Return the listed video with this clear id (video_id)."""
        created = int(video_id) >> 32 if len(video_id) <= 19 and video_id.isascii() and video_id.isdigit() else 0
        if not instant - account.listed_s < created <= instant:
            return None
        videos = self.between(account, created - 1, created)
        return next((v for v in videos if video_number(v.key, v.created) == video_id), None)

    def issued(self, account: SandboxAccount, day: int) -> int:
        """Count the videos ever published until the end of ``day``, taken-down ones included."""
        end = day_start(day + 1)
        week = _week_of(end - 1)
        so_far = sum(v.created < end for v in self.week(account, week))
        return _published_before(account, week) - _published_before(account, 2_800) + so_far

    def item_id(self, video: Video) -> str:
        """Return the item_id of a video."""
        return self.ids.write(video.owner, video.slot)


def video_number(key: int, created: int) -> str:
    """Return the clear id (video_id): 19 digits that rise with the creation time."""
    return str((created << 32 | mix(key, 77) & 0xFFFFFFFF) & ((1 << 63) - 1))


def cover_url(key: int) -> str:
    """Return the URL of a cover image."""
    host = 1 + key % 9
    name, expires = f"{key & 0xFFFFFFFFFF:010x}", 1_900_000_000 + key % 99_999
    return f"https://p{host}-sign.example.cn/obj/cover-{name}.jpeg?x-expires={expires}&x-signature={key >> 24:010x}"


def share_url(key: int) -> str:
    """Return the URL under which a video is shared."""
    return f"https://www.iesdouyin.example.cn/share/video/{key & 0xFFFFFFFFFFFF:012x}/?region=CN"
