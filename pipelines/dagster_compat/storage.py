"""Keep the connections of Dagster's SQLite storage open.

Dagster's own storage makes an engine for every statement: it compiles the statement anew, and closing the last
connection makes SQLite check-point and sync the file. A run of 15 assets with three checks each takes 4.7x longer with
it (``benchmarks/dagster_storage.py``). The files and their layout are Dagster's; ``dagster.yaml`` names these classes,
and Dagster's own classes read what they wrote.

Waiting for a pool is replaced, too. Dagster checks whether a slot is free and joins the queue in two steps. If the
holder releases the slot between them, the step in the queue never gets it, and its run waits for ever. While it waits,
Dagster reads its clock without a pause, which takes a whole core, and reacts neither to Ctrl-C nor to SIGTERM.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import sqlalchemy as sa
from dagster import AssetKey, DagsterEventType, EventLogEntry, EventLogRecord
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.storage.event_log.base import AssetEntry, AssetRecord
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._record import copy
from dagster._serdes import deserialize_value
from dagster._utils.concurrency import ConcurrencyClaimStatus
from dagster._utils.interrupts import check_captured_interrupt
from filelock import FileLock

from pipelines.dagster_compat.paths import take_paths_as_they_are
from pipelines.dead_runs import end_dead_runs
from pipelines.home import begin_dagster_process

_BUSY_TIMEOUT_S = 60
_RUN_SHARDS_KEPT = 8
_CLAIM_PAUSE_S = 0.25
"""Pause between two attempts to claim a slot of a full pool."""
_LOOK_FOR_THE_DEAD_S = 5.0
"""How often a waiting run checks whether the run that holds the slot was killed; no other process may ever check."""


take_paths_as_they_are()


def _make_engine(url: str) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=2, max_overflow=-1, connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _pragma(connection, _record) -> None:
        # In WAL mode a crash of the process loses nothing with NORMAL; a power cut may take the last events,
        # and archive and lake record what was loaded, not this file.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


@contextmanager
def _one_at_a_time(folder: str) -> Iterator[None]:
    """Let only one process at a time create the files of a new home.

    Two processes that do so at the same moment would both write the first version line, and one would fail.

    One lock object per folder: making the index opens it, which takes the lock again.
    """
    os.makedirs(folder, exist_ok=True)
    with FileLock(os.path.join(folder, ".creating.lock"), is_singleton=True):
        yield


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """The event log: one file per run and an index, with the files in use kept open."""

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        """Create the storage under ``base_dir`` of ``dagster.yaml``."""
        base_dir = os.path.join(config_value["base_dir"], "history", "runs")
        with _one_at_a_time(base_dir):
            return cls(inst_data=inst_data, base_dir=base_dir)

    @cached_property
    def _engines(self) -> OrderedDict[str, sa.Engine]:
        return OrderedDict()

    def _engine(self, shard: str) -> sa.Engine:
        engines = self._engines
        if shard not in engines:
            engines[shard] = _make_engine(self.conn_string_for_shard(shard))
        engines.move_to_end(shard)
        while len(engines) > _RUN_SHARDS_KEPT:
            oldest = next(name for name in engines if name != INDEX_SHARD_NAME)
            engines.pop(oldest).dispose()
        return engines[shard]

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                with _one_at_a_time(self._base_dir):
                    self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    @property
    def asset_records_have_last_observation(self) -> bool:
        """Spare Dagster two queries for each input that was never materialised; the publication has 86 inputs."""
        return True

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """Return the records with the last observation of assets that were never materialised."""
        records = super().get_asset_records(asset_keys)
        observed = self._last_observations(
            [r.asset_entry for r in records if r.asset_entry.last_materialization_record is None]
        )
        return [
            copy(r, asset_entry=copy(r.asset_entry, last_observation_record=observed.get(r.asset_entry.asset_key)))
            for r in records
        ]

    def _last_observations(self, entries: Sequence[AssetEntry]) -> dict[AssetKey, EventLogRecord]:
        if not entries:
            return {}
        keys, log = [e.asset_key for e in entries], SqlEventLogStorageTable.c
        newest = sa.select(sa.func.max(log.id)).where(
            log.asset_key.in_([k.to_string() for k in keys]),
            log.dagster_event_type == DagsterEventType.ASSET_OBSERVATION.value,
        )
        newest = self._add_assets_wipe_filter_to_query(newest, [e.asset_details for e in entries], keys).group_by(
            log.asset_key
        )
        with self.index_connection() as connection:
            found = connection.execute(sa.select(log.id, log.asset_key, log.event).where(log.id.in_(newest))).all()
        return {
            asset: EventLogRecord(id_, deserialize_value(event, EventLogEntry))
            for id_, key, event in found
            if (asset := AssetKey.from_db_string(key)) is not None
        }

    @cached_property
    def _pools_lock(self) -> FileLock:
        return FileLock(os.path.join(self._base_dir, ".pools.lock"))

    @cached_property
    def _next_look(self) -> dict[tuple[str, str], float]:
        """Times of the next search for dead runs, for each run and step that waits."""
        return {}

    def claim_concurrency_slot(
        self, concurrency_key: str, run_id: str, step_key: str, priority: int | None = None
    ) -> ConcurrencyClaimStatus:
        """Claim a slot, one claim at a time, so that no slot stays free while a step waits for it.

        A claim that must wait takes 0.25 s; every 5 s it also looks for dead runs.

        Raises:
            DagsterExecutionInterruptedError: the process received a signal.
        """
        claim = (concurrency_key, run_id, step_key, priority)
        with self._pools_lock:
            status = super().claim_concurrency_slot(*claim)
            if not status.is_claimed and self.has_unassigned_slots(concurrency_key):
                self.assign_pending_steps([concurrency_key])  # its holder was killed before it could pass it on
                status = super().claim_concurrency_slot(*claim)
        waiter = (run_id, step_key)
        if status.is_claimed:
            self._next_look.pop(waiter, None)
            return status
        if check_captured_interrupt():
            raise DagsterExecutionInterruptedError
        now = time.monotonic()
        if self.has_instance and now >= self._next_look.setdefault(waiter, now + _LOOK_FOR_THE_DEAD_S):
            self._next_look[waiter] = now + _LOOK_FOR_THE_DEAD_S
            end_dead_runs(self._instance)
        time.sleep(_CLAIM_PAUSE_S)
        return status.with_sleep_interval(0.0)  # retry at once: the pause was here

    def free_concurrency_slot_for_step(self, run_id: str, step_key: str) -> None:
        """Free the slot of a step, never in the middle of another process's claim."""
        with self._pools_lock:
            super().free_concurrency_slot_for_step(run_id, step_key)

    def free_concurrency_slots_for_run(self, run_id: str) -> None:
        """Free all slots of a run, never in the middle of another process's claim."""
        with self._pools_lock:
            super().free_concurrency_slots_for_run(run_id)

    def has_table(self, table_name: str) -> bool:
        """Return whether the index has a table, over the open connection."""
        return sa.inspect(self._engine(INDEX_SHARD_NAME)).has_table(table_name)

    def dispose(self) -> None:
        """Close the storage and all its files."""
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()


class _KeptOpen:
    """A storage in one file that stays open."""

    _conn_string: str

    @cached_property
    def _engine(self) -> sa.Engine:
        return _make_engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the storage and its file."""
        super().dispose()  # type: ignore[misc]  # of Dagster's class, the next base
        self._engine.dispose()


class KeptSqliteRunStorage(_KeptOpen, SqliteRunStorage):
    """The list of runs."""

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        """Create the storage under ``base_dir`` of ``dagster.yaml``, and set up this process of Dagster."""
        begin_dagster_process()  # the daemon and the web server load nothing else of this project
        with _one_at_a_time(config_value["base_dir"]):
            return cls.from_local(inst_data=inst_data, base_dir=os.path.join(config_value["base_dir"], "history"))


class KeptSqliteScheduleStorage(_KeptOpen, SqliteScheduleStorage):
    """The ticks of schedules and sensors."""

    @classmethod
    def from_config_value(cls, inst_data, config_value):
        """Create the storage under ``base_dir`` of ``dagster.yaml``."""
        with _one_at_a_time(config_value["base_dir"]):
            return cls.from_local(inst_data=inst_data, base_dir=os.path.join(config_value["base_dir"], "schedules"))
