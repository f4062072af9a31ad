"""Keeping the platform's limits before the call: rate, concurrency and daily quota of each scope.

The rate is kept by time slots which all processes of the machine reserve from the state database.
A slot that was missed is dropped, not made up for: sending late would put more calls into the
following second than the limit allows. At high rates a few calls depart together, at the time of the
first one's slot: waking up for each call costs half as much again (``benchmarks/client.py``).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from catalog.errors import Action, error_for
from resources.client.background import Background
from resources.client.errors import QuotaExhausted
from resources.config.clock import Clock
from resources.config.settings import ScopeLimit, Settings
from resources.state import State
from resources.state.limits import give_back, mark_exhausted, reserve

T = TypeVar("T")

HEADROOM = 0.985
"""Share of the rate that is used.

The rest absorbs up to 15 ms of jitter between our clock and the platform's counter.
"""
_LATE_S = 0.012
"""A slot may be used so much later than its time; less than the jitter that HEADROOM absorbs."""
_BATCH_S = 0.1
"""At most the slots of so long are reserved at a time: a process that dies wastes no more."""
_TOGETHER = 10
"""At most so many calls depart at a time."""
_EASED_BACK_PER_S = 0.01
_SLOWEST = 1 / 64
_QUOTA_CODE = 28003017


@dataclass
class _Lane:
    """The line of one scope in this process.

    ``slots`` are epoch seconds; ``credits`` are calls counted and not yet made.
    """

    scope: str
    limit: ScopeLimit
    together: int
    """How many calls depart at a time, where so many wait."""
    head: asyncio.Lock = field(default_factory=asyncio.Lock)
    slots: deque[float] = field(default_factory=deque)
    waiting: int = 0
    credits: int = 0
    day: date | None = None
    spent: date | None = None  # the day whose quota is used up
    ceiling: float = 1.0
    eased: float = 1.0
    eased_at: float = 0.0
    paused_until: float = 0.0  # monotonic

    def factor(self) -> float:
        recovered = _EASED_BACK_PER_S * (time.monotonic() - self.eased_at)
        return self.ceiling * min(1.0, self.eased + recovered)

    @property
    def rate(self) -> float:
        """Slots a second at present."""
        return (self.limit.qps or 1.0) * HEADROOM * self.factor()


def _together(limit: ScopeLimit) -> int:
    """How many calls may depart at the time of the first one's slot: what HEADROOM covers, so that no second sees more calls than the
    limit also where others depart each at its own slot; and a number that divides the limit, so that among groups
    jitter is covered, too.
    """
    qps = limit.qps or 1.0
    most = min(_TOGETHER, 1 + math.floor(qps * (1 - HEADROOM)))
    return max((n for n in range(1, most + 1) if qps % n == 0), default=1)


class Limiter:
    """Hands out permits. One for a client; processes meet in the state database."""

    def __init__(self, settings: Settings, state: State, clock: Clock, background: Background) -> None:
        self._client_key = settings.client_key or ""
        self._settings = settings
        self._state = state
        self._clock = clock
        self._background = background
        self._flying = asyncio.Semaphore(settings.concurrency)
        self._lanes: dict[str, _Lane] = {}
        self._accounts: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.per_account)
        )

    @asynccontextmanager
    async def permit(
        self,
        scope: str,
        open_id: str = "",
        *,
        check: Callable[[], None] | None = None,
        begin: Callable[[], Awaitable[T]] | None = None,
    ) -> AsyncIterator[T | None]:
        """Leave to make one call of ``scope`` now; held until the response is there.

        ``check`` runs while the call waits, and ``begin`` once, when it has its slot and its place in the air; the
        permit is what ``begin`` gives. Where one of them raises, neither slot nor quota is used.

        Raises:
            QuotaExhausted: the day's calls of the scope are used up; nothing was called.
        """
        if not open_id:
            async with self._departure(scope, check, begin) as begun:
                yield begun
            return
        async with self._accounts[open_id], self._departure(scope, check, begin) as begun:
            yield begun

    def slow_down(self, scope: str) -> None:
        """Halve the rate of the scope for the rest of the run."""
        lane = self._lane(scope)
        lane.ceiling = max(_SLOWEST, lane.ceiling / 2)
        lane.slots.clear()

    def ease(self, scope: str) -> None:
        """Take a tenth off the rate after a refusal; it grows back within seconds."""
        lane = self._lane(scope)
        lane.eased, lane.eased_at = max(0.5, lane.factor() / lane.ceiling * 0.9), time.monotonic()

    def pause(self, scope: str, seconds: float) -> None:
        """Let nothing of the scope depart for so long."""
        lane = self._lane(scope)
        lane.paused_until = max(lane.paused_until, time.monotonic() + seconds)

    async def exhaust(self, scope: str) -> None:
        """Record the platform's own word that today's quota is used up."""
        lane = self._lane(scope)
        lane.spent = self._clock.today()
        lane.slots.clear()
        await self._background.run(mark_exhausted, self._state, self._client_key, scope, lane.spent)

    async def close(self) -> None:
        """Give back what was counted and not called."""
        for lane in self._lanes.values():
            await self._return_credits(lane)

    def _lane(self, scope: str) -> _Lane:
        if scope not in self._lanes:
            limit = self._settings.limit(scope)
            self._lanes[scope] = _Lane(scope, limit, _together(limit))
        return self._lanes[scope]

    @asynccontextmanager
    async def _departure(
        self, scope: str, check: Callable[[], None] | None, begin: Callable[[], Awaitable[T]] | None
    ) -> AsyncIterator[T | None]:
        lane = self._lane(scope)
        lane.waiting += 1
        try:
            # Only the head of a scope's line waits for a place in the air. Otherwise the calls of a slow
            # scope would hold all places while they wait for their slots, and stop the fast scopes.
            async with lane.head:
                slot = await self._next_slot(lane, check)
                await self._flying.acquire()
                try:
                    while time.time() > slot + _LATE_S:
                        slot = await self._next_slot(lane, check)
                    begun = None if begin is None else await self._begin(lane, slot, begin)
                    lane.credits -= 1
                except BaseException:
                    self._flying.release()
                    raise
        finally:
            lane.waiting -= 1
        try:
            yield begun
        finally:
            self._flying.release()

    async def _begin(self, lane: _Lane, slot: float, begin: Callable[[], Awaitable[T]]) -> T:
        """Run ``begin`` for the call that departs next.

        As late as that made it, as late are those behind it: no second sees more calls.
        """
        try:
            begun = await begin()
        except BaseException:
            lane.slots.appendleft(slot)
            raise
        if (late := time.time() - slot) > _LATE_S:
            self.pause(lane.scope, late)
        return begun

    async def _next_slot(self, lane: _Lane, check: Callable[[], None] | None) -> float:
        while True:
            if (rest := lane.paused_until - time.monotonic()) > 0:
                await asyncio.sleep(rest)
                continue
            if check:
                check()
            if not lane.slots or lane.credits < 1 or lane.day != self._clock.today():
                await self._reserve(lane)
                continue  # slots may have been taken back meanwhile
            slot = lane.slots.popleft()
            delay = slot - time.time()
            if delay < -_LATE_S:
                continue
            if delay > 0:
                await asyncio.sleep(delay)
            try:
                if check:
                    check()
            except BaseException:
                lane.slots.appendleft(slot)
                raise
            if lane.paused_until <= time.monotonic():
                return slot

    async def _reserve(self, lane: _Lane) -> None:
        day = self._clock.today()
        if lane.spent == day:
            raise self._exhausted(lane)
        if lane.day != day:
            await self._return_credits(lane)
            lane.day = day
        interval_s, waiting = 1 / lane.rate, min(lane.waiting, math.ceil(lane.rate * _BATCH_S))
        # Only whole groups, so that those of all processes follow each other.
        wanted = 0 if lane.slots else math.ceil(waiting / lane.together) * lane.together
        grant = await self._background.run(
            reserve,
            self._state,
            self._client_key,
            lane.scope,
            day,
            slots=wanted,
            interval_s=interval_s,
            calls=max(0, waiting - lane.credits),
            per_day=lane.limit.per_day,
            held=lane.credits,
        )
        lane.credits += grant.calls
        if lane.credits < 1:
            lane.spent = day
            raise self._exhausted(lane)
        group = lane.together if waiting >= lane.together else 1
        lane.slots.extend(grant.start + n // group * group * interval_s for n in range(grant.slots))

    async def _return_credits(self, lane: _Lane) -> None:
        unused, lane.credits = lane.credits, 0
        if unused and lane.day:
            await self._background.run(give_back, self._state, self._client_key, lane.scope, lane.day, unused)

    def _exhausted(self, lane: _Lane) -> QuotaExhausted:
        limit = f"the {lane.limit.per_day} calls" if lane.limit.per_day else "the calls"
        return QuotaExhausted(
            Action.QUOTA,
            None,
            f"{limit} of scope {lane.scope} on {self._clock.today()} (Beijing) are used up",
            advice=error_for(_QUOTA_CODE).advice,
        )
