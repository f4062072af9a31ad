"""Compute comments under videos: as many as the video's counter says, arriving when the counter rises.

The n-th comment of a video (replies count too) is written when the counter reaches n. A comment that is taken back
leaves its place to a new one, so visible comments and counter agree at every instant. Only on one video in eight
moderation hid a few that the counter still counts. All comments that a video will ever get are computed once, as
arrays; those visible at an instant follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sandbox.clock import DAY_S, day_of
from sandbox.hashing import DeterministicRng, mix, name
from sandbox.phrases import AUTHOR_REPLIES, COMMENTS, EDITS, ENDINGS, REPLIES
from sandbox.vocabulary import FRIENDS, GOODS, PLACES, TITLE_OBJECTS, TOPICS
from sandbox.world.accounts import SandboxAccount
from sandbox.world.curves import LIFE_S
from sandbox.world.ids import ItemIds
from sandbox.world.leads import Leads
from sandbox.world.people import People
from sandbox.world.videos import METRICS, Video

_COMMENT = METRICS.index("comment")
_NEVER = np.iinfo(np.int64).max
_REPLIES, _TAKEN_BACK, _HIDDEN, _EDITED = 0.28, 0.03, 0.04, 0.03
"""Shares of comments: replies; taken back later; hidden on a moderated video; changed once."""
_TALKS = 1.5
"""Replies gather under few comments: with n comments, under this times the root of n, spread over the video's life."""
_BY_AUTHOR, _BY_CUSTOMER = 0.12, 0.06
"""Shares of replies that the video's author writes, and of comments by customers of the account."""
_KINDS = tuple(texts for weight, texts in COMMENTS for _ in range(weight))


def _mixed(key: int, what: str, size: int) -> np.ndarray:
    """Return ``size`` numbers in [0, 1), each from (key, what, its place) alone."""
    h = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(mix(key, name(what)))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        h = (h ^ h >> np.uint64(shift)) * np.uint64(factor)
    return ((h ^ h >> np.uint64(31)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class Thread:
    """All comments that a video will ever have, in the order of their places.

    ``parent`` is the place of the comment that a reply belongs to, -1 for comments on the video. ``again`` is when the
    first comment of a place is taken back and another takes the place (a day that never comes: never). Times are epoch
    seconds. ``likes`` are final. ``pinned`` says since when a place is pinned.
    """

    created: np.ndarray
    parent: np.ndarray
    again: np.ndarray
    hidden: np.ndarray
    edited: np.ndarray
    likes: np.ndarray
    pinned: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A thread at an instant: arrays over the places that are taken by then.

    ``written`` is the instant of the comment that occupies a place now.
    """

    thread: Thread
    instant: float
    written: np.ndarray
    second: np.ndarray
    likes: np.ndarray
    replies: np.ndarray
    tops: np.ndarray
    """Places of comments on the video, oldest first."""

    def order(self, sort_type: str | None, parent: int | None) -> np.ndarray:
        """Return places of comments (or replies to ``parent``) in the platform's order, hidden ones included.

        ``time`` is newest first, ``time_asc`` oldest first, None the recommended order (liked most first). Pinned ones
        lead unless the order is ``time_asc``.
        """
        places = self.tops if parent is None else np.flatnonzero(self.thread.parent[: len(self.written)] == parent)
        written = self.written[places]
        if sort_type is None:
            order = np.lexsort((places, -self.likes[places]))
        else:
            order = np.lexsort((places, written))
            order = order[::-1] if sort_type == "time" else order
        places = places[order]
        if parent is None and sort_type != "time_asc":
            first = [n for n, since in self.thread.pinned.items() if n < len(self.written) and since <= self.instant]
            if first:
                places = np.concatenate((np.array(first, places.dtype), places[~np.isin(places, first)]))
        return places

    def pinned(self, place: int) -> bool:
        """Report whether the comment at a place is pinned by now."""
        return self.thread.pinned.get(place, _NEVER) <= self.instant


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """Text and author of a comment; nickname and avatar are None where the platform does not show them."""

    comment_id: str
    open_id: str
    content: str
    nickname: str | None
    avatar: str | None


class Comments:
    """The comments of a world."""

    def __init__(self, seed: int, id_seed: int, people: People, leads: Leads) -> None:
        self._people, self._leads = people, leads
        self._ids = ItemIds(id_seed, "comment", "@cm")
        self._thread = lru_cache(maxsize=512)(self._make_thread)
        self.view = lru_cache(maxsize=128)(self._view)
        self._orders = lru_cache(maxsize=256)(self._order)
        self._content = lru_cache(maxsize=16_384)(self._write)

    def _make_thread(self, video: Video) -> Thread:
        end = min(video.created + LIFE_S + DAY_S, video.private_at)
        final = video.count(_COMMENT, video.reach(end))
        shares = np.arange(1, final + 1) / (video.ratios[_COMMENT] * video.scale)
        created = np.maximum(video.curve.seconds_before(shares, video.created, end), int(video.created))

        def draw(what: str) -> np.ndarray:
            return _mixed(video.key, what, final)

        is_reply = draw("reply") < _REPLIES
        is_reply[:1] = False
        tops = np.flatnonzero(~is_reply)
        before = np.searchsorted(tops, np.arange(final))  # comments on the video before each place
        talk = (draw("parent") * _TALKS * np.sqrt(before)).astype(np.int64)
        parent = np.where(is_reply, tops[(talk * talk / _TALKS**2).astype(np.int64)] if final else -1, -1)
        answered = np.zeros(final, bool)
        answered[parent[is_reply]] = True
        steady = DeterministicRng(video.key, name("pins"))
        pinned = {}
        for place in tops[: steady.bits() % 3 if steady.chance(0.4) else 0].tolist():
            pinned[place] = int(created[place] + steady.between(60, 2 * DAY_S))
        answered[list(pinned)] = True

        delay = 600 * (20 * DAY_S / 600) ** draw("delay")
        again = np.where(~answered & (draw("taken back") < _TAKEN_BACK), created + delay.astype(np.int64), _NEVER)
        hidden = ~answered & (draw("hidden") < _HIDDEN) & (video.key % 8 == 0)
        later = 300 * (12 * DAY_S / 300) ** draw("edit")
        edited = np.where(draw("edited") < _EDITED, created + later.astype(np.int64), _NEVER)
        likes = (0.25 * (np.maximum(draw("likes"), 1e-6) ** -0.75 - 1) * max(1.0, final**0.4)).astype(np.int64)
        return Thread(created, parent, again, hidden, edited, np.minimum(likes, final * 8), pinned)

    def _view(self, video: Video, instant: float) -> View:
        thread = self._thread(video)
        size = min(video.count(_COMMENT, video.reach(instant)), len(thread.created))
        second = thread.again[:size] <= instant
        written = np.where(second, thread.again[:size], thread.created[:size])
        grown = 1 - np.exp((written - instant) / (1.5 * DAY_S))
        likes = (np.where(second, thread.likes[:size] // 2, thread.likes[:size]) * np.maximum(grown, 0)).astype(
            np.int64
        )
        parent = thread.parent[:size]
        replies = np.bincount(parent[(parent >= 0) & ~thread.hidden[:size]], minlength=size)
        return View(thread, instant, written, second, likes, replies, np.flatnonzero(parent < 0))

    def _order(self, video: Video, instant: float, sort_type: str | None, parent: int | None) -> np.ndarray:
        return self.view(video, instant).order(sort_type, parent)

    def page(
        self, video: Video, instant: float, sort_type: str | None, parent: int | None, start: int, count: int
    ) -> tuple[list[int], int]:
        """Return (places of one page without the hidden ones, number of places of the whole listing)."""
        order, hidden = self._orders(video, instant, sort_type, parent), self._thread(video).hidden
        return [n for n in order[start : start + count].tolist() if not hidden[n]], len(order)

    # ---- one comment

    def content(self, account: SandboxAccount, video: Video, view: View, place: int) -> WrittenComment:
        """Return the comment that is at ``place`` now; ``account`` is the video's author."""
        second = bool(view.second[place])
        edited = not second and bool(view.thread.edited[place] <= view.instant)
        return self._content(account, video, place, second, edited)

    def comment_id(self, video: Video, place: int, second: bool) -> str:
        """Return the id of a place's first or second comment."""
        return self._ids.write(video.key & 0xFFFFFFFF, place << 1 | second)

    def find(self, video: Video, instant: float, comment_id: str) -> int | None:
        """Return the place of a comment on ``video`` (no reply) that is visible now.

        Raises:
            LookupError: it is a comment of another video.
        """
        found = self._ids.read(comment_id)
        if found is None:
            return None
        if found[0] != video.key & 0xFFFFFFFF:
            raise LookupError(comment_id)
        place, second = found[1] >> 1, bool(found[1] & 1)
        view = self.view(video, instant)
        there = place < len(view.written) and bool(view.second[place]) == second
        return place if there and view.thread.parent[place] < 0 and not view.thread.hidden[place] else None

    def _write(self, account: SandboxAccount, video: Video, place: int, second: bool, edited: bool) -> WrittenComment:
        thread = self._thread(video)
        draw = DeterministicRng(video.key, name("comment"), place, second)
        is_reply = bool(thread.parent[place] >= 0)
        by_author = is_reply and draw.chance(_BY_AUTHOR)
        if by_author:
            content = draw.pick(AUTHOR_REPLIES)
        else:
            content = draw.pick(REPLIES) if is_reply else draw.pick(draw.pick(_KINDS))
            if "{" in content:
                content = content.format(
                    goods=draw.pick(GOODS),
                    object=draw.pick(TITLE_OBJECTS[account.category]),
                    place=draw.pick(PLACES),
                    friend=draw.pick(FRIENDS),
                    topic=draw.pick(TOPICS[account.category]),
                )
            if draw.chance(0.4):
                content += draw.pick(ENDINGS) * (1 + draw.bits() % 3)
        if edited:
            content += DeterministicRng(video.key, name("edit"), place).pick(
                EDITS
            )  # its own sequence: the person stays the same
        comment_id = self.comment_id(video, place, second)
        if by_author:
            return WrittenComment(comment_id, account.open_id, content, account.nickname, account.avatar)
        number = self._people.of_audience(account, draw.bits())
        if draw.chance(_BY_CUSTOMER):
            customers = self._leads.customers(account, day_of(int(thread.created[place])))
            number = draw.pick(customers).number if customers else number
        person = self._people.person(number)
        shown = (person.nickname, person.avatar) if person.shown else (None, None)
        return WrittenComment(comment_id, person.open_id, content, *shown)
