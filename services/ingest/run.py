"""Ingest some days of one table: fetch what is missing, normalise, write to the lake, and record the load status."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from catalog import SOURCES, endpoints_of
from catalog.iterations import IterateBy
from catalog.records import Endpoint, History, Table
from resources.runtime import Runtime
from resources.state.load_status import LoadStatus, Outcome, forget_load_status, read_load_status, save_load_status
from resources.storage.lake import Lake
from resources.storage.partition import LakeCorrupt
from services.ingest.accounting import gap_of
from services.ingest.changes import Changes, newest_observation
from services.ingest.covered_days import covered_partitions
from services.ingest.day_buffer import DayRows
from services.ingest.fetch import fetch
from services.ingest.fetch_tasks import FetchResult
from services.ingest.normalise import NormalisedDay, changes_of, iter_normalised, land, nothing
from services.ingest.outcomes import summarise
from services.ingest.replay_status import FROM_ARCHIVE, status_after_replay


@dataclass
class IngestResult:
    """Result of a run for one table.

    ``partitions`` has the days that landed, ``statuses`` every account of every day.
    """

    table: Table
    dts: list[date]
    partitions: dict[date, NormalisedDay] = field(default_factory=dict)
    statuses: list[LoadStatus] = field(default_factory=list)
    calls: int = 0
    planned: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Planned calls per (client_key, scope), counted before the first call; a listing counts once."""
    codes: Counter = field(default_factory=Counter)
    changes: dict[date, Changes] = field(default_factory=dict)
    """How landing changed the rows of each day."""
    backfilled: dict[date, Changes] = field(default_factory=dict)
    """The same of days that were not requested: days that today's series cover, or yesterday's late events."""

    refused: dict[date, str] = field(default_factory=dict)
    """Days left unchanged in the lake because the archive lacks the responses of some of their rows, and the reason."""

    @property
    def missing(self) -> list[date]:
        """Return the days about which nothing is known, neither from a call nor from the archive."""
        return [d for d in self.dts if d not in self.partitions or not self.partitions[d].is_answered]

    def failures(self, dts: Iterable[date] | None = None) -> list[LoadStatus]:
        """Return the statuses of data that should have been available and was not loaded."""
        chosen = set(self.dts if dts is None else dts)
        return [s for s in self.statuses if s.status.is_failure and s.dt in chosen]


_IN_MEMORY_BYTES = 64 << 20
"""Limit of the landed rows that a run keeps in memory for its checks."""

_log = logging.getLogger(__name__)
PRUNED = "its events were pruned since, from inbox and archive; the lake keeps the day as it is"


def ingest(runtime: Runtime, table: Table, dts: Iterable[date], *, call: bool = True) -> IngestResult:
    """Bring the partitions ``dts`` of ``table`` up to date with the platform and the archive.

    One run at a time fills a table: a second run waits, and then finds the first one's responses in the archive.

    Args:
        runtime: settings, state, archive and lake.
        table: the table.
        dts: days of its partitions (Mondays, if the table is weekly).
        call: False to make no API calls and use only the archive.

    Returns:
        The partitions that landed, their changes, and the load status of each account and day; it is saved, too.

    Raises:
        UpstreamMissing: the table that the endpoints iterate over is not loaded yet.
    """
    with runtime.filling(table.name):
        runtime.lake.sweep(table.name)
        for endpoint in endpoints_of(table.name):
            runtime.archive.sweep(endpoint.name)
        return _ingest(runtime, table, dts, call)


def _ingest(runtime: Runtime, table: Table, dts: Iterable[date], call: bool) -> IngestResult:
    result = IngestResult(table, sorted(set(dts)))
    fetched: list[FetchResult] = []
    if call:
        runtime.archive.flush()  # write what a full disk kept in memory, before requests are planned
        fetched = fetch(runtime, endpoints_of(table.name), result.dts)
        for one in fetched:
            result.calls += one.total_calls
            result.codes.update(one.codes)
            result.planned.update({(app, one.endpoint.quota): n for app, n in one.planned.items()})
    backfilled = _also_covered_days(runtime, table, result.dts) if call else set()
    in_memory = 0
    for partition in iter_normalised(runtime.archive, table, backfilled.union(result.dts)):
        changes = changes_of(runtime.lake, partition)
        if (gap := gap_of(runtime, table, partition.dt, partition, changes)) is not None:
            _log.warning("%s %s stays as it is: %s", table.name, partition.dt, gap)
            if partition.dt in backfilled:
                continue
            if gap.lost:
                result.refused[partition.dt] = f"{gap}; nothing was removed: {gap.way_out(table, partition.dt)}"
            else:
                result.partitions[partition.dt], result.changes[partition.dt] = partition, Changes()
        elif partition.dt in backfilled:
            _land_extra_days(runtime, result, partition, changes)
        else:
            result.partitions[partition.dt], result.changes[partition.dt] = (
                partition,
                land(runtime.lake, partition, changes),
            )
            in_memory += partition.day.nbytes if isinstance(partition.day, DayRows) else 0
            if in_memory > _IN_MEMORY_BYTES:  # keep memory constant for long ranges: read from the lake
                partition.day = runtime.lake.day(table.name, partition.dt)
    for dt in _quiet_days(runtime, result, fetched):
        result.partitions[dt] = partition = nothing(table, dt)
        result.changes[dt] = land(runtime.lake, partition)
    result.statuses = list(_statuses(runtime, result, fetched))
    save_load_status(runtime.state, result.statuses, runtime.clock.now().timestamp())
    forget_load_status(runtime.state, _overtaken(runtime, result, fetched))
    return result


def _quiet_days(runtime: Runtime, result: IngestResult, fetched: list[FetchResult]) -> list[date]:
    """List the days on which a receiver ran and no event came: these days are empty, not unknown.

    Days with rows in the lake are left out: their events were pruned since.
    """
    if result.table.history is not History.EVENT:
        return []
    quiet = {
        d
        for one in fetched
        for d, accounts in one.results.items()
        if any(t.outcome is Outcome.EMPTY for subject_results in accounts.values() for t in subject_results)
    }
    return [d for d in result.missing if d in quiet and _newest_row(runtime.lake, result.table, d) is None]


def _also_covered_days(runtime: Runtime, table: Table, dts: list[date]) -> set[date]:
    """List the days with new data beside the requested ones: one response of a series covers many days in the lake.

    Without them the lake would be older than the archive, and a replay would give other bytes.
    """
    if table.history is History.EVENT:
        return _late_events(runtime, table, dts)
    if table.history is not History.WINDOW:
        return set()
    return covered_partitions(
        runtime.archive, table, runtime.clock.today(), set(runtime.lake.days(table.name)).difference(dts)
    )


def _late_events(runtime: Runtime, table: Table, dts: list[date]) -> set[date]:
    """Return yesterday if events came after its last run; the first run of a day lands them."""
    today = runtime.clock.today()
    yesterday = today - timedelta(days=1)
    if today not in dts or yesterday in dts:
        return set()
    came = [
        e.began_at for endpoint in endpoints_of(table.name) for e in runtime.archive.index(endpoint.name, [yesterday])
    ]
    if not came:
        return set()
    try:
        landed = _newest_row(runtime.lake, table, yesterday)
    except LakeCorrupt:  # the day is rebuilt
        landed = None
    return {yesterday} if landed is None or max(came) > landed else set()


def _newest_row(lake: Lake, table: Table, dt: date) -> datetime | None:
    """Return the latest ``observed_at`` of a day in the lake; None if it has no rows, or does not exist."""
    return None if lake.partition(table.name, dt) is None else newest_observation(lake.day(table.name, dt))


def _land_extra_days(runtime: Runtime, result: IngestResult, partition: NormalisedDay, changes: Changes) -> None:
    result.backfilled[partition.dt] = land(runtime.lake, partition, changes)
    earlier = read_load_status(runtime.state, table=result.table.name, dts=[partition.dt])
    save_load_status(runtime.state, status_after_replay(partition, earlier), runtime.clock.now().timestamp())


def _overtaken(runtime: Runtime, result: IngestResult, fetched: list[FetchResult]) -> list[LoadStatus]:
    """List the app-level statuses that per-account statuses supersede.

    This happens, for example, when an operation was switched on again.
    """
    per_account = {
        (dt, one.endpoint.name, app)
        for one in fetched
        for dt, accounts in one.results.items()
        for app, open_id in accounts
        if open_id
    }
    still = {
        (dt, one.endpoint.name, app)
        for one in fetched
        for dt, accounts in one.results.items()
        for app, open_id in accounts
        if not open_id
    }
    if not per_account - still:
        return []
    earlier = read_load_status(runtime.state, table=result.table.name, dts=result.dts)
    return [s for s in earlier if not s.open_id and (s.dt, s.operation, s.client_key) in per_account - still]


def _may_lack_days(endpoint: Endpoint) -> bool:
    """Return whether a response for several days may lack rows of some: event logs, and series of videos."""
    return endpoint.happened is not None or (endpoint.over is IterateBy.VIDEOS and bool(endpoint.windows))


def _statuses(runtime: Runtime, result: IngestResult, fetched: list[FetchResult]):
    table = result.table
    earlier = {
        (s.dt, s.operation, s.client_key, s.open_id): s
        for s in read_load_status(runtime.state, table=table.name, dts=result.dts)
    }
    for dt in result.dts:
        landed = result.partitions.get(dt)
        rows = landed.landed_by if landed else Counter()
        quarantined = landed.quarantined_by if landed else Counter()
        results = {
            (one.endpoint.name, *account): (summarise(answers), one.calls[account])
            for one in fetched
            for account, answers in one.results.get(dt, {}).items()
        }
        for key in sorted(results.keys() | rows.keys() | quarantined.keys()):
            operation, app, open_id = key
            if dt in result.refused:
                before, calls = earlier.get((dt, *key)), results[key][1] if key in results else 0
                yield LoadStatus(
                    table.name,
                    dt,
                    operation,
                    app,
                    open_id,
                    Outcome.FAILED,
                    calls,
                    before.rows if before else 0,
                    reason=result.refused[dt],
                )
                continue
            if (
                landed is None
                and result.table.history is History.EVENT
                and (before := earlier.get((dt, *key)))
                and before.rows
            ):
                yield replace(before, reason=PRUNED)
                continue
            if key in results:
                answer, calls = results[key]
                status, code, reason = answer.outcome, answer.code, answer.reason
            elif (before := earlier.get((dt, *key))) and before.status.is_missing and before.rows:
                # Replaying cannot fix fetch failures.
                status, code, reason, calls = before.status, before.code, before.reason, 0
            else:  # no call was made
                status, code, reason, calls = Outcome.LOADED, None, FROM_ARCHIVE, 0
            if (
                status is Outcome.LOADED
                and key in results
                and not rows[key]
                and not quarantined[key]
                and _may_lack_days(SOURCES[operation])
            ):
                status, reason = Outcome.EMPTY, "no row of that day"  # the same responses may have rows of other days
            if status is Outcome.EMPTY and rows[key]:
                status, reason = Outcome.LOADED, "from the archive"
            if status is Outcome.LOADED and quarantined[key] and not rows[key]:
                status, reason = Outcome.FAILED, f"all {quarantined[key]} rows are in quarantine"
            yield LoadStatus(
                table_name=result.table.name,
                dt=dt,
                operation=operation,
                client_key=app,
                open_id=open_id,
                status=status,
                calls=calls,
                rows=rows[key],
                quarantined=quarantined[key],
                code=code,
                reason=reason,
            )
