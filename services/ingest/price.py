"""The price of a backfill, before it is paid: which days can be had from where, how many calls, how long, how much of the day's quota.

Nothing is called. What would be asked is worked out by the code that asks, from what the archive holds at this moment.
A call to a series is one call; a listing may take more pages than were planned for, so its number is marked as a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from math import ceil

from catalog import TABLES, endpoints_of
from catalog.records import Endpoint, History, Table, beijing_day
from resources.client.limits import HEADROOM
from resources.runtime import Runtime
from resources.state.inbox import receiving_since
from resources.state.limits import quota_day
from resources.state.load_status import Outcome, read_load_status
from resources.storage.archive import Archive
from services.ingest.fetch import plan_calls
from services.ingest.normalise import complete_sequences, known_days
from services.ingest.spans import spans
from services.ingest.subjects import UpstreamMissing


class From(StrEnum):
    """Where a partition can be had from."""

    CALL = "call"
    ARCHIVE = "archive"
    NOWHERE = "not at all"


@dataclass
class Price:
    """What bringing some partitions of a table up to date takes. ``calls`` are per (client_key, scope)."""

    table: Table
    days: dict[date, From] = field(default_factory=dict)
    reasons: dict[date, str] = field(default_factory=dict)
    """Why a day cannot be had."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    guessed: bool = False
    """Whether some of the calls are pages that were guessed from earlier listings."""
    lacking: str | None = None
    """What must be loaded before anything can be said."""

    def having(self, source: From) -> list[date]:
        return [d for d, s in self.days.items() if s is source]


@dataclass(frozen=True)
class ScopePrice:
    """One scope's share.

    ``seconds`` is the least time at the configured rate; ``per_day`` and ``left`` are None without a quota.
    """

    client_key: str
    scope: str
    calls: int
    seconds: float
    per_day: int | None
    left: int | None

    @property
    def share(self) -> float | None:
        """Of the daily quota, 0 to 1 and beyond."""
        return self.calls / self.per_day if self.per_day else None

    @property
    def days(self) -> int:
        """Over how many Beijing days the calls spread, today included."""
        if self.left is None or self.calls <= self.left:
            return 1
        return 1 + ceil((self.calls - self.left) / (self.per_day or self.calls))


def price_of(runtime: Runtime, table: Table, dts: Iterable[date]) -> Price:
    """What ``ingest(runtime, table, dts)`` would take at this moment."""
    wanted = sorted(set(dts))
    price = Price(table)
    endpoints = endpoints_of(table.name)
    reachable: set[date] = set()
    told_by_day: dict[date, str] = {}
    try:
        results, planned = plan_calls(runtime, endpoints, wanted)
    except UpstreamMissing as error:
        price.lacking = str(error)
        results, planned = [], []
    pages = {e.name: _pages(runtime.archive, e) for e in {p.endpoint.name: p.endpoint for p in planned}.values()}
    for call in planned:
        price.calls[call.client_key, call.endpoint.quota] += pages[call.endpoint.name]
        price.guessed |= call.endpoint.paging is not None
        reachable.update(call.dts)
    for one in results:
        for dt, accounts in one.told.items():
            reasons = sorted(
                (not t.outcome.is_missing, t.reason) for told in accounts.values() for t in told if t.reason
            )
            told_by_day.setdefault(dt, reasons[0][1] if reasons else "")
    known = known_days(runtime.archive, table, wanted)
    for dt in wanted:
        inboxed = table.history is History.EVENT and _received(runtime, dt)
        price.days[dt] = From.CALL if dt in reachable else From.ARCHIVE if dt in known or inboxed else From.NOWHERE
        if price.days[dt] is From.NOWHERE:
            price.reasons[dt] = (
                _why(runtime, table, endpoints, dt)
                or price.lacking
                or told_by_day.get(dt)
                or "there is nothing to ask for"
            )
    return price


def _why(runtime: Runtime, table: Table, endpoints: Iterable[Endpoint], dt: date) -> str | None:
    """Why a day that is not archived cannot be asked for."""
    today = runtime.clock.today()
    if dt > table.latest_partition(today):
        return f"has not begun: it is {today} in Beijing"
    if table.history is History.WINDOW:
        reach = max(w for e in endpoints for w in e.windows)
        return (
            f"older than the platform's window of {reach} days and not in the archive"
            if dt < today - timedelta(days=reach)
            else None
        )
    if table.history is History.VERSION:
        return None
    if table.history is History.EVENT:
        return NO_RECEIVER
    if any(e.has_past_days for e in endpoints):
        return None
    return None if dt == today else "nothing was archived on that day, and the platform shows only the present"


NO_RECEIVER = "no receiver ran on that day, and events are sent once: `douyin receive`"


def _received(runtime: Runtime, dt: date) -> bool:
    """Whether a receiver ran on a day, or before it."""
    starts = [receiving_since(runtime.state, app) for app in runtime.app_keys]
    return dt <= runtime.clock.today() and any(since is not None and beijing_day(since) <= dt for since in starts)


def _pages(archive: Archive, endpoint: Endpoint) -> int:
    """Calls that one question takes: for a listing as many as the latest ones took."""
    if endpoint.paging is None or not (days := archive.days(endpoint.name)):
        return 1
    entries = [e for e in archive.index(endpoint.name, days[-1:]) if e.ok]
    complete = complete_sequences(entries)
    return ceil(sum(e.sequence in complete for e in entries) / len(complete)) if complete else 1


def by_scope(runtime: Runtime, prices: Iterable[Price]) -> list[ScopePrice]:
    """The calls of all tables per app and scope, with time and quota, the longest first."""
    return scope_prices(runtime, sum((price.calls for price in prices), Counter()))


def scope_prices(runtime: Runtime, calls: Counter[tuple[str, str]]) -> list[ScopePrice]:
    """Time and quota of so many calls per (client_key, scope), the longest first.

    Quota is what is left at this moment.
    """
    lines = []
    for (client_key, scope), n in calls.items():
        limit = runtime.settings.for_app(client_key).limit(scope)
        spent = quota_day(runtime.state, client_key, scope, runtime.clock.today())
        left = 0 if spent.exhausted else None if limit.per_day is None else max(0, limit.per_day - spent.calls)
        lines.append(
            ScopePrice(client_key, scope, n, n / (limit.qps * HEADROOM) if limit.qps else 0.0, limit.per_day, left)
        )
    return sorted(lines, key=lambda line: (-line.seconds, line.client_key, line.scope))


def pending(runtime: Runtime, tables: Iterable[str]) -> list[tuple[str, tuple[date, date]]]:
    """Runs of days that wait for a new quota, and that the platform still reaches.

    ``load_status`` is the ledger: a day leaves it when it has another outcome.
    """
    today = runtime.clock.today()
    found = []
    for name in tables:
        waiting = read_load_status(runtime.state, table=name, outcomes=[Outcome.QUOTA])
        reach = max((w for e in endpoints_of(name) for w in e.windows), default=None)
        days = sorted({s.dt for s in waiting if reach is None or s.dt >= today - timedelta(days=reach)})
        if TABLES[name].history in (History.WINDOW, History.VERSION) or any(
            e.has_past_days for e in endpoints_of(name)
        ):
            found += [
                (name, span)
                for span in spans(days, timedelta(days=7 if TABLES[name].history is History.VERSION else 1))
            ]
    return found
