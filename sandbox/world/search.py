"""Search videos by keyword (关键词视频搜索): mostly of people who did not authorise the app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sandbox.clock import DAY_S, day_of, day_start
from sandbox.hashing import DeterministicRng, mix, name
from sandbox.world.accounts import SandboxAccount, make_account
from sandbox.world.ids import ItemIds
from sandbox.world.videos import Video, VideoStore, make_video, title_of

SEARCH_DAYS = 30
"""Highest age of a found video of another author, in days."""
_CREATORS = 400
_FIRST_CREATOR = 1_000_000
"""Index of the first creator who did not authorise the app: no account has it."""
_CREATOR_FANS = 40_000
"""None of them has more fans, so that their comments can be read in a minute."""
_OF_OTHERS = 0x5000_0000
"""In ids of found videos, together with 28 bits of the keyword: in place of an account's index."""
_PER_DAY = 8
_OWN_ACCOUNTS, _OWN_VIDEOS = 12, 5
"""The search covers so many of the world's own accounts, and finds at most so many of their videos."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchMatch:
    """A found video, its author and its title."""

    video: Video
    author: SandboxAccount
    title: str


class Search:
    """Search for videos by keyword, and by sec_item_id."""

    def __init__(self, seed: int, id_seed: int, accounts: Sequence[SandboxAccount], video_store: VideoStore) -> None:
        self._seed, self._id_seed, self._accounts, self._video_store = seed, id_seed, accounts, video_store
        self._ids = ItemIds(id_seed, "sec item", "@s")
        self._creator = lru_cache(maxsize=_CREATORS)(self._make_creator)
        self._of_day = lru_cache(maxsize=8_192)(self._made_on)
        self.video = lru_cache(maxsize=4_096)(self._video)

    def _make_creator(self, k: int) -> SandboxAccount:
        account = make_account(self._seed, self._id_seed, _FIRST_CREATOR + k, 12)
        nickname = account.nickname.removesuffix(str(_FIRST_CREATOR + k))
        return replace(account, nickname=nickname, base_fans=min(account.base_fans, _CREATOR_FANS))

    def _video(self, owner: int, slot: int) -> tuple[SandboxAccount, Video]:
        """Return (author, video) of another author, from the two numbers in its id."""
        day, k = divmod(slot, _PER_DAY)
        draw = DeterministicRng(self._seed, name("found"), owner, day, k)
        author = self._creator(draw.bits() % _CREATORS)
        created = day_start(day) + draw.pick(author.hours) * 3_600 + draw.bits() % 3_600
        video = make_video(self._seed, author, mix(owner, slot) & 0xFFFFFFFF, created)
        return author, replace(video, owner=owner, slot=slot)

    def _made_on(self, owner: int, day: int) -> tuple[tuple[SandboxAccount, Video], ...]:
        number = (0, 0, 1, 1, 2, 3)[mix(self._seed, owner, day) % 6]
        return tuple(self.video(owner, day * _PER_DAY + k) for k in range(number))

    def find(self, account: SandboxAccount, keyword: str, instant: float) -> list[SearchMatch]:
        """Return the videos that ``keyword`` finds now, the most played first; private ones are not found."""
        owner = _OF_OTHERS | name(keyword) & 0x0FFFFFFF
        found = [
            SearchMatch(video, author, title_of(video.key, author.category, keyword))
            for day in range(day_of(instant) - SEARCH_DAYS, day_of(instant) + 1)
            for author, video in self._of_day(owner, day)
            if instant - SEARCH_DAYS * DAY_S <= video.created <= instant
        ]
        own, authors = [], [account, *(a for a in self._accounts[:_OWN_ACCOUNTS] if a is not account)]
        for author in authors:
            titles = ((v, title_of(v.key, author.category)) for v in self._video_store.listed(author, instant))
            own += [SearchMatch(v, author, title) for v, title in titles if keyword in title]
        found += own[:_OWN_VIDEOS]
        shown = [f for f in found if f.video.private_at > instant]
        return sorted(shown, key=lambda f: (-f.video.scale, f.video.key))

    def sec_item_id(self, video: Video) -> str:
        """Return the sec_item_id of a found video."""
        return self._ids.write(video.owner, video.slot)

    def find_video(self, sec_item_id: str, instant: float) -> tuple[SandboxAccount, Video] | None:
        """Return (author, video) of a sec_item_id while the video exists."""
        place = self._ids.read(sec_item_id)
        if place is None:
            return None
        owner, slot = place
        if owner < len(self._accounts):
            account = self._accounts[owner]
            video = self._video_store.find(account, slot, instant)
            return (account, video) if video else None
        author, video = self.video(owner, slot)
        return (author, video) if video.created <= instant else None
