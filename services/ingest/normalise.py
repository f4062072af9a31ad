"""Build whole days of one table from the archive for the lake, with the current code and without API calls.

The same archive gives the same bytes: rows are put into a total order before duplicates are dropped, then sorted by
key. Every row of the archive lands, is quarantined with a reason, or is a duplicate of a row that lands;
:class:`NormalisedDay` counts all three.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog import endpoints_of
from catalog.iterations import IterateBy
from catalog.records import Endpoint, History, Table, beijing_day
from resources.storage.archive import Archive
from resources.storage.lake import DRIFT, QUARANTINE, Lake
from resources.storage.partition import LakeCorrupt
from resources.storage.schema import DRIFT_SCHEMA, QUARANTINE_SCHEMA, arrow_schema
from resources.storage.segments import Address, ArchiveEntry, Segment
from services.ingest.changes import Changes, InParts, compare
from services.ingest.covered_days import complete_sequences, covered, last_observation, observation_days
from services.ingest.day_buffer import DayBuffer, DayRows
from services.ingest.extract import connect, extract, read_batches
from services.ingest.order import rows_by_day, to_arrow_batch
from services.ingest.periods import backfilled, days_of
from services.ingest.rows import parse_rows


@dataclass
class NormalisedDay:
    """One partition: its rows, what is invalid, and counts of where every archived row went.

    ``quarantine`` has a row for each row that did not land, and one for each value of a landed row that is invalid.
    """

    table: Table
    dt: date
    day: InParts
    quarantine: pa.Table
    drift: pa.Table
    duplicates: int
    is_answered: bool = True
    """Whether a response covered the day.

    If none did, the partition is unknown, not empty, and has only quarantine rows.
    """
    landed_by: Counter = field(default_factory=Counter)
    """Rows per (operation, client_key, open_id)."""
    quarantined_by: Counter = field(default_factory=Counter)

    @property
    def rows(self) -> pa.Table:
        """Return all rows of the day in memory; meant for small days."""
        return pa.concat_tables(self.day.parts())

    @property
    def quarantined(self) -> int:
        """Count the rows that did not land."""
        return self.quarantine["column_name"].null_count

    @property
    def nulled(self) -> int:
        """Count the invalid values in rows that landed."""
        return self.quarantine.num_rows - self.quarantined

    @property
    def seen(self) -> int:
        """Count all rows of the archive: landed, quarantined and duplicate ones."""
        return self.day.num_rows + self.quarantined + self.duplicates


_BUFFERED_BYTES = 40 << 20
"""Limit of the rows buffered in memory over all days. 100,000 videos are 34 MB."""


@dataclass
class _Pieces:
    """Rows collected so far for the wanted days of a table, over batches and days of observation."""

    table: Table
    wanted: frozenset[date]
    folder: Path
    good: dict[date, DayBuffer] = field(default_factory=dict)
    bad: dict[date, list[pd.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    drift: dict[date, Counter] = field(default_factory=lambda: defaultdict(Counter))
    answered: set[date] = field(default_factory=set)

    def add(self, rows: pd.DataFrame | None) -> None:
        """Buffer the rows of wanted days, and spill the largest day while the buffers exceed the limit."""
        if rows is None:
            return
        for dt, part in rows_by_day(to_arrow_batch(rows), self.wanted):
            self.answered.add(dt)
            self.good.setdefault(dt, DayBuffer(self.table, self.folder)).add(part)
        while sum(day.size for day in self.good.values()) > _BUFFERED_BYTES:
            max(self.good.values(), key=lambda day: day.size).spill()

    def add_bad(self, rows: pd.DataFrame | None) -> None:
        """Buffer the quarantine rows of wanted days."""
        for dt, part in rows.groupby("dt", sort=False) if rows is not None else ():
            if isinstance(dt, date) and dt in self.wanted:
                self.bad[dt].append(part)


def normalise(archive: Archive, table: Table, dts: Iterable[date]) -> dict[date, NormalisedDay]:
    """Build the partitions ``dts`` of ``table`` from the archive.

    A day without any successful response in the archive has no entry: it is unknown, not empty.
    """
    return {one.dt: one for one in iter_normalised(archive, table, dts)}


def iter_normalised(archive: Archive, table: Table, dts: Iterable[date]) -> Iterator[NormalisedDay]:
    """Build the partitions one by one, as :func:`normalise` does; a year needs no more memory than a month.

    Each response is read once, in order of observation. A partition is yielded, and its memory released, as soon as no
    later response can cover it: a response of a series covers several days, that of a snapshot only its own.
    """
    wanted = sorted(set(dts))
    if not wanted:
        return
    observed: dict[date, list[Endpoint]] = defaultdict(list)
    final = {dt: last_observation(table, dt) for dt in wanted}
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
"""Bodies of small days that are read together, since a batch costs about 20 ms, however small it is."""


class _Segments:
    """Segments of one day of an operation, with their indexes.

    The indexes of a large day are read again on each iteration, since an index line needs 1.2 kB of memory.
    """

    def __init__(self, archive: Archive, operation: str, day: date) -> None:
        self._archive, self._operation, self._day = archive, operation, day
        self.size = sum(stored.size for stored in archive.stored(operation, [day]))
        self._cached = None if self.size > _TOGETHER_BYTES else list(archive.segments(operation, [day]))
        if self._cached is not None:
            self.size = sum(entry.length for segment in self._cached for entry in segment.entries)

    def __iter__(self) -> Iterator[Segment]:
        return self._archive.segments(self._operation, [self._day]) if self._cached is None else iter(self._cached)


def _some_days(
    archive: Archive, observed: dict[date, list[Endpoint]]
) -> Iterator[tuple[date, list[tuple[Endpoint, list[_Segments]]]]]:
    """Group consecutive days of observation; yield the first day and the segments by operation."""
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


def _read(connection, pieces: _Pieces, endpoint: Endpoint, segments: list[_Segments]) -> None:
    """Collect the rows of the responses of one operation."""
    table = pieces.table
    outputs = [o for o in endpoint.outputs if o.table == table.name]
    for batch in read_batches(_usable(segments), endpoint, outputs):
        if endpoint.over is not IterateBy.VIDEOS or table.history is not History.WINDOW:
            pieces.answered.update(covered(table, endpoint, [s.entry for s in batch.sources], pieces.wanted))
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


def _usable(days: list[_Segments]) -> Iterator[tuple[Address, ArchiveEntry, bytes]]:
    """Yield the successful responses of complete sequences; an incomplete listing is an error, not a short table."""
    complete = complete_sequences(entry for segments in days for segment in segments for entry in segment.entries)
    for segment in chain.from_iterable(days):
        for record in segment.records():
            if record[1].sequence in complete and record[1].ok:
                yield record


# --------------------------------------------------------------------------- whole days


def _finish(pieces: _Pieces, dt: date) -> Iterator[NormalisedDay]:
    """Yield the partition of a day that was read completely, if any response covered it, and release its memory."""
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
    """Build the partition of a day that is known to be empty."""
    return NormalisedDay(
        table,
        dt,
        DayRows(arrow_schema(table).empty_table()),
        QUARANTINE_SCHEMA.empty_table(),
        DRIFT_SCHEMA.empty_table(),
        0,
    )


def _count_by(rows: pa.Table, operation: str, table: Table | None) -> Counter:
    """Count rows per (operation, client_key, open_id); app-level rows have an empty open_id."""
    if rows.num_rows == 0:
        return Counter()
    if table is not None and ("open_id" not in table.fields or table.history is History.EVENT):
        # An event belongs to the app and may name no account.
        if "open_id" in table.fields:
            rows = rows.drop_columns("open_id")
        rows = rows.append_column("open_id", pa.array([""] * rows.num_rows, pa.string()))
    counted = rows.group_by([operation, "client_key", "open_id"]).aggregate([([], "count_all")])
    return Counter({(r[operation], r["client_key"], r["open_id"]): r["count_all"] for r in counted.to_pylist()})


def changes_of(lake: Lake, normalised: NormalisedDay) -> Changes:
    """Compare a partition with the one in the lake."""
    table = normalised.table
    try:
        return compare(table, lake.day(table.name, normalised.dt), normalised.day)
    except FileNotFoundError:
        return compare(table, None, normalised.day)
    except LakeCorrupt:  # the day is rebuilt
        return Changes(added=normalised.day.num_rows, damaged=1)


def land(lake: Lake, normalised: NormalisedDay, changes: Changes | None = None) -> Changes:
    """Write one partition with its quarantine and drift, and return its changes.

    Of a day that no response covered, only the quarantine is written: a file without rows would mean that the day is
    empty.

    Args:
        lake: the lake.
        normalised: the partition.
        changes: the result of :func:`changes_of`, if the caller has it.
    """
    changes = changes_of(lake, normalised) if changes is None else changes
    if normalised.is_answered:
        own = lake.path(normalised.table.name, normalised.dt)
        if changes.damaged and own.exists():  # its readable rows may be more than the archive has
            lake.set_aside(own)
        lake.write(normalised.table.name, normalised.dt, normalised.day.parts())
    for dataset, rows in ((QUARANTINE, normalised.quarantine), (DRIFT, normalised.drift)):
        name = f"{dataset}/{normalised.table.name}"
        if rows.num_rows:
            lake.write(name, normalised.dt, rows)
        else:
            lake.remove(name, normalised.dt)
    return changes
