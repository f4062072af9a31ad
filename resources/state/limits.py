"""Share rate limits between all processes: the time slots of each scope, and the calls of each Beijing day.

The platform counts per app and scope (GUIDE section 5). Slots are in real time, days in Beijing time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, insert, select, update

from resources.state.engine import State
from resources.state.tables import buckets, quotas

GRACE_S = 0.01
"""A queue that ran empty at most this long ago continues without a gap: at 200/s the latency cost 1.5 % of the rate."""
_LONGEST_QUEUE_S = 120.0
"""A bucket filled further ahead than this and 100 slots is reset: the clock must have been set back since."""


@dataclass(frozen=True, slots=True)
class SlotGrant:
    """Permission to send ``slots`` calls, the first at ``start`` (epoch seconds), then one every ``interval_s``."""

    start: float
    interval_s: float
    slots: int
    calls: int
    """Calls counted against the day's quota: fewer than requested when it runs out, 0 when it is used up."""


@dataclass(frozen=True, slots=True)
class QuotaDay:
    """Calls of a scope on a day; ``exhausted``: the platform itself reported that the quota is used up."""

    calls: int
    exhausted: bool


def reserve(
    state: State,
    client_key: str,
    scope: str,
    day: date,
    *,
    slots: int,
    interval_s: float,
    calls: int,
    per_day: int | None,
    credits: int = 0,
) -> SlotGrant:
    """Reserve the next free ``slots`` of the scope and count ``calls`` on the day's quota, in one transaction.

    With several slots at a time, 200 requests/s cost ten transactions a second. The time is read after the write lock
    is acquired: waiting for it must not yield slots that are already over. If the quota is used up, no slot is
    reserved, unless ``credits`` calls were counted before and wait for their slots.
    """
    with state.begin(durable=False) as db:
        counted = _count(db, client_key, scope, day, calls, per_day) if calls else 0
        if calls and not counted and not credits:
            return SlotGrant(0.0, interval_s, 0, 0)
        return SlotGrant(_take_slots(db, client_key, scope, slots, interval_s), interval_s, slots, counted)


def give_back(state: State, client_key: str, scope: str, day: date, calls: int) -> None:
    """Return calls to the day's quota that were counted and not made."""
    key = (quotas.c.client_key == client_key) & (quotas.c.scope == scope) & (quotas.c.day == day.isoformat())
    with state.begin(durable=False) as db:
        db.execute(update(quotas).where(key).values(calls=quotas.c.calls - calls))


def mark_exhausted(state: State, client_key: str, scope: str, day: date) -> None:
    """Record that the platform refused more calls of the scope on this day."""
    with state.begin() as db:
        _count(db, client_key, scope, day, 0, None)
        key = (quotas.c.client_key == client_key) & (quotas.c.scope == scope) & (quotas.c.day == day.isoformat())
        db.execute(update(quotas).where(key).values(exhausted=1))


def quota_day(state: State, client_key: str, scope: str, day: date) -> QuotaDay:
    """Return the calls of a scope on a day so far."""
    with state.read() as db:
        row = db.execute(_READ_QUOTA, {"key": client_key, "of": scope, "on": day.isoformat()}).one_or_none()
    return QuotaDay(0, False) if row is None else QuotaDay(row.calls, bool(row.exhausted))


def quota_days(state: State, client_key: str, day: date) -> dict[str, QuotaDay]:
    """Return the calls on a day by scope, for the scopes of an app that were called."""
    query = (
        select(quotas)
        .where(quotas.c.client_key == client_key, quotas.c.day == day.isoformat())
        .order_by(quotas.c.scope)
    )
    with state.read() as db:
        return {row.scope: QuotaDay(row.calls, bool(row.exhausted)) for row in db.execute(query)}


# Built once: building a statement at each call costs more than SQLite's work on it.
_THIS_QUOTA = (
    (quotas.c.client_key == bindparam("key")) & (quotas.c.scope == bindparam("of")) & (quotas.c.day == bindparam("on"))
)
_READ_QUOTA = select(quotas.c.calls, quotas.c.exhausted).where(_THIS_QUOTA)
_SET_CALLS = update(quotas).where(_THIS_QUOTA).values(calls=bindparam("counted"))
_THIS_BUCKET = (buckets.c.client_key == bindparam("key")) & (buckets.c.scope == bindparam("of"))
_READ_BUCKET = select(buckets.c.next_at).where(_THIS_BUCKET)
_SET_BUCKET = update(buckets).where(_THIS_BUCKET).values(next_at=bindparam("until"))


def _count(db: Connection, client_key: str, scope: str, day: date, calls: int, per_day: int | None) -> int:
    key = {"key": client_key, "of": scope, "on": day.isoformat()}
    row = db.execute(_READ_QUOTA, key).one_or_none()
    if row is None:
        counted = calls if per_day is None else min(calls, per_day)
        db.execute(
            insert(quotas).values(client_key=client_key, scope=scope, day=day.isoformat(), calls=counted, exhausted=0)
        )
        return counted
    if row.exhausted:
        return 0
    counted = calls if per_day is None else max(0, min(calls, per_day - row.calls))
    if counted:
        db.execute(_SET_CALLS, {**key, "counted": row.calls + counted})
    return counted


def _take_slots(db: Connection, client_key: str, scope: str, slots: int, interval_s: float) -> float:
    key = {"key": client_key, "of": scope}
    next_at = db.execute(_READ_BUCKET, key).scalar_one_or_none()
    now = time.time()
    start = now
    if next_at is not None and now - GRACE_S < next_at < now + _LONGEST_QUEUE_S + 100 * interval_s:
        start = next_at
    end = start + slots * interval_s
    if next_at is None:
        db.execute(insert(buckets).values(client_key=client_key, scope=scope, next_at=end))
    else:
        db.execute(_SET_BUCKET, {**key, "until": end})
    return start
