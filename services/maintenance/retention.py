"""Find what may be pruned and compacted: retention settings, sealed months and days, sizes.

Nothing is pruned by default. A response, or the body of an event in the inbox, is pruned only when no table that it
fills keeps its day. A response covers its own day or earlier ones, so pruning it removes nothing from a day that is
kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from catalog import EVENTS, SOURCES, TABLES
from catalog.events import OTHER_EVENTS
from catalog.records import Table
from resources.runtime import Runtime
from resources.state.inbox import days_with_bodies, forget_bodies
from resources.storage.lake import DRIFT, QUARANTINE
from services.ingest.inbox import event_names

_EVENTS = EVENTS | {OTHER_EVENTS.name: OTHER_EVENTS}

SEALED_AFTER = timedelta(days=31)
"""A month is sealed this long after its end: the longest window of a series no longer reaches it."""
OBSERVED_AFTER = timedelta(days=2)
"""A day of observation is complete after this time: a listing that begins before midnight ends after it."""


@dataclass(frozen=True)
class ExpiredData:
    """Data past its retention: a day of observation of an operation, a day of receipt of events, or a day of a table.

    ``store`` is "archive", "inbox" or "lake"; ``name`` that of an operation or a dataset.
    """

    store: str
    name: str
    dt: date


@dataclass(frozen=True)
class Size:
    """Disk usage of a table, an operation or a file; ``files`` and ``bytes`` are those on the disk."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.bytes + other.bytes)


# --------------------------------------------------------------------------- keeping


def kept_from(runtime: Runtime, table: Table) -> date | None:
    """Return the first day of a table that the lake keeps; None if it keeps all."""
    days = runtime.settings.keep_for(table.name).lake_days
    return None if days is None else runtime.clock.today() - timedelta(days=days)


def answers_from(runtime: Runtime, operation: str) -> date | None:
    """Return the first day of observation of an operation that the archive keeps; None if it keeps all."""
    horizon = runtime.clock.today()
    for name in SOURCES[operation].tables:
        days = runtime.settings.keep_for(name).archive_days
        if days is None:
            return None
        horizon = min(horizon, runtime.clock.today() - timedelta(days=days))
    return horizon


def expired(runtime: Runtime, tables: Iterable[str]) -> Iterator[ExpiredData]:
    """Yield the data past its retention, of the given tables and of operations that fill no others."""
    chosen = set(tables)
    for name in sorted(chosen):
        if (first := kept_from(runtime, TABLES[name])) is not None:
            for dataset in (name, f"{QUARANTINE}/{name}", f"{DRIFT}/{name}"):
                yield from (ExpiredData("lake", dataset, dt) for dt in runtime.lake.days(dataset) if dt < first)
    for operation in runtime.archive.operations():
        if (
            operation in SOURCES
            and chosen.issuperset(SOURCES[operation].tables)
            and (first := answers_from(runtime, operation)) is not None
        ):
            yield from (ExpiredData("archive", operation, dt) for dt in runtime.archive.days(operation) if dt < first)
    for operation, endpoint in _EVENTS.items():
        if chosen.issuperset(endpoint.tables) and (first := answers_from(runtime, operation)) is not None:
            days = days_with_bodies(runtime.state, first, *event_names(endpoint))
            yield from (ExpiredData("inbox", operation, dt) for dt in days)


def prune(runtime: Runtime, found: Iterable[ExpiredData]) -> int:
    """Remove expired data; return the number of days removed. The warehouse follows at the next publication."""
    number = 0
    for one in found:
        if one.store == "lake":
            runtime.lake.remove(one.name, one.dt)
        elif one.store == "inbox":
            forget_bodies(runtime.state, one.dt + timedelta(days=1), *event_names(_EVENTS[one.name]))
        else:
            runtime.archive.remove_day(one.name, one.dt)
        number += 1
    return number


# --------------------------------------------------------------------------- compaction


def sealed_months(runtime: Runtime, table: str, max_bytes: int) -> list[str]:
    """List the small months of a table that no run changes any more and that have several files."""
    lake, last = runtime.lake, runtime.clock.today() - SEALED_AFTER
    months: dict[str, list] = {}
    for partition in lake.partitions(table):
        months.setdefault(partition.dt.isoformat()[:7], []).append(partition)
    found = []
    for month, days in months.items():
        loose = [p for p in days if p.group is None]
        if _end_of(month) < last and loose and len(days) > 1 and sum(p.size for p in loose) <= max_bytes:
            found.append(month)
    return found


def _end_of(month: str) -> date:
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def loose_days(runtime: Runtime, operation: str) -> list[date]:
    """List the complete days of observation with several unpacked segments."""
    last = runtime.clock.today() - OBSERVED_AFTER
    found = []
    for day in runtime.archive.days(operation):
        stored = list(runtime.archive.stored(operation, [day]))
        if day <= last and len(stored) > 1 and not all(s.packed for s in stored):
            found.append(day)
    return found


# --------------------------------------------------------------------------- sizes


def sizes(runtime: Runtime) -> dict[str, dict[str, Size]]:
    """Measure the disk usage by area: archive and lake by table, quarantine and drift, other files of the home.

    An operation that fills several tables counts with the first of them.
    """
    archive: dict[str, Size] = {}
    for operation in runtime.archive.operations():
        name = SOURCES[operation].tables[0] if operation in SOURCES and SOURCES[operation].tables else operation
        archive[name] = archive.get(name, Size()) + size_of(runtime.archive.root / operation)
    lake = {name: size_of(runtime.lake.root / name) for name in TABLES}
    side = {
        name: size_of(runtime.lake.root / QUARANTINE / name) + size_of(runtime.lake.root / DRIFT / name)
        for name in TABLES
    }
    settings = runtime.settings
    home = {
        p.name: size_of(p) for p in (settings.warehouse_path, settings.home / "state.db", settings.home / "dagster")
    }
    return {"archive": archive, "lake": lake, "quarantine and drift": side, "home": home}


def size_of(path: Path) -> Size:
    """Measure a file, or all files of a folder."""
    files = (
        [path]
        if path.is_file()
        else [p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".data.parquet")]
        if path.is_dir()
        else []
    )
    total = Size()
    for file in files:
        try:
            total += Size(1, file.stat().st_size)
        except FileNotFoundError:  # removed by a run meanwhile
            continue
    return total
