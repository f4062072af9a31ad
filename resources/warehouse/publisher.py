"""Publish ``warehouse.duckdb``, which analysts can open read-only at any time, also while runs write.

DuckDB allows one writing process or many reading ones, so the pipeline never writes into a file that may be open. It
copies the published file, upserts the partitions that changed in the lake, checkpoints the copy and renames it over the
published file. One publisher runs at a time. A lost or outdated file is rebuilt from Parquet.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from filelock import FileLock

from catalog import TABLES
from resources import shutdown
from resources.sql import DUCKDB_SESSION
from resources.storage.file_copy import copy_file
from resources.storage.lake import DRIFT, QUARANTINE, Lake, scan
from resources.storage.partition import LakeCorrupt, Partition, damage_of
from resources.storage.pins import Pins
from resources.warehouse.descriptions import read_descriptions
from resources.warehouse.extra_tables import ExtraTable, ExtraTables, TableByDay, replace_days, replace_rows
from resources.warehouse.manifest import digest_of_lake, digest_of_state, read_manifest, write_manifest
from resources.warehouse.mart_files import Mart, readable_marts
from resources.warehouse.published_marts import mart_partitions, publish_marts
from resources.warehouse.published_partitions import PublishedPartitions, commit_many

if TYPE_CHECKING:  # imported only where a file is opened: a run with nothing to publish opens none
    import duckdb
from resources.sql import identifier
from resources.warehouse.layout import has_layout, layout_script, layout_version, open_for_writing
from resources.warehouse.publication import Publication, PublishFailed

_MERGED_EVERY = 8
"""Interval in days at which a checkpoint may merge the small row groups that daily publications leave."""


class Warehouse:
    """Publisher of the lake as one DuckDB file at ``path``.

    ``mart_folders`` hold the marts; without any, those that the product ships.
    """

    def __init__(self, path: Path, lake: Lake, locks_dir: Path, *mart_folders: Path) -> None:
        self.path = path
        self.lake = lake
        self._mart_folders = mart_folders
        self._lock_path = locks_dir / "publish.lock"
        self._pins = path.with_name(path.name + ".reading")

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open a read-only connection to the published file, with Beijing as its time zone.

        Raises:
            FileNotFoundError: nothing was published yet.
        """
        if not self.path.exists():
            raise FileNotFoundError(
                f"{self.path} does not exist yet: nothing was published. Run `douyin run` or `make demo`."
            )
        import duckdb

        connection = duckdb.connect(str(self.path), read_only=True)
        connection.execute(DUCKDB_SESSION)
        return connection

    def _present(self, marts: Iterable[Mart], damaged: list[LakeCorrupt]) -> dict[str, list[Partition]]:
        """Return the lake's partitions by dataset."""
        datasets = [*TABLES, *(f"{dataset}/{name}" for dataset in (QUARANTINE, DRIFT) for name in TABLES)]
        return {dataset: list(self.lake.partitions(dataset, damaged)) for dataset in datasets} | {
            mart.dataset: mart_partitions(self.lake, mart) for mart in marts
        }

    def _lake_files(self) -> list[Partition]:
        return [p for found in self._present(readable_marts(*self._mart_folders).values(), []).values() for p in found]

    def lake_version(self) -> str | None:
        """Return a text that changes with any partition of the lake; None while the lake is empty."""
        files = self._lake_files()
        return f"{len(files)}-{max(p.mtime_ns for p in files)}" if files else None

    def is_current(self) -> bool:
        """Return whether the published file matches the lake's partitions and the descriptions in the mart files."""
        if not has_layout(self.path):
            return False
        with self.connect() as connection:
            published = set(connection.execute("SELECT name, dt, size_bytes, mtime_ns FROM meta.partitions").fetchall())
            described = dict(connection.execute("SELECT name, hash FROM meta.marts").fetchall())
        return described == {m.name: m.hash for m in readable_marts(*self._mart_folders).values()} and published == {
            (p.table, p.dt, p.size, p.mtime_ns) for p in self._lake_files()
        }

    def publish(
        self,
        extra_tables: ExtraTables = dict,
        *,
        rebuild: bool = False,
        again: bool = True,
    ) -> Publication:
        """Update the file to the state of the lake and ``extra_tables``, after another publisher has finished.

        ``rebuild`` creates the file from scratch instead of updating a copy of the published one.

        ``extra_tables`` reads, while the file is copied, the tables that are not in the lake: those of
        :mod:`resources.warehouse.state_tables`, ``meta.load_status`` and ``meta.dictionary``; large ones as batches of
        rows or by day. Without ``again``, a file already made of the same content stays unchanged, for a day at most.

        Days whose files do not read back stay as published and are reported in ``damaged``.

        Raises:
            PublishFailed: DuckDB rejects rows that read back. The previous file stays.
            OSError: writing the file failed. The previous file stays.
        """
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        extra_tables = cache(extra_tables)
        with FileLock(self._lock_path), Pins(self._pins) as pins, ThreadPoolExecutor(2) as pool:
            if not again and not rebuild:
                began = time.monotonic()
                if self._was_made_of(extra_tables()):
                    return Publication(self.path, bytes=self.path.stat().st_size, seconds=time.monotonic() - began)
            refused: list[LakeCorrupt] = []
            while True:
                try:
                    return self._publish(pins, pool, extra_tables, rebuild, refused)
                except _RejectedPartitions as error:  # the transaction is lost: start again without these partitions
                    refused += error.damaged

    def _was_made_of(self, extra_tables: Mapping[str, ExtraTable]) -> bool:
        """Return whether the file was made of exactly these tables and the lake's present files.

        The lake is listed only if the tables are unchanged.
        """
        found = read_manifest(self.path)
        if found is None or found.state != _digest_of_state(extra_tables):
            return False
        marts = readable_marts(*self._mart_folders).values()
        damaged: list[LakeCorrupt] = []
        return found.lake == _digest_of_lake(self._present(marts, damaged), marts) and not damaged

    def _publish(
        self,
        pins: Pins,
        pool: Executor,
        extra_tables: ExtraTables,
        rebuild: bool,
        refused: list[LakeCorrupt],
    ) -> Publication:
        began = time.monotonic()
        building = self.path.with_name(self.path.name + ".building")
        wal = building.with_name(building.name + ".wal")
        # DuckDB would replay a stale log into the new file: phantom rows.
        building.unlink(missing_ok=True)
        wal.unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        result = Publication(self.path, rebuilt=rebuild or not has_layout(self.path), damaged=[*refused])
        copying = None if result.rebuilt else pool.submit(copy_file, self.path, building, pool)
        try:
            marts = readable_marts(*self._mart_folders)
            present = self._present(
                marts.values(), result.damaged
            )  # listing the files of two years takes a third of the copy's time
            rows = extra_tables()
            flushing = None if copying is None else copying.result()
            connection = open_for_writing(building)
            try:
                self._fill(connection, pins, result, present, marts, rows)
            finally:
                connection.close()
            if flushing is not None:
                flushing.result()
        except BaseException:
            if copying is not None:
                wait([copying])  # it would create the file again
            building.unlink(missing_ok=True)
            wal.unlink(missing_ok=True)
            raise
        if wal.exists():
            raise RuntimeError(f"{wal} is still there after the checkpoint; the old warehouse stays")
        with open(building, "rb") as file:
            os.fsync(file.fileno())
        # A process that died with the published file open for writing left a log: DuckDB would replay it into the new
        # file.
        self.path.with_name(self.path.name + ".wal").unlink(missing_ok=True)
        shutdown.check()
        os.replace(building, self.path)
        if not result.left_out and not result.damaged and (state := _digest_of_state(rows)) is not None:
            write_manifest(self.path, state, _digest_of_lake(present, marts.values()))
        result.bytes, result.seconds = self.path.stat().st_size, time.monotonic() - began
        return result

    def _fill(
        self,
        connection: duckdb.DuckDBPyConnection,
        pins: Pins,
        result: Publication,
        present: Mapping[str, list[Partition]],
        marts: Mapping[str, Mart],
        extra_tables: Mapping[str, ExtraTable],
    ) -> None:
        """Write all changes in one transaction, then checkpoint: DuckDB writes no log, and to the file only once.

        By default the checkpoint also merges small row groups: it rewrites a nearly full one for every few rows that
        still fit, several times as many rows as are new. So merging is allowed on every eighth day only, and for a
        rebuilt file: two thirds of the CPU time on average, one and a half times on that day, and a file that is a
        tenth larger.
        """
        connection.execute(f"SET wal_autocheckpoint = '1 byte'; {'' if result.rebuilt else 'SET max_vacuum_tasks = 0'}")
        connection.execute(f"BEGIN;{layout_script() if result.rebuilt else ''}")
        published = PublishedPartitions(connection)
        for table in TABLES.values():
            self._upsert(connection, pins, result, published, table.name, identifier(table.name), present[table.name])
        for dataset in (QUARANTINE, DRIFT):
            for table in TABLES.values():
                name = f"{dataset}/{table.name}"
                self._upsert(
                    connection,
                    pins,
                    result,
                    published,
                    name,
                    f"meta.{dataset.removeprefix('_')}",
                    present[name],
                    table.name,
                )
        found = read_descriptions(connection)
        for name, rows in extra_tables.items():
            if isinstance(rows, TableByDay):
                replace_days(connection, name, rows)
            else:
                replace_rows(connection, name, rows, found.get(name))
        changed, result.left_out = publish_marts(
            connection, published, found, present, marts, lambda p: _intact(pins, p, result.damaged), self._insert
        )
        result.changed |= changed
        published.write(connection)
        if published.days_added and max(published.days_added).toordinal() % _MERGED_EVERY == 0:
            connection.execute("RESET max_vacuum_tasks")
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")

    def _upsert(
        self,
        connection: duckdb.DuckDBPyConnection,
        pins: Pins,
        result: Publication,
        published: PublishedPartitions,
        name: str,
        target: str,
        present: list[Partition],
        only_table: str | None = None,
    ) -> None:
        """Replace the partitions of ``target`` with changed files, and delete those with removed files."""
        changed = [
            pin for p in published.changed(name, present) if (pin := _intact(pins, p, result.damaged)) is not None
        ]
        unknown = {
            d.path.parent.name.removeprefix("month=") for d in result.damaged if d.table == name and d.dt is None
        }
        days = [p.dt for p in changed] + [
            dt for dt in published.gone(name, present) if dt.isoformat()[:7] not in unknown
        ]
        if not days:
            return
        if old := published.known(name, days):
            of_table = f" AND table_name = '{only_table}'" if only_table else ""
            connection.execute(f"DELETE FROM {target} WHERE dt IN (SELECT unnest($1::DATE[])){of_table}", [old])
        if changed:
            self._insert(connection, target, changed)
        published.note(name, days, changed)
        commit_many(connection, days)
        result.changed[name] = days

    def _insert(self, connection: duckdb.DuckDBPyConnection, target: str, changed: list[Partition]) -> None:
        """Insert the rows of some partitions of one dataset.

        Raises:
            _RejectedPartitions: DuckDB rejects some of the partitions individually.
            PublishFailed: DuckDB rejects the insert, but none of the partitions individually.
        """
        import duckdb

        try:
            connection.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {scan(changed)}")
        except duckdb.Error as error:
            name, dts = changed[0].table, [p.dt for p in changed]
            refused = [damage for p in changed if (damage := self._refusal(target, p)) is not None]
            if refused:
                raise _RejectedPartitions(refused) from error
            said = str(error).splitlines()[0]
            raise PublishFailed(
                f"the lake's {name} of {min(dts)} to {max(dts)} cannot be published ({said}): `douyin "
                "verify` names what is damaged"
            ) from error

    def _refusal(self, target: str, partition: Partition) -> LakeCorrupt | None:
        """Insert one partition into an empty table as a test; return the error if DuckDB rejects it."""
        import duckdb

        folder = self.lake.root / partition.table
        names = (f"dt={partition.dt}", "all") if partition.group is None else (f"month={partition.dt:%Y-%m}",)
        where = next(path for name in names if (path := folder / name / "data.parquet").exists() or name == names[-1])
        with duckdb.connect() as connection:
            connection.execute(layout_script())
            try:
                into = (
                    f"CREATE TABLE {target.replace('.', '_')} AS"
                    if target.startswith("marts.")
                    else f"INSERT INTO {target} BY NAME"
                )
                connection.execute(f"{into} SELECT * FROM {scan([partition])}")
            except duckdb.Error as error:
                return damage_of(replace(partition, path=where), str(error).splitlines()[0])
        return None


class _RejectedPartitions(Exception):
    """Partitions whose rows DuckDB rejects."""

    def __init__(self, damaged: list[LakeCorrupt]) -> None:
        self.damaged = damaged


def _intact(pins: Pins, partition: Partition, damaged: list[LakeCorrupt]) -> Partition | None:
    """Pin a partition for reading; None if it was removed or is damaged, which is added to ``damaged``."""
    if any((d.table, d.dt) == (partition.table, partition.dt) for d in damaged):
        return None
    try:
        return pins.pin(partition)
    except LakeCorrupt as error:
        damaged.append(error)
        return None


def _digest_of_state(extra_tables: Mapping[str, ExtraTable]) -> str | None:
    """Digest the layout and the tables; None if a table's rows can be read only once."""
    tables = {name: rows.changed if isinstance(rows, TableByDay) else rows for name, rows in extra_tables.items()}
    return (
        digest_of_state(layout_version(), tables)
        if all(isinstance(rows, pa.Table | Mapping) for rows in tables.values())
        else None
    )


def _digest_of_lake(present: Mapping[str, list[Partition]], marts: Iterable[Mart]) -> str:
    return digest_of_lake((p for found in present.values() for p in found), marts)
