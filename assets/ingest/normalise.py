"""From the archive to the lake: whole days of one table, with today's code and without a call.

The same archive gives the same bytes: rows are put into a total order before duplicates go, then sorted
by key. Every row that was seen is landed, quarantined with a reason, or a duplicate of a landed one;
:class:`Normalised` counts all three.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from assets.ingest.extract import Source, connect, extract, spool_batches
from assets.ingest.values import EXPECTS, parse_column
from catalog import FIELDS, endpoints_of
from catalog.records import Empty, Endpoint, Fill, History, Origin, Output, Pii, Table, Type, beijing_day
from resources.archive import Address, Archive, Entry
from resources.lake import DRIFT, QUARANTINE, Lake
from resources.schema import ARROW_TYPES, DRIFT_SCHEMA, QUARANTINE_SCHEMA, arrow_schema

_INSTANT = ARROW_TYPES[Type.TIMESTAMP]
_PLACE = ("_segment", "_record", "_page", "_parent_ordinal", "_ordinal")


@dataclass
class Normalised:
    """One partition: its rows, what could not be parsed, and where every row that was seen went."""

    table: Table
    dt: date
    rows: pa.Table
    quarantine: pa.Table
    drift: pa.Table
    duplicates: int
    landed_by: Counter = field(default_factory=Counter)
    """Rows per (operation, client_key, open_id)."""
    quarantined_by: Counter = field(default_factory=Counter)

    @property
    def seen(self) -> int:
        return self.rows.num_rows + self.quarantine.num_rows + self.duplicates


@dataclass
class _Pieces:
    """What was gathered of a table so far, over batches and days."""

    good: list[pd.DataFrame] = field(default_factory=list)
    bad: list[pd.DataFrame] = field(default_factory=list)
    drift: Counter = field(default_factory=Counter)


def observation_days(archive: Archive, table: Table, endpoint: Endpoint, dts: Iterable[date]) -> list[date]:
    """Archive days that can hold rows of the partitions ``dts`` of ``table``."""
    archived = set(archive.days(endpoint.name))
    if table.history is not History.WINDOW:
        return sorted(archived.intersection(dts))
    reach = max(endpoint.windows)
    return sorted({d + timedelta(days=n) for d in dts for n in range(1, reach + 1)} & archived)


def normalise(archive: Archive, table: Table, dts: Iterable[date]) -> dict[date, Normalised]:
    """Partitions ``dts`` of ``table`` as the archive knows them.

    A day without any successful answer in the archive has no entry: it is unknown, which is
    not the same as empty.
    """
    wanted = sorted(set(dts))
    pieces = _Pieces()
    answered: set[date] = set()
    connection = connect()
    try:
        for endpoint in endpoints_of(table.name):
            outputs = [o for o in endpoint.outputs if o.table == table.name]
            for day in observation_days(archive, table, endpoint, wanted):
                for batch in spool_batches(_usable(archive, endpoint, day)):
                    answered.update(_answered(table, endpoint, batch.sources, wanted))
                    for output in outputs:
                        text = extract(connection, batch, endpoint, output)
                        _collect(pieces, table, endpoint, output, text.rows, batch.sources)
                        for member, rows in text.unknown.items():
                            pieces.drift[partition_of(table, day), endpoint.name, member] += rows
    finally:
        connection.close()
    # A row in quarantine tells that there is something, also where the rest of its series ends before the day.
    answered.update(d for frame in pieces.bad for d in frame["dt"].unique())
    return _partitions(table, pieces, [d for d in wanted if d in answered])


def partition_of(table: Table, observed: date) -> date:
    """The partition that a day of observation mainly fills: itself, or the day before for T+1 series."""
    return observed - timedelta(days=1) if table.history is History.WINDOW else observed


def _usable(archive: Archive, endpoint: Endpoint, day: date) -> Iterator[tuple[Address, Entry, bytes]]:
    """Successful answers of complete sequences. A listing that broke off is an error, not a short table."""
    complete = complete_sequences(archive.index(endpoint.name, [day]))
    for address, entry, body in archive.records(endpoint.name, [day]):
        if entry.ok and entry.sequence in complete:
            yield address, entry, body


def _answered(table: Table, endpoint: Endpoint, sources: list[Source], wanted: list[date]) -> set[date]:
    """Partitions about which these answers say something, be it that there is nothing."""
    if table.history is History.WINDOW:
        spans = {(first_day(endpoint, s.entry), s.entry.newest) for s in sources if s.entry.newest}
        return {d for d in wanted if any(first <= d and d.isoformat() <= newest for first, newest in spans)}
    return {beijing_day(s.entry.began_at) for s in sources if s.entry.items or endpoint.empty is not Empty.NOT_READY}


def first_day(endpoint: Endpoint, entry: Entry) -> date:
    """The oldest day that a series answer covers; it says nothing about days before."""
    name = next(p.name for p in endpoint.params if p.fill is Fill.WINDOW)
    return beijing_day(entry.began_at) - timedelta(days=int(entry.params.get(name, max(endpoint.windows))))


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


# --------------------------------------------------------------------------- rows of one batch


def _collect(pieces: _Pieces, table: Table, endpoint: Endpoint, output: Output, text: pa.Table, sources: list[Source]) -> None:
    if text.num_rows == 0:
        return
    frame = text.to_pandas(types_mapper=pd.ArrowDtype)
    about = _requests(table, sources, endpoint, output).take(text["request"].combine_chunks())
    rows = about.to_pandas(types_mapper=pd.ArrowDtype)
    rows["_parent_ordinal"], rows["_ordinal"] = frame["parent_ordinal"], frame["ordinal"]
    reasons = frame["problem"].astype(object).where(frame["problem"].notna(), "")
    for i, column in enumerate(output.columns):
        field_ = FIELDS[column.field]
        if column.origin is Origin.CONST:
            rows[column.field] = pd.Series(column.path, index=rows.index, dtype=pd.ArrowDtype(pa.string()))
        elif column.origin is Origin.ORDINAL:
            rows[column.field] = frame["ordinal"] + rows["_offset"]
        elif column.origin is not Origin.PARAM:
            values, bad = parse_column(frame[f"c{i}"], column.parse, field_.type)
            rows[column.field] = values
            if bad.any():
                _blame(reasons, bad, frame[f"c{i}"], column.path, EXPECTS[column.parse], field_.pii)
    rows["dt"] = rows["stat_date"] if table.history is History.WINDOW else rows["_partition"]
    for name in table.not_null:
        missing = rows[name].isna() & (reasons == "")
        if missing.any():
            reasons[missing] = f"{name}: missing, and a row cannot be told from others without it"
    good = reasons == ""
    if not good.all():
        # A row whose statistics day cannot be read stands where its answer mainly went.
        rows["dt"] = rows["dt"].fillna(rows["_partition"])
        pieces.bad.append(_quarantine_rows(table, endpoint, rows[~good], reasons[~good]))
    pieces.good.append(rows.loc[good, [*table.columns, *_PLACE]])


def _blame(reasons: pd.Series, bad: pd.Series, text: pd.Series, member: str, expected: str, pii: Pii) -> None:
    """Write down why rows do not fit; values of people stay in the archive."""
    shown = "" if pii is not Pii.NONE else ": " + text[bad].astype(object).map(lambda value: repr(value[:60]))
    more = f"{member}: expected {expected}" + shown
    reasons[bad] = reasons[bad].where(reasons[bad] == "", reasons[bad] + "; ") + more


def _requests(table: Table, sources: list[Source], endpoint: Endpoint, output: Output) -> pa.Table:
    """One line per answer of the batch: what every row of it shares."""
    entries = [s.entry for s in sources]
    columns = {
        "observed_at": pa.array([e.began_at for e in entries], _INSTANT),
        "source": pa.array([endpoint.name] * len(entries), pa.string()),
        "client_key": pa.array([e.client_key for e in entries], pa.string()),
        "_open_id": pa.array([e.open_id for e in entries], pa.string()),
        "_partition": pa.array([partition_of(table, beijing_day(e.began_at)) for e in entries], pa.date32()),
        "_segment": pa.array([s.address.segment for s in sources], pa.string()),
        "_record": pa.array([s.address.number for s in sources], pa.int64()),
        "_page": pa.array([e.page for e in entries], pa.int64()),
        "_offset": pa.array([e.offset for e in entries], pa.int64()),
    }
    for column in output.columns:
        if column.origin is Origin.PARAM:
            values = [None if (v := e.params.get(column.path)) is None else str(v) for e in entries]
            columns[column.field] = pa.array(values, pa.string())
    return pa.table(columns)


def _quarantine_rows(table: Table, endpoint: Endpoint, rows: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dt": rows["dt"],
            "table_name": table.name,
            "operation": endpoint.name,
            "client_key": rows["client_key"],
            "open_id": rows["_open_id"],
            "observed_at": rows["observed_at"],
            "position": rows["_ordinal"],
            "reason": reasons,
            "segment": rows["_segment"],
            "record": rows["_record"],
        }
    )


# --------------------------------------------------------------------------- whole days


def _partitions(table: Table, pieces: _Pieces, dts: list[date]) -> dict[date, Normalised]:
    schema = arrow_schema(table)
    good, bad = _by_day(pieces.good), _by_day(pieces.bad)
    result = {}
    for dt in dts:
        rows, duplicates = _one_day(table, schema, good.get(dt))
        quarantine = QUARANTINE_SCHEMA.empty_table()
        if dt in bad:
            chosen = bad[dt].sort_values(["operation", "segment", "record", "position", "reason"])
            quarantine = pa.Table.from_pandas(chosen, schema=QUARANTINE_SCHEMA, preserve_index=False)
        drift = [
            {"dt": dt, "table_name": table.name, "operation": operation, "member": member, "rows": count}
            for (day, operation, member), count in sorted(pieces.drift.items())
            if day == dt
        ]
        result[dt] = Normalised(
            table, dt, rows, quarantine, pa.Table.from_pylist(drift, DRIFT_SCHEMA), duplicates,
            landed_by=_count_by(rows, "source", table), quarantined_by=_count_by(quarantine, "operation", None),
        )  # fmt: skip
    return result


def _by_day(frames: list[pd.DataFrame]) -> dict[date, pd.DataFrame]:
    if not frames:
        return {}
    return dict(tuple(pd.concat(frames, ignore_index=True).groupby("dt", sort=False)))


def _one_day(table: Table, schema: pa.Schema, day: pd.DataFrame | None) -> tuple[pa.Table, int]:
    """Rows of one day in order of key, the latest observation of each key, and how many duplicates went."""
    if day is None:
        return schema.empty_table(), 0
    key = list(table.primary_key)
    newest_first = [*key, "observed_at", *_PLACE]
    day = day.sort_values(newest_first, ascending=[*(True for _ in key), False, *(True for _ in _PLACE)], kind="stable")
    kept = day.drop_duplicates(key, keep="first")
    rows = pa.Table.from_pandas(kept[list(table.columns)], preserve_index=False)
    return rows.cast(schema), len(day) - len(kept)


def _count_by(rows: pa.Table, operation: str, table: Table | None) -> Counter:
    """Rows per (operation, client_key, open_id); app-level rows have an empty open_id."""
    if rows.num_rows == 0:
        return Counter()
    if table is not None and "open_id" not in table.fields:
        rows = rows.append_column("open_id", pa.array([""] * rows.num_rows, pa.string()))
    counted = rows.group_by([operation, "client_key", "open_id"]).aggregate([([], "count_all")])
    return Counter({(r[operation], r["client_key"], r["open_id"]): r["count_all"] for r in counted.to_pylist()})


def land(lake: Lake, normalised: Normalised) -> bool:
    """Write one partition with its quarantine and drift; says whether the rows changed."""
    changed = lake.write(normalised.table.name, normalised.dt, normalised.rows)
    for room, rows in ((QUARANTINE, normalised.quarantine), (DRIFT, normalised.drift)):
        name = f"{room}/{normalised.table.name}"
        if rows.num_rows:
            lake.write(name, normalised.dt, rows)
        else:
            lake.remove(name, normalised.dt)
    return changed


def newest_observation(rows: pa.Table):
    """The latest ``observed_at`` of a partition, or None when it has no rows."""
    return pc.max(rows["observed_at"]).as_py() if rows.num_rows else None
