"""Build marts from the lake: find the days that are out of date, and build one day of one mart.

A mart reads only the days of the lake that its description declares (look-back), so the inputs of each of its days are
known. Their fingerprint is stored beside the mart, and a day is rebuilt when it differs. The same rows of the lake give
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
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
from resources.sql import DUCKDB_SESSION, identifier
from resources.storage.atomic import write_atomic
from resources.storage.lake import DRIFT, QUARANTINE, Lake, scan
from resources.storage.parquet import encode_into
from resources.storage.partition import LakeCorrupt, Partition
from resources.storage.pins import Pins
from resources.warehouse.extra_tables import insert_batches
from resources.warehouse.mart_files import ALL_DAYS, DATASET, BadMart, Mart, load_marts, mart_folders
from resources.warehouse.published_marts import WHOLE, mart_partitions, whole_path
from resources.warehouse.state_tables import TABLES_OF_STATE, load_status_batches, read_state_tables
from services.comments import functions
from services.marts.binding import SQL_TYPES, CompiledMart, bind, empty_table, on_day, selected

if TYPE_CHECKING:
    import duckdb

_INPUTS = "inputs.json"
_STATUS_DAYS = timedelta(days=32)
"""Load statuses of older days are left out: they are rarely queried, and a year of a thousand accounts has millions."""
_MODULUS = 1 << 128


@dataclass
class Built:
    """A built day of a mart, or a whole mart (``dt`` is then :data:`WHOLE`)."""

    bound: CompiledMart
    dt: date
    row_count: int
    changed: bool
    """Whether the bytes in the lake changed."""
    path: Path

    @property
    def rows(self) -> pa.Table:
        """Read the rows from the lake each time, since one run may build hundreds of days."""
        return pq.read_table(self.path, partitioning=None)


@dataclass
class Marts:
    """All marts over the lake of a runtime; nothing is opened before first use."""

    runtime: Runtime
    folder: Path | None = None
    """Where the marts are read from, instead of the shipped ones and those of the user's project."""
    damaged: list[LakeCorrupt] = field(default_factory=list)
    """Unreadable files found so far; the days that need them are not rebuilt and stay out of date."""
    _listed: dict[str, _Days] = field(default_factory=dict)

    @cached_property
    def bound(self) -> dict[str, CompiledMart]:
        """Return the compiled marts in dependency order.

        Raises:
            BadMart: a mart is invalid.
        """
        settings = self.runtime.settings
        folders = mart_folders(settings.project) if self.folder is None else (self.folder,)
        return bind(load_marts(*folders), settings.mart_cache_path)

    @property
    def lake(self) -> Lake:
        """Return the lake that the marts are built from."""
        return self.runtime.lake

    # ------------------------------------------------------------------ what is out of date

    def days(self, name: str) -> list[date]:
        """List the days of an incremental mart: all from the first to the last day of its tables, gaps included."""
        bound = self.bound[name]
        drivers = bound.mart.days_of or (*bound.tables, *bound.marts)
        found = [d for t in drivers for d in ((self.days(t) if t in self.bound else self._days(t).dts) or ())]
        if not found:
            return []
        first, last = min(found), max(found)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def stale(self, name: str, *, state_too: bool = True) -> list[date]:
        """List the days of a mart that are out of date: its inputs or its SQL have changed, or its file is missing.

        Marts over the state are always out of date, since changes of the state are not tracked; ``state_too=False``
        checks only the files they read. A full mart has the day :data:`WHOLE`.
        """
        bound = self.bound[name]
        self.__dict__.pop("_texts", None)
        if bound.reads_state and state_too:
            return [WHOLE]
        built_from = self._inputs(name)
        wanted = (
            self.days(name)
            if bound.mart.incremental
            else ([WHOLE] if any(self._days(t).dts for t in bound.tables) or bound.marts or not bound.sources else [])
        )
        return [
            dt
            for dt in wanted
            if built_from.get(dt.isoformat()) != self._fingerprint(bound, dt) or not self.path(name, dt).exists()
        ]

    def any_stale(self) -> dict[str, list[date]]:
        """Map each mart with days that are out of date, judging by files alone, to these days."""
        return {name: dts for name in self.bound if (dts := self.stale(name, state_too=False))}

    def path(self, name: str, dt: date) -> Path:
        """Return the file of a day of a mart, or that of a full mart."""
        mart = self.bound[name].mart
        return self.lake.path(mart.dataset, dt) if mart.incremental else whole_path(self.lake, mart)

    def _fingerprint(self, bound: CompiledMart, dt: date) -> str:
        total = 0
        for source in bound.sources:
            dataset = source.removeprefix("main.").replace(f"{DATASET}.", f"{DATASET}/")
            if source in TABLES_OF_STATE or source == "meta.load_status":
                continue
            for one in self._datasets(source) if source.startswith("meta.") else [dataset]:
                total += self._days(one).digest(*_span(bound.mart, source, dt))
        texts = self._texts if bound.uses_texts else ""
        return hashlib.sha256(f"{bound.mart.hash} {texts} {total % _MODULUS:x}".encode()).hexdigest()[:32]

    @cached_property
    def _texts(self) -> str:
        """Hash the rules for texts: once for each check, and not for every day of a year."""
        from services.comments.rules import fingerprint, needs_dir

        return fingerprint(needs_dir(self.runtime.settings))

    def _inputs(self, name: str) -> dict[str, str]:
        try:
            return json.loads((self.lake.root / self.bound[name].mart.dataset / _INPUTS).read_bytes())
        except (FileNotFoundError, ValueError):  # lost or damaged: all is rebuilt
            return {}

    def _days(self, dataset: str) -> _Days:
        """Return the partitions of a dataset of the lake, listed once; a full mart has one, without a day."""
        if dataset not in self._listed:
            name = dataset.removeprefix(f"{DATASET}/")
            bound = self.bound.get(name) if dataset.startswith(f"{DATASET}/") else None
            partitions = (
                mart_partitions(self.lake, bound.mart)
                if bound is not None
                else list(self.lake.partitions(dataset, self.damaged))
            )
            self._listed[dataset] = _Days(partitions)
        return self._listed[dataset]

    def _datasets(self, source: str) -> list[str]:
        side = {"meta.quarantine": QUARANTINE, "meta.drift": DRIFT}.get(source)
        return [f"{side}/{t}" for t in TABLES] if side else []

    # ------------------------------------------------------------------ building

    def build_stale(self) -> list[Built]:
        """Build everything that is out of date, and return what was built."""
        self._listed.clear()
        return [built for name in self.bound for built in self.build(name, self.stale(name))]

    def build(self, name: str, dts: Iterable[date]) -> Iterator[Built]:
        """Build days of a mart one by one, or a full mart if ``dts`` has any day; yield what was built.

        One process at a time builds a mart. A day that needs a damaged file is not built; the file is added to
        :attr:`damaged`.

        Raises:
            BadMart: the SELECT fails, or its rows break the description (key, not null, day); nothing is written for
                that day.
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
            self.lake.sweep(bound.mart.dataset)
            for known in (
                bound.mart.dataset,
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
                self._listed.pop(bound.mart.dataset, None)
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
            shutdown.check(0.1)  # DuckDB reports an interrupt like any error
            raise BadMart(f"{bound.mart.path}: {dt}: {str(error).splitlines()[0]}") from error
        rows = pa.table([c.combine_chunks() for c in rows.columns], names=rows.column_names).cast(
            _nullable(bound.schema)
        )
        if wrong := broken(bound, rows, dt):
            raise BadMart(f"{bound.mart.path}: {'' if dt == WHOLE else f'{dt}: '}{wrong}")
        rows = rows.cast(bound.schema)
        path = self.path(bound.mart.name, dt)
        if bound.mart.incremental:
            return Built(bound, dt, rows.num_rows, self.lake.write(bound.mart.dataset, dt, rows), path)
        return Built(bound, WHOLE, rows.num_rows, self.lake.replace(path, lambda file: encode_into(file, rows)), path)

    def _view(
        self, connection: duckdb.DuckDBPyConnection, pins: Pins, bound: CompiledMart, source: str, dt: date
    ) -> None:
        """Create the view of a source, restricted to the days that the SELECT may read."""
        where, _, table = source.partition(".")
        first, last = _span(bound.mart, source, dt)
        datasets = self._datasets(source) or [table if where == "main" else f"{DATASET}/{table}"]
        found = [
            pin
            for dataset in datasets
            for p in self._days(dataset).between(first, last)
            if (pin := pins.pin(p)) is not None
        ]
        for one in self.damaged:  # an unreadable month file: even its days are unknown
            if (
                one.dt is None
                and one.table in datasets
                and first.isoformat()[:7] <= one.path.parent.name.removeprefix("month=") <= last.isoformat()[:7]
            ):
                raise one
        relation = f"SELECT * FROM {scan(found)}" if found else _nothing(bound.schemas[source])
        connection.execute(f"CREATE OR REPLACE VIEW {identifier(where, table)} AS {relation}")

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
        connection.execute(DUCKDB_SESSION)
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

    def _keep_inputs(self, name: str, made: dict[str, str]) -> None:
        path = self.lake.root / self.bound[name].mart.dataset / _INPUTS
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(dict(sorted((self._inputs(name) | made).items())), indent=0).encode())


MEMORY = "1GB"
"""Memory limit of DuckDB, above which it spills to disk."""


def broken(bound: CompiledMart, rows: pa.Table, dt: date) -> str | None:
    """Return how rows break the mart's description, with an example; None if they do not."""
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
    """The partitions of one dataset in order, with cumulative digests: a range of days is looked up in O(log n)."""

    def __init__(self, partitions: list[Partition]) -> None:
        self._partitions = partitions
        self.dts = [p.dt for p in partitions]
        self._sums = [0, *accumulate(map(_digest, partitions))]

    def between(self, first: date, last: date) -> list[Partition]:
        """List the partitions of a range of days, both ends included."""
        return self._partitions[bisect_left(self.dts, first) : bisect_right(self.dts, last)]

    def digest(self, first: date, last: date) -> int:
        """Return the sum of the digests of a range of days, both ends included."""
        return self._sums[bisect_right(self.dts, last)] - self._sums[bisect_left(self.dts, first)]


def _digest(p: Partition) -> int:
    return int.from_bytes(hashlib.blake2b(f"{p.table} {p.dt} {p.size} {p.mtime_ns}".encode(), digest_size=16).digest())


def _span(mart: Mart, source: str, dt: date) -> tuple[date, date]:
    """Return the first and last day of a source that the mart may read for ``dt``."""
    if not mart.incremental:
        return date.min, date.max
    back = mart.days_before(source.partition(".")[2])
    return (date.min if back >= ALL_DAYS else dt - timedelta(days=back)), dt + timedelta(days=mart.lookahead)


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.with_nullable(True) for f in schema])


def _nothing(schema: pa.Schema) -> str:
    names = {arrow: name for name, arrow in SQL_TYPES.items()}
    return "SELECT " + ", ".join(f"NULL::{names[f.type]} AS {identifier(f.name)}" for f in schema) + " WHERE false"


def _fill(
    connection: duckdb.DuckDBPyConnection, source: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """Create a table with rows of the state; only one batch at a time is in memory outside DuckDB."""
    connection.execute(empty_table(source, schema))
    insert_batches(connection, source, batches)
