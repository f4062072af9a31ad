"""Making marts from the lake: which days are out of date, and one day of one mart.

A mart sees of the lake only what its description says it reads (look-back), so what its days depend on is known: their
fingerprint is kept beside them, and a day is made again when it differs. The same rows of the lake give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from catalog import TABLES
from resources import shutdown
from resources.runtime import Runtime
from resources.storage.atomic import write_atomic
from resources.storage.lake import DRIFT, QUARANTINE, Lake, Partition, encode_into, scan
from resources.storage.partition import LakeCorrupt
from resources.storage.pins import Pins
from resources.warehouse.mart_files import ALL_DAYS, DATASET, MARTS_DIR, BadMart, Mart, load_marts
from resources.warehouse.published_marts import WHOLE, mart_partitions, whole_path
from resources.warehouse.state_tables import TABLES_OF_STATE, load_status_batches, read_state_tables
from services.comments import functions
from services.marts.binding import SQL_TYPES, CompiledMart, bind, empty_table, on_day, selected

if TYPE_CHECKING:
    import duckdb

_INPUTS = "inputs.json"
_STATUS_DAYS = timedelta(days=32)
"""Of older days nobody asks any more how they were loaded; a year of a thousand accounts has millions of lines."""
_MODULUS = 1 << 128


@dataclass
class Built:
    """One day of a mart, or the whole of it (``dt`` is then :data:`WHOLE`)."""

    bound: CompiledMart
    dt: date
    row_count: int
    changed: bool
    """Whether the bytes in the lake are other ones now."""
    path: Path

    @property
    def rows(self) -> pa.Table:
        """Read from the lake each time: hundreds of days may be made in one go."""
        return pq.read_table(self.path, partitioning=None)


@dataclass
class Marts:
    """All marts over the lake of a runtime. Opens nothing before it is used."""

    runtime: Runtime
    folder: Path = MARTS_DIR
    damaged: list[LakeCorrupt] = field(default_factory=list)
    """Files that did not read back since this was made; the days that needed them were left as they are, and stay out of date."""
    _listed: dict[str, _Days] = field(default_factory=dict)

    @cached_property
    def bound(self) -> dict[str, CompiledMart]:
        """In an order in which those that others read come first. Raises BadMart."""
        return bind(load_marts(self.folder), self.runtime.settings.mart_cache_path)

    @property
    def lake(self) -> Lake:
        return self.runtime.lake

    # ------------------------------------------------------------------ what is out of date

    def days(self, name: str) -> list[date]:
        """The days that an incremental mart has: all from the first to the last of its tables, gaps included."""
        bound = self.bound[name]
        drivers = bound.mart.days_of or (*bound.tables, *bound.marts)
        found = [d for t in drivers for d in ((self.days(t) if t in self.bound else self._days(t).dts) or ())]
        if not found:
            return []
        first, last = min(found), max(found)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def stale(self, name: str, *, state_too: bool = True) -> list[date]:
        """Days whose rows would be made of other files, or by other SQL, than they were. Marts over the state are always
        out of date, unless ``state_too`` is off: whether something happened to be written there is not known."""
        bound = self.bound[name]
        self.__dict__.pop("_texts", None)
        if bound.reads_state and state_too:
            return [WHOLE]
        held = self._inputs(name)
        wanted = (
            self.days(name)
            if bound.mart.incremental
            else ([WHOLE] if any(self._days(t).dts for t in bound.tables) or bound.marts else [])
        )
        return [
            dt
            for dt in wanted
            if held.get(dt.isoformat()) != self._fingerprint(bound, dt) or not self.path(name, dt).exists()
        ]

    def any_stale(self) -> dict[str, list[date]]:
        """Per mart the days that are out of date by the files of the lake alone; marts that have none are left out."""
        return {name: dts for name in self.bound if (dts := self.stale(name, state_too=False))}

    def path(self, name: str, dt: date) -> Path:
        mart = self.bound[name].mart
        return self.lake.path(mart.room, dt) if mart.incremental else whole_path(self.lake, mart)

    def _fingerprint(self, bound: CompiledMart, dt: date) -> str:
        total = 0
        for source in bound.sources:
            room = source.removeprefix("main.").replace(f"{DATASET}.", f"{DATASET}/")
            if source in TABLES_OF_STATE or source == "meta.load_status":
                continue
            for one in self._rooms(source) if source.startswith("meta.") else [room]:
                total += self._days(one).digest(*_span(bound.mart, source, dt))
        texts = self._texts if bound.uses_texts else ""
        return hashlib.sha256(f"{bound.mart.hash} {texts} {total % _MODULUS:x}".encode()).hexdigest()[:32]

    @cached_property
    def _texts(self) -> str:
        """Hashed once for each question, and not for every day of a year."""
        from services.comments.rules import fingerprint, needs_dir

        return fingerprint(needs_dir(self.runtime.settings))

    def _inputs(self, name: str) -> dict[str, str]:
        try:
            return json.loads((self.lake.root / self.bound[name].mart.room / _INPUTS).read_bytes())
        except (FileNotFoundError, ValueError):  # lost or damaged: all is made again
            return {}

    def _days(self, room: str) -> _Days:
        """The partitions of a room of the lake, listed once; a full mart has one, of no day."""
        if room not in self._listed:
            name = room.removeprefix(f"{DATASET}/")
            bound = self.bound.get(name) if room.startswith(f"{DATASET}/") else None
            partitions = (
                mart_partitions(self.lake, bound.mart)
                if bound is not None
                else list(self.lake.partitions(room, self.damaged))
            )
            self._listed[room] = _Days(partitions)
        return self._listed[room]

    def _rooms(self, source: str) -> list[str]:
        side = {"meta.quarantine": QUARANTINE, "meta.drift": DRIFT}.get(source)
        return [f"{side}/{t}" for t in TABLES] if side else []

    # ------------------------------------------------------------------ making them

    def build_stale(self) -> list[Built]:
        """Make everything that is out of date."""
        self._listed.clear()
        return [built for name in self.bound for built in self.build(name, self.stale(name))]

    def build(self, name: str, dts: Iterable[date]) -> Iterator[Built]:
        """Make days of a mart, one after another; a full mart whatever is asked. One process at a time makes a mart.

        A day that needs a damaged file is not made: see :attr:`damaged`.

        Raises:
            BadMart: rows break what the description promises (key, day); nothing is written of that day.
        """
        bound = self.bound[name]
        wanted = sorted(set(dts)) if bound.mart.incremental else [WHOLE][: len(list(dts))]
        if not wanted:
            return
        with (
            self.runtime.filling(f"mart-{name}"),
            Pins(self.runtime.settings.home / "pins" / name) as pins,
            self._connect(bound) as connection,
        ):
            self.lake.sweep(bound.mart.room)
            for known in (
                bound.mart.room,
                *(s.removeprefix("main.").replace(f"{DATASET}.", f"{DATASET}/") for s in bound.sources),
            ):
                self._listed.pop(known, None)
            state = self._state(bound)
            for source, rows in state.items():
                _fill(connection, source, bound.schemas[source], rows)
            made: dict[str, str] = {}
            try:
                for dt in wanted:
                    fingerprint = self._fingerprint(bound, dt)
                    try:
                        built = self._build(connection, pins, bound, dt)
                    except LakeCorrupt as error:
                        self.damaged.append(error)
                        continue
                    made[dt.isoformat()] = fingerprint
                    yield built
            finally:
                self._listed.pop(bound.mart.room, None)
                if made:
                    self._keep_inputs(name, made)

    def _build(self, connection: duckdb.DuckDBPyConnection, pins: Pins, bound: CompiledMart, dt: date) -> Built:
        import duckdb

        for source in bound.sources:
            if source not in TABLES_OF_STATE and source != "meta.load_status":
                self._view(connection, pins, bound, source, dt)
        try:
            rows = connection.execute(selected(bound, on_day(bound.mart.sql, dt))).to_arrow_table()
        except (duckdb.Error, RuntimeError) as error:
            shutdown.check(0.1)  # DuckDB tells of an interrupt as of any error
            raise BadMart(f"{bound.mart.path}: {dt}: {str(error).splitlines()[0]}") from error
        rows = pa.table([c.combine_chunks() for c in rows.columns], names=rows.column_names).cast(
            _nullable(bound.schema)
        )
        if wrong := broken(bound, rows, dt):
            raise BadMart(f"{bound.mart.path}: {'' if dt == WHOLE else f'{dt}: '}{wrong}")
        rows = rows.cast(bound.schema)
        path = self.path(bound.mart.name, dt)
        if bound.mart.incremental:
            return Built(bound, dt, rows.num_rows, self.lake.write(bound.mart.room, dt, rows), path)
        return Built(bound, WHOLE, rows.num_rows, self.lake.replace(path, lambda file: encode_into(file, rows)), path)

    def _view(
        self, connection: duckdb.DuckDBPyConnection, pins: Pins, bound: CompiledMart, source: str, dt: date
    ) -> None:
        """Let the SELECT see just the days of a source that it may read."""
        where, _, table = source.partition(".")
        first, last = _span(bound.mart, source, dt)
        rooms = self._rooms(source) or [table if where == "main" else f"{DATASET}/{table}"]
        found = [
            pin for room in rooms for p in self._days(room).between(first, last) if (pin := pins.pin(p)) is not None
        ]
        for one in self.damaged:  # a month of which not even the days are known
            if (
                one.dt is None
                and one.table in rooms
                and first.isoformat()[:7] <= one.path.parent.name.removeprefix("month=") <= last.isoformat()[:7]
            ):
                raise one
        relation = f"SELECT * FROM {scan(found)}" if found else _nothing(bound.schemas[source])
        connection.execute(f'CREATE OR REPLACE VIEW {where}."{table}" AS {relation}')

    def _connect(self, bound: CompiledMart) -> duckdb.DuckDBPyConnection:
        import duckdb

        from services.comments.rules import BadNeeds, needs_dir

        spill = self.runtime.settings.home / "tmp"
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "memory_limit": MEMORY,
                "temp_directory": str(spill),
            }
        )
        connection.execute("SET TimeZone = 'UTC'")
        for schema in (DATASET, "meta", "outreach"):
            connection.execute(f"CREATE SCHEMA {schema}")
        try:
            functions.register(connection, needs_dir(self.runtime.settings), at_once=bound.uses_texts)
        except BadNeeds as error:
            connection.close()
            raise BadMart(f"{bound.mart.path}: {error}") from error
        return connection

    def _state(self, bound: CompiledMart) -> dict[str, Iterable[pa.RecordBatch]]:
        if not bound.reads_state:
            return {}
        found: dict[str, Iterable[pa.RecordBatch]] = {
            name: rows.to_batches()
            for name, rows in read_state_tables(
                self.runtime.state, self.runtime.settings, self.runtime.clock.now()
            ).items()
        }
        if "meta.load_status" in bound.sources:
            today = self.runtime.clock.today()
            days = [today - timedelta(days=n) for n in range(-1, _STATUS_DAYS.days)]
            found["meta.load_status"] = load_status_batches(self.runtime.state, days)
        return {source: found[source] for source in bound.sources if source in found}

    def _keep_inputs(self, name: str, made: Mapping[str, str]) -> None:
        path = self.lake.root / self.bound[name].mart.room / _INPUTS
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(dict(sorted((self._inputs(name) | made).items())), indent=0).encode())


MEMORY = "1GB"
"""What DuckDB may take before it spills to disk."""


def broken(bound: CompiledMart, rows: pa.Table, dt: date) -> str | None:
    """Which promise of its description the rows break, with an example; None where they keep all."""
    mart = bound.mart
    for name in (*mart.key, *mart.not_null):
        if n := rows[name].null_count:
            return f"{n} rows have no {name}, which is {'part of the key' if name in mart.key else 'never empty'}"
    counted = rows.group_by(list(mart.key)).aggregate([([], "count_all")])
    twice = counted.filter(pa.compute.greater(counted["count_all"], 1))
    if twice.num_rows:
        example = ", ".join(f"{k}={v}" for k, v in twice.select(list(mart.key)).slice(0, 1).to_pylist()[0].items())
        return f"{twice.num_rows} keys ({', '.join(mart.key)}) have several rows; one of them: {example}"
    if mart.incremental and rows.num_rows and pa.compute.unique(rows["dt"]).to_pylist() != [dt]:
        return "it gives rows of another day than $dt"
    return None


class _Days:
    """The partitions of one room in order, with sums of their digests: what a span of days holds is told in no time."""

    def __init__(self, partitions: list[Partition]) -> None:
        self._partitions = partitions
        self.dts = [p.dt for p in partitions]
        self._sums = [0, *accumulate(map(_digest, partitions))]

    def between(self, first: date, last: date) -> list[Partition]:
        return self._partitions[bisect_left(self.dts, first) : bisect_right(self.dts, last)]

    def digest(self, first: date, last: date) -> int:
        return self._sums[bisect_right(self.dts, last)] - self._sums[bisect_left(self.dts, first)]


def _digest(p: Partition) -> int:
    return int.from_bytes(hashlib.blake2b(f"{p.table} {p.dt} {p.size} {p.mtime_ns}".encode(), digest_size=16).digest())


def _span(mart: Mart, source: str, dt: date) -> tuple[date, date]:
    """First and last day of a source that the mart may read for ``dt``."""
    if not mart.incremental:
        return date.min, date.max
    back = mart.days_before(source.partition(".")[2])
    return (date.min if back >= ALL_DAYS else dt - timedelta(days=back)), dt + timedelta(days=mart.lookahead)


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.with_nullable(True) for f in schema])


def _nothing(schema: pa.Schema) -> str:
    names = {arrow: name for name, arrow in SQL_TYPES.items()}
    return "SELECT " + ", ".join(f'NULL::{names[f.type]} AS "{f.name}"' for f in schema) + " WHERE false"


def _fill(
    connection: duckdb.DuckDBPyConnection, source: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """A table with rows of the state, of which only a batch at a time is held outside of DuckDB."""
    connection.execute(empty_table(source, schema))
    where, _, table = source.partition(".")
    for batch in batches:
        connection.register("extra_rows", pa.Table.from_batches([batch]))
        connection.execute(f'INSERT INTO {where}."{table}" BY NAME SELECT * FROM extra_rows')
        connection.unregister("extra_rows")
