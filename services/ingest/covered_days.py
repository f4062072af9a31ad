"""Find the days that archived responses cover, from the archive's indexes alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from catalog import endpoints_of
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, History, Table, beijing_day
from catalog.requests import ParamSource
from resources.storage.archive import Archive
from resources.storage.segments import ArchiveEntry
from services.ingest.periods import backfilled, days_of
from services.ingest.rows import week_of


def observation_days(archive: Archive, table: Table, endpoint: Endpoint, dts: Collection[date]) -> list[date]:
    """List the archive days that can have rows of the partitions ``dts`` of ``table``."""
    archived = set(archive.days(endpoint.name))
    if table.history is History.VERSION:
        return sorted(d for d in archived if d >= min(dts))
    if table.history is not History.WINDOW:
        return sorted(archived.intersection(dts).union(backfilled(archive, endpoint, dts)))
    reach = max(endpoint.windows)
    return sorted({d + timedelta(days=n) for d in dts for n in range(1, reach + 1)} & archived)


def last_observation(table: Table, dt: date) -> date:
    """Return the last day of observation whose responses can cover a partition."""
    if table.history is History.VERSION:
        return date.max
    if table.history is not History.WINDOW:
        return dt
    return dt + timedelta(days=max(max(e.windows) for e in endpoints_of(table.name)))


def covered(
    table: Table,
    endpoint: Endpoint,
    entries: Iterable[ArchiveEntry],
    wanted: Collection[date],
    *,
    with_rows: bool = False,
) -> set[date]:
    """Return the partitions that these responses cover, with or without rows."""
    if table.history is History.WINDOW:
        # Thousands of responses are about the same days: only one of each kind is checked.
        names = _window_params(endpoint)
        kinds = {
            (*(e.params.get(name) for name in names), beijing_day(e.began_at), e.newest, e.items): e for e in entries
        }
        spans = {
            (_first_row(endpoint, e, e.newest) if with_rows else first_day(endpoint, e), e.newest)
            for e in kinds.values()
            if e.newest
        }
        return {d for d in wanted if any(first <= d and d.isoformat() <= newest for first, newest in spans)}
    if table.history is History.VERSION:
        return {week_of(e) for e in entries if e.items}.intersection(wanted)
    return {
        d for e in entries if e.items or endpoint.empty is not EmptyMeaning.NOT_READY for d in days_of(e)
    }.intersection(wanted)


def known_days(archive: Archive, table: Table, dts: Iterable[date]) -> set[date]:
    """Return the partitions of ``table`` that the archive can fill, from its indexes alone."""
    wanted, found = sorted(set(dts)), set()
    for day in {
        day for endpoint in endpoints_of(table.name) for day in observation_days(archive, table, endpoint, wanted)
    }:
        found |= covered_partitions(archive, table, day, wanted, with_rows=True)
    return found


def covered_partitions(
    archive: Archive, table: Table, day: date, wanted: Collection[date], *, with_rows: bool = False
) -> set[date]:
    """Return the partitions that the responses of one observation day may cover, from the indexes alone.

    ``with_rows`` leaves out those without rows, judging by the number of rows of the response.
    """
    found = set()
    for endpoint in endpoints_of(table.name) if wanted else ():
        entries = list(archive.index(endpoint.name, [day]))
        complete = complete_sequences(entries)
        found |= covered(
            table, endpoint, [e for e in entries if e.ok and e.sequence in complete], wanted, with_rows=with_rows
        )
    return found


def first_day(endpoint: Endpoint, entry: ArchiveEntry) -> date:
    """Return the oldest day that a response of a series covers."""
    since = next((p.name for p in endpoint.params if p.fill is ParamSource.SINCE), None)
    if since is not None and since in entry.params:
        return date.fromisoformat(str(entry.params[since]))
    name = next((p.name for p in endpoint.params if p.fill is ParamSource.WINDOW), None)
    sent = entry.params.get(name) if name is not None else None
    return beijing_day(entry.began_at) - timedelta(days=max(endpoint.windows) if sent is None else int(str(sent)))


def _first_row(endpoint: Endpoint, entry: ArchiveEntry, newest: str) -> date:
    """Return the oldest day for which a response of a series has a row.

    A video may be younger than the window; its response then has as many rows as it has days.
    """
    first = first_day(endpoint, entry)
    if endpoint.over is not IterateBy.VIDEOS:
        return first
    return max(first, date.fromisoformat(newest) - timedelta(days=max(entry.items or 0, 1) - 1))


def _window_params(endpoint: Endpoint) -> list[str]:
    """List the parameters that decide which days a response of a series covers."""
    return [p.name for p in endpoint.params if p.fill in (ParamSource.SINCE, ParamSource.WINDOW)]


def complete_sequences(entries: Iterable[ArchiveEntry]) -> set[str]:
    """Return the ids of the sequences that have every page up to the last one."""
    pages: dict[str, set[int]] = defaultdict(set)
    last: dict[str, int] = {}
    for entry in entries:
        if entry.ok:
            pages[entry.sequence].add(entry.page)
            if entry.last:
                last[entry.sequence] = entry.page
    return {s for s, page in last.items() if len(pages[s]) >= page}
