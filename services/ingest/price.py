"""Estimate the cost of a backfill before it runs: available days, their sources, API calls, time, and share of quota.

No calls are made. The plan comes from the code that fetches, with the archive as it is now. A series takes one call. A
listing may take more pages than planned, so its number of calls is marked as a guess.
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
from services.ingest.covered_days import complete_sequences, known_days
from services.ingest.fetch_context import UpstreamMissing
from services.ingest.fetch_tasks import FetchPlan
from services.ingest.spans import spans


class From(StrEnum):
    """Source of a partition."""

    CALL = "call"
    ARCHIVE = "archive"
    NOWHERE = "not at all"


@dataclass
class Price:
    """Cost of bringing some partitions of a table up to date; ``calls`` are per (client_key, scope)."""

    table: Table
    days: dict[date, From] = field(default_factory=dict)
    reasons: dict[date, str] = field(default_factory=dict)
    """Why a day is not available."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    guessed: bool = False
    """Whether some of the calls are pages, estimated from earlier listings."""
    lacking: str | None = None
    """What must be loaded before a plan is possible."""

    def having(self, source: From) -> list[date]:
        """List the days that come from ``source``."""
        return [d for d, s in self.days.items() if s is source]


@dataclass(frozen=True)
class ScopePrice:
    """Calls of one app and scope.

    ``seconds`` is the minimum time at the configured rate; ``per_day`` and ``left`` are None without a quota.
    """

    client_key: str
    scope: str
    calls: int
    seconds: float
    per_day: int | None
    left: int | None

    @property
    def share(self) -> float | None:
        """Return the calls as a fraction of the daily quota, which may be above 1; None without a quota."""
        return self.calls / self.per_day if self.per_day else None

    @property
    def days(self) -> int:
        """Return the number of Beijing days that the calls take, including today."""
        if self.left is None or self.calls <= self.left:
            return 1
        return 1 + ceil((self.calls - self.left) / (self.per_day or self.calls))


def price_of(runtime: Runtime, table: Table, dts: Iterable[date]) -> Price:
    """Estimate the cost of ``ingest(runtime, table, dts)`` now."""
    wanted = sorted(set(dts))
    price = Price(table)
    plan = FetchPlan(runtime, endpoints_of(table.name), wanted)
    reachable: set[date] = set()
    reasons_by_day: dict[date, str] = {}
    try:
        for tasks in plan.stages():
            reachable.update(dt for task in tasks for dt in task.split()[0])
    except UpstreamMissing as error:
        price.lacking = str(error)
    for one in plan.results:
        if one.planned:
            pages = _pages(runtime.archive, one.endpoint)
            price.guessed |= one.endpoint.paging is not None
            price.calls.update({(app, one.endpoint.quota): n * pages for app, n in one.planned.items()})
        for dt, accounts in one.results.items():
            reasons = sorted(
                (not t.outcome.is_missing, t.reason)
                for subject_results in accounts.values()
                for t in subject_results
                if t.reason
            )
            reasons_by_day.setdefault(dt, reasons[0][1] if reasons else "")
    known = known_days(runtime.archive, table, wanted)
    for dt in wanted:
        inboxed = table.history is History.EVENT and _received(runtime, dt)
        price.days[dt] = From.CALL if dt in reachable else From.ARCHIVE if dt in known or inboxed else From.NOWHERE
        if price.days[dt] is From.NOWHERE:
            price.reasons[dt] = (
                _why(runtime, table, endpoints_of(table.name), dt)
                or price.lacking
                or reasons_by_day.get(dt)
                or "there is nothing to request"
            )
    return price


def _why(runtime: Runtime, table: Table, endpoints: Iterable[Endpoint], dt: date) -> str | None:
    """Return why a day that is not archived cannot be requested, or None if it can."""
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
    """Return whether a receiver ran on a day, or before it."""
    starts = [receiving_since(runtime.state, app) for app in runtime.app_keys]
    return dt <= runtime.clock.today() and any(since is not None and beijing_day(since) <= dt for since in starts)


def _pages(archive: Archive, endpoint: Endpoint) -> int:
    """Estimate the calls of one task: for a listing, the mean number of pages on the last archived day."""
    if endpoint.paging is None or not (days := archive.days(endpoint.name)):
        return 1
    entries = [e for e in archive.index(endpoint.name, days[-1:]) if e.ok]
    complete = complete_sequences(entries)
    return ceil(sum(e.sequence in complete for e in entries) / len(complete)) if complete else 1


def by_scope(runtime: Runtime, prices: Iterable[Price]) -> list[ScopePrice]:
    """Add up the calls of all tables per app and scope, with time and quota, longest time first."""
    return scope_prices(runtime, sum((price.calls for price in prices), Counter()))


def scope_prices(runtime: Runtime, calls: Counter[tuple[str, str]]) -> list[ScopePrice]:
    """Estimate time and quota of some calls per (client_key, scope), longest time first.

    The quota is what is left now.
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
    """List the ranges of days that wait for a new quota and that the platform still has, by table.

    They are read from ``load_status``; a day with another outcome is no longer pending.
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
