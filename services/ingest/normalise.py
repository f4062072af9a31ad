"""From the archive to the lake: whole days of one table, with today's code and without a call.

The same archive gives the same bytes: rows are put into a total order before duplicates go, then sorted
by key. Every row that was seen is landed, quarantined with a reason, or a duplicate of a landed one;
:class:`Normalised` counts all three.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog import endpoints_of
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, History, Table, beijing_day
from catalog.requests import ParamSource
from resources.storage.archive import Address, Archive, Entry, Segment
from resources.storage.lake import DRIFT, QUARANTINE, Lake, LakeCorrupt
from resources.storage.schema import DRIFT_SCHEMA, QUARANTINE_SCHEMA, arrow_schema
from services.ingest.changes import Changes, InParts, compare
from services.ingest.day_buffer import DayBuffer, DayRows
from services.ingest.extract import connect, extract, read_batches
from services.ingest.order import held, rows_by_day
from services.ingest.periods import backfilled, days_of
from services.ingest.rows import parse_rows, week_of


@dataclass
class NormalisedDay:
    """One partition: its rows, what could not be parsed, and where every row that was seen went.

    ``quarantine`` has a line for each row that did not land, and for each value of a landed row that could not be
    parsed.
    """

    table: Table
    dt: date
    day: InParts
    quarantine: pa.Table
    drift: pa.Table
    duplicates: int
    is_answered: bool = True
    """Whether an answer spoke of the day.

    Of a day that none spoke of only rows in quarantine stand here: it is unknown, not empty.
    """
    landed_by: Counter = field(default_factory=Counter)
    """Rows per (operation, client_key, open_id)."""
    quarantined_by: Counter = field(default_factory=Counter)

    @property
    def rows(self) -> pa.Table:
        """All rows of the day in memory: for who looks at a small one."""
        return pa.concat_tables(self.day.parts())

    @property
    def quarantined(self) -> int:
        """Rows that did not land."""
        return self.quarantine["column_name"].null_count

    @property
    def nulled(self) -> int:
        """Values that could not be parsed, in rows that landed."""
        return self.quarantine.num_rows - self.quarantined

    @property
    def seen(self) -> int:
        return self.day.num_rows + self.quarantined + self.duplicates


_HELD_BYTES = 40 << 20
"""Rows that are held in memory, over all days. 100,000 videos are 34 MB."""


@dataclass
class _Pieces:
    """What was gathered so far of the wanted days of a table, over batches and days of observation."""

    table: Table
    wanted: frozenset[date]
    folder: Path
    good: dict[date, DayBuffer] = field(default_factory=dict)
    bad: dict[date, list[pd.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    drift: dict[date, Counter] = field(default_factory=lambda: defaultdict(Counter))
    answered: set[date] = field(default_factory=set)

    def add(self, rows: pd.DataFrame | None) -> None:
        """Take rows; those of other days are not kept. What is held is bounded."""
        if rows is None:
            return
        for dt, part in rows_by_day(held(rows), self.wanted):
            self.answered.add(dt)
            self.good.setdefault(dt, DayBuffer(self.table, self.folder)).add(part)
        while sum(day.size for day in self.good.values()) > _HELD_BYTES:
            max(self.good.values(), key=lambda day: day.size).shrink()

    def add_bad(self, rows: pd.DataFrame | None) -> None:
        for dt, part in rows.groupby("dt", sort=False) if rows is not None else ():
            if dt in self.wanted:
                self.bad[dt].append(part)


def observation_days(archive: Archive, table: Table, endpoint: Endpoint, dts: Iterable[date]) -> list[date]:
    """Archive days that can hold rows of the partitions ``dts`` of ``table``."""
    archived = set(archive.days(endpoint.name))
    if table.history is History.VERSION:
        return sorted(d for d in archived if d >= min(dts))
    if table.history is not History.WINDOW:
        return sorted(archived.intersection(dts).union(backfilled(archive, endpoint, dts)))
    reach = max(endpoint.windows)
    return sorted({d + timedelta(days=n) for d in dts for n in range(1, reach + 1)} & archived)


def normalise(archive: Archive, table: Table, dts: Iterable[date]) -> dict[date, NormalisedDay]:
    """Partitions ``dts`` of ``table`` as the archive knows them.

    A day without any successful answer in the archive has no entry: it is unknown, which is
    not the same as empty.
    """
    return {one.dt: one for one in iter_normalised(archive, table, dts)}


def iter_normalised(archive: Archive, table: Table, dts: Iterable[date]) -> Iterator[NormalisedDay]:
    """The same, one day after the other: a year takes no more memory than a month.

    Each answer is read once, in order of observation. A day is given, and forgotten, as soon as no later answer can
    speak of it: a series holds the days that one answer covers, a snapshot only its own.
    """
    wanted = sorted(set(dts))
    if not wanted:
        return
    observed: dict[date, list[Endpoint]] = defaultdict(list)
    final = {dt: _last_observation(table, dt) for dt in wanted}
    for endpoint in endpoints_of(table.name):
        for day in observation_days(archive, table, endpoint, wanted):
            observed[day].append(endpoint)
        for day, about in backfilled(archive, endpoint, wanted).items():
            final |= {dt: max(final[dt], day) for dt in about}
    pieces = _Pieces(table, frozenset(wanted), archive.root)
    waiting = deque(wanted)
    connection = connect()
    try:
        for first, answers in _some_days(archive, observed):
            while waiting and final[waiting[0]] < first:
                yield from _finish(pieces, waiting.popleft())
            for endpoint, segments in answers:
                _read(connection, pieces, endpoint, segments)
        while waiting:
            yield from _finish(pieces, waiting.popleft())
    finally:
        connection.close()
        pa.default_memory_pool().release_unused()


_TOGETHER_BYTES = 4 << 20
"""Bodies of days that are read together.

A batch costs about 20 ms, however small it is: small days are read some at a time.
"""


class _Segments:
    """Segments of one day of an operation, with their indexes; of a large day these are read each time, since an index line in memory takes 1.2 kB."""

    def __init__(self, archive: Archive, operation: str, day: date) -> None:
        self._archive, self._operation, self._day = archive, operation, day
        self.size = sum(stored.size for stored in archive.stored(operation, [day]))
        self._held = None if self.size > _TOGETHER_BYTES else list(archive.segments(operation, [day]))
        if self._held is not None:
            self.size = sum(entry.length for segment in self._held for entry in segment.entries)

    def __iter__(self) -> Iterator[Segment]:
        return self._archive.segments(self._operation, [self._day]) if self._held is None else iter(self._held)


def _some_days(
    archive: Archive, observed: dict[date, list[Endpoint]]
) -> Iterator[tuple[date, list[tuple[Endpoint, list[_Segments]]]]]:
    """The first of some consecutive days of observation, and their segments by operation."""
    first, size = date.min, 0
    together: dict[str, tuple[Endpoint, list[_Segments]]] = {}
    for day in sorted(observed):
        found = [(endpoint, _Segments(archive, endpoint.name, day)) for endpoint in observed[day]]
        more = sum(segments.size for _, segments in found)
        if together and size + more > _TOGETHER_BYTES:
            yield first, list(together.values())
            together, size = {}, 0
        if not together:
            first = day
        for endpoint, segments in found:
            together.setdefault(endpoint.name, (endpoint, []))[1].append(segments)
        size += more
    if together:
        yield first, list(together.values())


def _last_observation(table: Table, dt: date) -> date:
    """The last day of observation that can tell of a partition."""
    if table.history is History.VERSION:
        return date.max
    if table.history is not History.WINDOW:
        return dt
    return dt + timedelta(days=max(max(e.windows) for e in endpoints_of(table.name)))


def _read(connection, pieces: _Pieces, endpoint: Endpoint, segments: list[_Segments]) -> None:
    """Gather what the answers of one operation say."""
    table = pieces.table
    outputs = [o for o in endpoint.outputs if o.table == table.name]
    for batch in read_batches(_usable(segments), endpoint, outputs):
        if endpoint.over is not IterateBy.VIDEOS or table.history is not History.WINDOW:
            pieces.answered.update(_answered(table, endpoint, [s.entry for s in batch.sources], pieces.wanted))
        for output in outputs:
            found = extract(connection, batch, endpoint, output)
            good, bad = parse_rows(table, endpoint, output, found.rows, batch.sources)
            pieces.add(good)
            pieces.add_bad(bad)
            for (member, request), rows in found.unknown.items():
                day = beijing_day(batch.sources[request].entry.began_at)
                about = (
                    days_of(batch.sources[request].entry)[0] if endpoint.has_past_days else table.latest_partition(day)
                )
                pieces.drift[about][endpoint.name, member] += rows


def _usable(days: list[_Segments]) -> Iterator[tuple[Address, Entry, bytes]]:
    """Successful answers of complete sequences. A listing that broke off is an error, not a short table."""
    complete = complete_sequences(entry for segments in days for segment in segments for entry in segment.entries)
    for segment in chain.from_iterable(days):
        for record in segment.records():
            if record[1].sequence in complete and record[1].ok:
                yield record


def _answered(
    table: Table, endpoint: Endpoint, entries: Iterable[Entry], wanted: Collection[date], *, with_rows: bool = False
) -> set[date]:
    """Partitions about which these answers say something, be it that there is nothing."""
    if table.history is History.WINDOW:
        # Thousands of answers ask for the same days: one of each kind is looked at.
        names = _window_params(endpoint)
        kinds = {
            (*(e.params.get(name) for name in names), beijing_day(e.began_at), e.newest, e.items): e
            for e in entries
            if e.newest
        }
        spans = {(_first_row(endpoint, e) if with_rows else first_day(endpoint, e), e.newest) for e in kinds.values()}
        return {d for d in wanted if any(first <= d and d.isoformat() <= newest for first, newest in spans)}
    if table.history is History.VERSION:
        return {week_of(e) for e in entries if e.items}.intersection(wanted)
    return {
        d for e in entries if e.items or endpoint.empty is not EmptyMeaning.NOT_READY for d in days_of(e)
    }.intersection(wanted)


def known_days(archive: Archive, table: Table, dts: Iterable[date]) -> set[date]:
    """Partitions of ``table`` that the archive can fill, read from its indexes alone."""
    wanted, found = sorted(set(dts)), set()
    for day in {
        day for endpoint in endpoints_of(table.name) for day in observation_days(archive, table, endpoint, wanted)
    }:
        found |= told_on(archive, table, day, wanted, with_rows=True)
    return found


def told_on(
    archive: Archive, table: Table, day: date, wanted: Collection[date], *, with_rows: bool = False
) -> set[date]:
    """Partitions of which the answers of one day of observation may say something (or have rows, by their number), read from the indexes alone."""
    found = set()
    for endpoint in endpoints_of(table.name) if wanted else ():
        entries = list(archive.index(endpoint.name, [day]))
        complete = complete_sequences(entries)
        found |= _answered(
            table, endpoint, [e for e in entries if e.ok and e.sequence in complete], wanted, with_rows=with_rows
        )
    return found


def first_day(endpoint: Endpoint, entry: Entry) -> date:
    """The oldest day that a series answer covers; it says nothing about days before."""
    since = next((p.name for p in endpoint.params if p.fill is ParamSource.SINCE), None)
    if since is not None and since in entry.params:
        return date.fromisoformat(str(entry.params[since]))
    name = next((p.name for p in endpoint.params if p.fill is ParamSource.WINDOW), None)
    return beijing_day(entry.began_at) - timedelta(days=int(entry.params.get(name, max(endpoint.windows))))


def _first_row(endpoint: Endpoint, entry: Entry) -> date:
    """The oldest day of which a series answer has a row; of a video, which may be younger than the window, the first of as many days as its answer has rows."""
    first = first_day(endpoint, entry)
    if endpoint.over is not IterateBy.VIDEOS:
        return first
    return max(first, date.fromisoformat(entry.newest) - timedelta(days=max(entry.items or 0, 1) - 1))


def _window_params(endpoint: Endpoint) -> list[str]:
    """Parameters that tell which days a series answer covers."""
    return [p.name for p in endpoint.params if p.fill in (ParamSource.SINCE, ParamSource.WINDOW)]


def complete_sequences(entries: Iterable[Entry]) -> set[str]:
    """Sequences of which every page up to the last one is there."""
    pages: dict[str, set[int]] = defaultdict(set)
    last: dict[str, int] = {}
    for entry in entries:
        if entry.ok:
            pages[entry.sequence].add(entry.page)
            if entry.last:
                last[entry.sequence] = entry.page
    return {s for s, page in last.items() if len(pages[s]) >= page}


# --------------------------------------------------------------------------- whole days


def _finish(pieces: _Pieces, dt: date) -> Iterator[NormalisedDay]:
    """The partition of a day of which everything was read, or nothing where nobody said anything about it.

    It is held no longer.
    """
    table = pieces.table
    good, bad, drift = pieces.good.pop(dt, None), pieces.bad.pop(dt, []), pieces.drift.pop(dt, Counter())
    if dt not in pieces.answered and not bad:
        return
    day = good.finish() if good else DayRows(arrow_schema(table).empty_table())
    quarantine = QUARANTINE_SCHEMA.empty_table()
    if bad:
        chosen = pd.concat(bad, ignore_index=True).sort_values(
            ["operation", "segment", "record", "position", "column_name", "reason"]
        )
        quarantine = pa.Table.from_pandas(chosen, schema=QUARANTINE_SCHEMA, preserve_index=False)
    unknown = [
        {"dt": dt, "table_name": table.name, "operation": o, "member": m, "rows": n}
        for (o, m), n in sorted(drift.items())
    ]
    yield NormalisedDay(
        table,
        dt,
        day,
        quarantine,
        pa.Table.from_pylist(unknown, DRIFT_SCHEMA),
        good.seen - day.num_rows if good else 0,
        is_answered=dt in pieces.answered or table.history is not History.WINDOW,
        landed_by=sum((_count_by(part, "source", table) for part in day.parts()), Counter()),
        quarantined_by=_count_by(quarantine.filter(pc.is_null(quarantine["column_name"])), "operation", None),
    )


def nothing(table: Table, dt: date) -> NormalisedDay:
    """The partition of a day of which it is known that there is nothing."""
    return NormalisedDay(
        table,
        dt,
        DayRows(arrow_schema(table).empty_table()),
        QUARANTINE_SCHEMA.empty_table(),
        DRIFT_SCHEMA.empty_table(),
        0,
    )


def _count_by(rows: pa.Table, operation: str, table: Table | None) -> Counter:
    """Rows per (operation, client_key, open_id); app-level rows have an empty open_id."""
    if rows.num_rows == 0:
        return Counter()
    if table is not None and ("open_id" not in table.fields or table.history is History.EVENT):
        # An event belongs to the app: it may name no account.
        if "open_id" in table.fields:
            rows = rows.drop_columns("open_id")
        rows = rows.append_column("open_id", pa.array([""] * rows.num_rows, pa.string()))
    counted = rows.group_by([operation, "client_key", "open_id"]).aggregate([([], "count_all")])
    return Counter({(r[operation], r["client_key"], r["open_id"]): r["count_all"] for r in counted.to_pylist()})


def changes_of(lake: Lake, normalised: NormalisedDay) -> Changes:
    """What landing this partition would change."""
    table = normalised.table
    try:
        return compare(table, lake.day(table.name, normalised.dt), normalised.day)
    except FileNotFoundError:
        return compare(table, None, normalised.day)
    except LakeCorrupt:  # the day is made again
        return Changes(added=normalised.day.num_rows, damaged=1)


def land(lake: Lake, normalised: NormalisedDay, changes: Changes | None = None) -> Changes:
    """Write one partition with its quarantine and drift; tells what became of its rows, unless the caller has looked already.

    Of a day that no answer spoke of only the quarantine is written: a file without rows would call the day empty.
    """
    changes = changes_of(lake, normalised) if changes is None else changes
    if normalised.is_answered:
        own = lake.path(normalised.table.name, normalised.dt)
        if changes.damaged and own.exists():  # what it still holds may be more than the archive has
            lake.set_aside(own)
        lake.write(normalised.table.name, normalised.dt, normalised.day.parts())
    for room, rows in ((QUARANTINE, normalised.quarantine), (DRIFT, normalised.drift)):
        name = f"{room}/{normalised.table.name}"
        if rows.num_rows:
            lake.write(name, normalised.dt, rows)
        else:
            lake.remove(name, normalised.dt)
    return changes
