"""One table, some days: fetch what is missing, normalise, land, and write down what became of each account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from assets.ingest.fetch import Fetched, fetch
from assets.ingest.normalise import Normalised, land, normalise
from assets.ingest.outcomes import summarise
from catalog import endpoints_of
from catalog.records import Table
from resources.runtime import Runtime
from resources.state.load_status import LoadStatus, Outcome, read_load_status, save_load_status


@dataclass
class Ingested:
    """What a run did for one table. ``partitions`` has the days that landed, ``statuses`` every account of every day."""

    table: Table
    dts: list[date]
    partitions: dict[date, Normalised] = field(default_factory=dict)
    statuses: list[LoadStatus] = field(default_factory=list)
    calls: int = 0
    codes: Counter = field(default_factory=Counter)
    changed: list[date] = field(default_factory=list)

    @property
    def missing(self) -> list[date]:
        """Days about which nothing is known, neither from a call nor from the archive."""
        return [d for d in self.dts if d not in self.partitions]

    def failures(self, dts: Iterable[date] | None = None) -> list[LoadStatus]:
        chosen = set(self.dts if dts is None else dts)
        return [s for s in self.statuses if s.status.is_failure and s.dt in chosen]


def ingest(runtime: Runtime, table: Table, dts: Iterable[date], *, call: bool = True) -> Ingested:
    """Bring the partitions ``dts`` of ``table`` up to what the platform and the archive know.

    ``call=False`` normalises from the archive alone.
    """
    result = Ingested(table, sorted(set(dts)))
    fetched: list[Fetched] = []
    if call:
        fetched = fetch(runtime, endpoints_of(table.name), result.dts)
        for one in fetched:
            result.calls += one.total_calls
            result.codes.update(one.codes)
    result.partitions = normalise(runtime.archive, table, result.dts)
    for dt, partition in result.partitions.items():
        if land(runtime.lake, partition):
            result.changed.append(dt)
    result.statuses = list(_statuses(runtime, result, fetched))
    save_load_status(runtime.state, result.statuses, runtime.clock.now().timestamp())
    return result


def _statuses(runtime: Runtime, result: Ingested, fetched: list[Fetched]):
    client_key = runtime.settings.client_key or ""
    earlier = {(s.dt, s.operation, s.client_key, s.open_id): s for s in read_load_status(runtime.state, table=result.table.name, dts=result.dts)}
    for dt in result.dts:
        landed = result.partitions.get(dt)
        rows = landed.landed_by if landed else Counter()
        quarantined = landed.quarantined_by if landed else Counter()
        told = {
            (one.endpoint.name, client_key, open_id): (summarise(answers), one.calls[open_id])
            for one in fetched
            for open_id, answers in one.told.get(dt, {}).items()
        }
        for key in sorted(told.keys() | rows.keys() | quarantined.keys()):
            operation, app, open_id = key
            if key in told:
                answer, calls = told[key]
                status, code, reason = answer.outcome, answer.code, answer.reason
            elif (before := earlier.get((dt, *key))) and before.status.is_failure and before.rows:
                # The archive alone cannot mend what could not be had.
                status, code, reason, calls = before.status, before.code, before.reason, 0
            else:  # from the archive alone
                status, code, reason, calls = Outcome.LOADED, None, "from the archive, without a call", 0
            if status is Outcome.EMPTY and rows[key]:
                status, reason = Outcome.LOADED, "from the archive"
            if status is Outcome.LOADED and quarantined[key] and not rows[key]:
                status, reason = Outcome.FAILED, f"all {quarantined[key]} rows are in quarantine"
            yield LoadStatus(
                table_name=result.table.name, dt=dt, operation=operation, client_key=app, open_id=open_id, status=status,
                calls=calls, rows=rows[key], quarantined=quarantined[key], code=code, reason=reason,
            )  # fmt: skip
