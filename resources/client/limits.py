"""Rate limiter: enforce the rate, concurrency and daily quota of each scope before a call.

All processes of the machine reserve time slots from the state database, which limits the rate. A missed slot is
dropped and not made up for: sending late would put more calls into the following second than the limit allows. At high
rates a few calls start together, at the time of the first one's slot: waking up for each call costs half as much again
(``benchmarks/client.py``).
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
from resources.config.settings import Settings
from resources.config.settings_parts import ScopeLimit
from resources.state import State
from resources.state.limits import give_back, mark_exhausted, reserve

T = TypeVar("T")

HEADROOM = 0.985
"""Share of the rate that is used.

The rest absorbs up to 15 ms of jitter between our clock and the platform's counter.
"""
_LATE_S = 0.012
"""Longest delay with which a slot is still used; less than the jitter that HEADROOM absorbs."""
_BATCH_S = 0.1
"""Longest period whose slots are reserved at a time: a process that dies wastes no more."""
_TOGETHER = 10
"""Largest number of calls that start together."""
_EASED_BACK_PER_S = 0.01
_SLOWEST = 1 / 64
_QUOTA_CODE = 28003017


@dataclass
class _Lane:
    """Queue of one scope in this process.

    ``slots`` are reserved times in epoch seconds; ``credits`` are calls counted against the quota and not yet made.
    """

    scope: str
    limit: ScopeLimit
    together: int
    """Number of calls that start together if so many are waiting."""
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
        """Current rate in slots per second."""
        return (self.limit.qps or 1.0) * HEADROOM * self.factor()


def _together(limit: ScopeLimit) -> int:
    """Return how many calls may start together at the time of the first one's slot.

    HEADROOM must cover the group, so that no second has more calls than the limit even if other calls start at their
    own slots. The number must divide the limit, so that HEADROOM also covers jitter between groups.
    """
    qps = limit.qps or 1.0
    most = min(_TOGETHER, 1 + math.floor(qps * (1 - HEADROOM)))
    return max((n for n in range(1, most + 1) if qps % n == 0), default=1)


class Limiter:
    """Issuer of call permits: one per client, coordinated between processes through the state database."""

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
        """Wait for permission to make one call of ``scope``; leave the block when the response is complete.

        ``check`` runs while the call waits. ``begin`` runs once, when the call has its slot and its share of the
        concurrency; the block receives its result. If one of them raises, neither slot nor quota is used.

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
        """Reduce the rate by a tenth after a refusal; it recovers within seconds."""
        lane = self._lane(scope)
        lane.eased, lane.eased_at = max(0.5, lane.factor() / lane.ceiling * 0.9), time.monotonic()

    def pause(self, scope: str, seconds: float) -> None:
        """Start no call of the scope for ``seconds``."""
        lane = self._lane(scope)
        lane.paused_until = max(lane.paused_until, time.monotonic() + seconds)

    async def exhaust(self, scope: str) -> None:
        """Record that the platform reported today's quota as used up."""
        lane = self._lane(scope)
        lane.spent = self._clock.today()
        lane.slots.clear()
        await self._background.run(mark_exhausted, self._state, self._client_key, scope, lane.spent)

    async def close(self) -> None:
        """Return calls to the daily quotas that were counted and not made."""
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
            # Only the first call in a scope's queue waits for the concurrency limit. Otherwise the calls of a slow
            # scope would occupy it entirely while they wait for their slots, and block the fast scopes.
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
        """Run ``begin`` for the call that starts next, and delay the following calls by the time it took.

        Thus no second has more calls than the limit.
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
                continue  # slots may have been cleared meanwhile
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
        # Reserve whole groups only, so that the groups of all processes follow each other.
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
            credits=lane.credits,
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
