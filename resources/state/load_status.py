"""Store the outcome of each table, day, operation and account: what is loaded, what is missing, and why."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from catalog.errors import CONSENT_OF_SCOPE
from resources.state.engine import State
from resources.state.statements import insert_of
from resources.state.tables import load_status, load_status_days


class Outcome(StrEnum):
    """Outcomes, best first; the worst of several requests is the account's.

    This class alone defines what each outcome means.
    """

    LOADED = "loaded"
    EMPTY = "empty"  # the platform has no data
    BELOW_THRESHOLD = "below_threshold"  # the account is too small for this
    SKIPPED = "skipped"  # private, or not ours
    NOT_ASKED = "not_asked"  # no reason to request it: nothing is watched, nothing changed, the account is paused
    NOT_READY = "not_ready"  # not produced yet; requested again at the next schedule
    PARTIAL = "partial"  # some objects loaded, some failed
    GONE = "gone"  # it existed, and the platform no longer shows it
    UNAVAILABLE = "unavailable"  # the app lacks the capability, or it is withdrawn
    QUOTA = "quota"  # the day's quota is used up
    NEEDS_CONSENT = "needs_consent"  # the owner must authorise again
    STOPPED = "stopped"  # the account is deregistered or banned
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        """Whether a later request of the same slot would give nothing more."""
        return self in _SETTLED

    @property
    def is_failure(self) -> bool:
        """Whether obtainable data was not obtained; a day with nothing else fails its run."""
        return self in _FAILURES

    @property
    def is_known(self) -> bool:
        """Whether the data is unobtainable until a person acts outside of this installation.

        Such outcomes are reported once and fail no run (see `services.capabilities.standing`).
        """
        return self in _KNOWN

    @property
    def is_missing(self) -> bool:
        """Whether expected data is missing, for any reason."""
        return self in _FAILURES or self in _KNOWN


_SETTLED = {Outcome.LOADED, Outcome.EMPTY, Outcome.BELOW_THRESHOLD, Outcome.SKIPPED, Outcome.NOT_ASKED}
_FAILURES = {Outcome.PARTIAL, Outcome.QUOTA, Outcome.FAILED}
_KNOWN = {Outcome.GONE, Outcome.UNAVAILABLE, Outcome.NEEDS_CONSENT, Outcome.STOPPED}


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """One row; ``calls`` counts those of the latest run, ``open_id`` is empty for app-level operations."""

    table_name: str
    dt: date
    operation: str
    client_key: str
    open_id: str
    status: Outcome
    calls: int = 0
    rows: int = 0
    quarantined: int = 0
    code: int | None = None
    reason: str | None = None


_COLUMNS = tuple(f.name for f in fields(LoadStatus))
_values = attrgetter(*_COLUMNS)  # `asdict` copies deeply
_KEY = ("table_name", "dt", "operation", "client_key", "open_id")


def save_load_status(state: State, rows: Iterable[LoadStatus], now: float) -> None:
    """Upsert ``rows`` in one transaction; ``now`` is in epoch seconds."""
    values = [
        dict(zip(_COLUMNS, _values(r), strict=True))
        | {"dt": r.dt.isoformat(), "status": str(r.status), "updated_at": now}
        for r in rows
    ]
    if not values:
        return
    insert = insert_of(state.engine.dialect.name)
    statement = insert(load_status)
    statement = statement.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={c.name: statement.excluded[c.name] for c in load_status.columns if c.name not in _KEY},
    )
    with state.begin() as connection:
        said = _said(connection, {v["table_name"] for v in values}, {v["dt"] for v in values})
        connection.execute(statement, values)
        _note_change(state, connection, {v["dt"] for v in values if tuple(v[name] for name in _COLUMNS) not in said})


def forget_load_status(state: State, rows: Iterable[LoadStatus]) -> None:
    """Delete rows that newer ones supersede."""
    rows, c = list(rows), load_status.c
    if not rows:
        return
    with state.begin() as connection:
        days = set()
        for row in rows:
            key = (c.table_name == row.table_name, c.dt == row.dt.isoformat(), c.operation == row.operation)
            connection.execute(
                delete(load_status).where(*key, c.client_key == row.client_key, c.open_id == row.open_id)
            )
            days.add(row.dt.isoformat())
        _note_change(state, connection, days)


def changed_days(state: State) -> dict[date, int]:
    """Return when the rows of each day last changed, for days that have or had rows.

    Times are nanoseconds of the machine's clock, also if the pipeline's clock is simulated.
    """
    with state.read() as connection:
        return {
            date.fromisoformat(dt): at
            for dt, at in connection.execute(select(load_status_days.c.dt, load_status_days.c.changed_ns))
        }


def _said(connection: Connection, tables: Iterable[str], dts: Iterable[str]) -> set[tuple[Any, ...]]:
    """Return the rows of some tables and days as published, without the time of their last update."""
    c = load_status.c
    query = select(*(c[name] for name in _COLUMNS)).where(c.table_name.in_(sorted(tables)), c.dt.in_(sorted(dts)))
    return set(map(tuple, connection.execute(query)))


def _note_change(state: State, connection: Connection, days: Iterable[str]) -> None:
    """Record that rows of some days changed; publication reads only days whose time differs from the published one."""
    at = time.time_ns()
    if values := [{"dt": dt, "changed_ns": at} for dt in sorted(days)]:
        statement = insert_of(state.engine.dialect.name)(load_status_days)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["dt"], set_={"changed_ns": statement.excluded.changed_ns}),
            values,
        )


def read_load_status(
    state: State,
    *,
    table: str | None = None,
    dts: Iterable[date] | None = None,
    outcomes: Iterable[Outcome] | None = None,
) -> list[LoadStatus]:
    """Return rows in order of key, optionally of one table, some days or some outcomes."""
    query = select(load_status).order_by(*(load_status.c[name] for name in _KEY))
    if table is not None:
        query = query.where(load_status.c.table_name == table)
    if dts is not None:
        query = query.where(load_status.c.dt.in_([d.isoformat() for d in dts]))
    if outcomes is not None:
        query = query.where(load_status.c.status.in_([str(o) for o in outcomes]))
    with state.read() as connection:
        return [_status(row) for row in connection.execute(query)]


def scopes_refused(state: State, client_key: str, since: date) -> list[tuple[str, str]]:
    """Return (operation, open_id) pairs that the owner's consent most recently did not cover, from day ``since`` on."""
    c = load_status.c
    mine = (c.client_key == client_key, c.dt >= since.isoformat())
    last = select(c.operation, c.open_id, func.max(c.dt)).group_by(c.operation, c.open_id)
    refused = last.where(*mine, c.status == str(Outcome.NEEDS_CONSENT), c.code.in_(sorted(CONSENT_OF_SCOPE)))
    with state.read() as connection:
        found = {(operation, open_id): dt for operation, open_id, dt in connection.execute(refused)}
        if not found:
            return []
        settled = last.where(
            *mine, c.operation.in_(sorted({o for o, _ in found})), c.status.in_([str(o) for o in _SETTLED])
        )
        after = {(operation, open_id): dt for operation, open_id, dt in connection.execute(settled)}
    return sorted(key for key, dt in found.items() if after.get(key, "") < dt)


def count_outcomes(state: State, dts: Iterable[date]) -> dict[tuple[str, date], Counter[Outcome]]:
    """Count the outcomes of accounts and operations, by table and day."""
    c = load_status.c
    query = select(c.table_name, c.dt, c.status, func.count()).where(c.dt.in_([d.isoformat() for d in dts]))
    counted: dict[tuple[str, date], Counter[Outcome]] = defaultdict(Counter)
    with state.read() as connection:
        for table, dt, status, n in connection.execute(query.group_by(c.table_name, c.dt, c.status)):
            counted[table, date.fromisoformat(dt)][Outcome(status)] = n
    return counted


@dataclass(frozen=True, slots=True)
class LoadedDay:
    """Summary of a table on one day.

    ``settled_at`` (epoch seconds) is the latest update of a settled row; ``rows`` and ``quarantined`` count stored and
    quarantined rows; ``outcomes`` counts accounts and operations by outcome.
    """

    dt: date
    settled_at: float | None
    rows: int
    quarantined: int
    outcomes: Counter[Outcome]


def newest_day(state: State, table: str, *, settled: bool) -> LoadedDay | None:
    """Return the newest day of a table with a settled row, or with any row; None if there is none.

    The newest day and not the latest update: a backfill of an older day does not make the data newer.
    """
    c = load_status.c
    wanted = [str(o) for o in (_SETTLED if settled else Outcome)]
    query = select(c.dt).where(c.table_name == table, c.status.in_(wanted)).order_by(c.dt.desc()).limit(1)
    with state.read() as connection:
        dt = connection.execute(query).scalar_one_or_none()
        if dt is None:
            return None
        grouped = select(c.status, func.count(), func.max(c.updated_at), func.sum(c.rows), func.sum(c.quarantined))
        found = connection.execute(grouped.where(c.table_name == table, c.dt == dt).group_by(c.status)).all()
    outcomes = Counter({Outcome(status): n for status, n, *_ in found})
    settled_at = max((at for status, _, at, *_ in found if Outcome(status).settled), default=None)
    return LoadedDay(date.fromisoformat(dt), settled_at, sum(f[3] for f in found), sum(f[4] for f in found), outcomes)


def _status(row: Row[Any]) -> LoadStatus:
    return LoadStatus(
        row.table_name,
        date.fromisoformat(row.dt),
        row.operation,
        row.client_key,
        row.open_id,
        Outcome(row.status),
        row.calls,
        row.rows,
        row.quarantined,
        row.code,
        row.reason,
    )
