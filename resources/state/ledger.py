"""Read the lines of the outbox, and count those that limits depend on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

import orjson
from sqlalchemy import Connection, func, or_, select

from catalog.records import BEIJING, beijing_day
from resources.state.engine import State
from resources.state.lines import DONE, Line, LineState, line_of
from resources.state.tables import outbox


def day_start(now: datetime) -> float:
    """Return the epoch seconds of the beginning of the Beijing day."""
    return datetime.combine(beijing_day(now), time(), BEIJING).timestamp()


def get_line(state: State, line_id: int) -> Line:
    """Return a line.

    Raises:
        LookupError: there is no such line.
    """
    with state.read() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one_or_none()
    if row is None:
        raise LookupError(f"there is no line {line_id}: see `douyin outreach show PLAN`")
    return line_of(row)


def read_lines(
    state: State,
    *,
    plan_id: int | None = None,
    states: Iterable[LineState] | None = None,
    client_keys: Iterable[str] | None = None,
    key: str | None = None,
    person: str | None = None,
) -> list[Line]:
    """Return lines in order of creation, optionally filtered by all given criteria."""
    query = select(outbox).order_by(outbox.c.id)
    if plan_id is not None:
        query = query.where(outbox.c.plan_id == plan_id)
    if states is not None:
        query = query.where(outbox.c.state.in_([s.value for s in states]))
    if client_keys is not None:
        query = query.where(outbox.c.client_key.in_(list(client_keys)))
    if key is not None:
        query = query.where(outbox.c.key == key)
    if person is not None:
        query = query.where(outbox.c.person_open_id == person)
    with state.read() as db:
        return [line_of(row) for row in db.execute(query)]


def request_of(state: State, line_id: int) -> dict[str, Any]:
    """Return a line's decrypted request parameters, which must not be logged."""
    with state.read() as db:
        request: dict[str, Any] = orjson.loads(
            state.vault.open(db.execute(select(outbox.c.request).where(outbox.c.id == line_id)).scalar_one())
        )
    return request


def keys_done(db: Connection, keys: Iterable[str]) -> set[str]:
    """Return the keys of ``keys`` whose lines are claimed, sent or unknown."""
    wanted, found = list(keys), set()
    for i in range(0, len(wanted), 500):
        found |= set(db.execute(select(outbox.c.claim).where(outbox.c.claim.in_(wanted[i : i + 500]))).scalars())
    return found


def sent_today(db: Connection, app: str, people: Iterable[str], now: datetime) -> dict[str, int]:
    """Count the campaign lines of each person that were or may have been sent on this Beijing day."""
    wanted = list(people)
    found: dict[str, int] = {}
    for i in range(0, len(wanted), 500):
        query = (
            select(outbox.c.person_open_id, func.count())
            .where(
                outbox.c.client_key == app,
                outbox.c.person_open_id.in_(wanted[i : i + 500]),
                outbox.c.claimed_at >= day_start(now),
                outbox.c.state.in_(DONE),
                outbox.c.plan_id.is_not(None),
            )
            .group_by(outbox.c.person_open_id)
        )
        found |= dict(db.execute(query).tuples().all())
    return found


def answers_since(db: Connection, app: str, open_id: str, person: str, since: datetime) -> int:
    """Count the reply worker's messages to a person that were or may have been sent since an instant."""
    query = (
        select(func.count())
        .select_from(outbox)
        .where(
            outbox.c.client_key == app,
            outbox.c.open_id == open_id,
            outbox.c.person_open_id == person,
            outbox.c.plan_id.is_(None),
            outbox.c.claimed_at >= since.timestamp(),
            or_(outbox.c.state.in_(DONE), outbox.c.state == LineState.PLANNED.value),
        )
    )
    return db.execute(query).scalar_one()
