"""Store people who opted out, and accounts whose data must be deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from resources.state.accounts import AccountStatus
from resources.state.engine import State
from resources.state.tables import accounts, business_tokens, deletions, opt_outs, user_tokens


@dataclass(frozen=True, slots=True)
class OptOut:
    """A person who must not be messaged; ``open_id`` is empty if that holds for every account of the app."""

    client_key: str
    open_id: str
    person_open_id: str
    since: datetime
    how: str


def add_opt_out(state: State, app: str, open_id: str, person: str, how: str, now: datetime) -> bool:
    """Add a person to the opt-out list; return whether the entry is new."""
    with state.begin() as db:
        return insert_opt_out(db, app, open_id, person, how, now)


def insert_opt_out(db: Connection, app: str, open_id: str, person: str, how: str, now: datetime) -> bool:
    """Add a person to the opt-out list within a transaction; return whether the entry is new."""
    known = db.execute(select(opt_outs.c.since).where(_opt_out(app, open_id, person))).one_or_none()
    if known is None:
        db.execute(
            insert(opt_outs).values(
                client_key=app, open_id=open_id, person_open_id=person, since=now.timestamp(), how=how
            )
        )
    return known is None


def remove_opt_out(state: State, app: str, open_id: str, person: str) -> bool:
    """Remove a person from the opt-out list; return whether there was an entry."""
    with state.begin() as db:
        return db.execute(delete(opt_outs).where(_opt_out(app, open_id, person))).rowcount > 0


def list_opt_outs(state: State, apps: Iterable[str]) -> list[OptOut]:
    """Return the opt-outs of some apps, oldest first."""
    with state.read() as db:
        rows = db.execute(
            select(opt_outs).where(opt_outs.c.client_key.in_(list(apps))).order_by(opt_outs.c.since)
        ).all()
    return [
        OptOut(r.client_key, r.open_id, r.person_open_id, datetime.fromtimestamp(r.since, UTC), r.how) for r in rows
    ]


def is_opted_out(db: Connection, app: str, open_id: str, person: str, before: datetime | None = None) -> bool:
    """Return whether a person has opted out; with ``before``, whether they did so before that instant."""
    query = select(opt_outs.c.since).where(
        opt_outs.c.client_key == app,
        opt_outs.c.person_open_id == person,
        or_(opt_outs.c.open_id == "", opt_outs.c.open_id == open_id),
    )
    if before is not None:
        query = query.where(opt_outs.c.since < before.timestamp())
    return db.execute(query).first() is not None


def _opt_out(app: str, open_id: str, person: str) -> ColumnElement[bool]:
    return (opt_outs.c.client_key == app) & (opt_outs.c.open_id == open_id) & (opt_outs.c.person_open_id == person)


@dataclass(frozen=True, slots=True)
class Deletion:
    """An account whose personal data must be deleted; ``done_at`` is None until it was."""

    client_key: str
    open_id: str
    reason: str
    listed_at: datetime
    done_at: datetime | None


def withdraw(db: Connection, app: str, open_id: str, reason: str, now: datetime, *, whole: bool = True) -> None:
    """Apply the loss of an account's consent: delete its tokens, stop it, and list its data for deletion.

    With ``whole=False`` only the business consent is lost, and the account continues without it.
    """
    for table in (user_tokens, business_tokens) if whole else (business_tokens,):
        db.execute(delete(table).where(table.c.client_key == app, table.c.open_id == open_id))
    if not whole:
        return
    db.execute(
        update(accounts)
        .where(accounts.c.client_key == app, accounts.c.open_id == open_id)
        .values(status=AccountStatus.STOPPED.value, reason=reason)
    )
    list_for_deletion(db, app, open_id, reason, now)


def list_for_deletion(db: Connection, app: str, open_id: str, reason: str, now: datetime) -> None:
    """Add an account to the deletion list; an open entry stays unchanged."""
    key = (deletions.c.client_key == app) & (deletions.c.open_id == open_id)
    known = db.execute(select(deletions.c.done_at).where(key)).one_or_none()
    values = {"reason": reason, "listed_at": now.timestamp(), "done_at": None}
    if known is None:
        db.execute(insert(deletions).values(client_key=app, open_id=open_id, **values))
    elif known.done_at is not None:
        db.execute(update(deletions).where(key).values(**values))


def list_deletions(state: State, apps: Iterable[str]) -> list[Deletion]:
    """Return the deletion list of some apps, open entries first."""
    query = (
        select(deletions)
        .where(deletions.c.client_key.in_(list(apps)))
        .order_by(deletions.c.done_at.is_not(None), deletions.c.listed_at)
    )
    with state.read() as db:
        rows = db.execute(query).all()
    return [
        Deletion(
            r.client_key,
            r.open_id,
            r.reason,
            datetime.fromtimestamp(r.listed_at, UTC),
            r.done_at and datetime.fromtimestamp(r.done_at, UTC),
        )
        for r in rows
    ]


def mark_deleted(state: State, app: str, open_id: str, now: datetime) -> bool:
    """Mark an account's data as deleted; return whether it was on the list."""
    key = (deletions.c.client_key == app) & (deletions.c.open_id == open_id)
    with state.begin() as db:
        return db.execute(update(deletions).where(key).values(done_at=now.timestamp())).rowcount > 0
