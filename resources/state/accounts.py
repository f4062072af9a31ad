"""Store the accounts (授权账号) whose owners gave consent to an app, and their status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from resources.state.engine import State
from resources.state.tables import accounts, business_tokens, user_tokens


class AccountStatus(StrEnum):
    """Whether an account's data can be collected."""

    ACTIVE = "active"
    NEEDS_CONSENT = "needs_consent"  # the owner must authorise again; a still valid access token keeps working
    PAUSED = "paused"  # by a person, until resumed
    STOPPED = "stopped"  # deregistered or banned


@dataclass(frozen=True, slots=True)
class Account:
    """One consent; an ``open_id`` belongs to one app and has no meaning in another."""

    client_key: str
    open_id: str
    name: str | None
    status: AccountStatus
    reason: str | None
    """Why the account is not active, or what its owner should do soon."""
    added_at: datetime
    tags: frozenset[str] = frozenset()
    """Words assigned by a person, to select accounts by."""


def add_account(state: State, client_key: str, open_id: str, *, name: str | None, now: datetime) -> None:
    """Add an account as active, or reactivate a known one.

    A known account keeps its name unless a new one is given, and loses its reason.
    """
    key = (accounts.c.client_key == client_key) & (accounts.c.open_id == open_id)
    values: dict[str, object] = {"status": AccountStatus.ACTIVE.value, "reason": None}
    if name is not None:
        values["name"] = name
    with state.begin() as db:
        if db.execute(update(accounts).where(key).values(values)).rowcount == 0:
            db.execute(
                insert(accounts).values(
                    {"client_key": client_key, "open_id": open_id, "name": name, "added_at": now.timestamp()} | values
                )
            )


def get_account(state: State, client_key: str, open_id: str) -> Account | None:
    """Return the account, or None if it was never added."""
    query = select(accounts).where(accounts.c.client_key == client_key, accounts.c.open_id == open_id)
    with state.read() as db:
        row = db.execute(query).one_or_none()
    return None if row is None else _account(row)


def list_accounts(state: State, client_key: str, statuses: Iterable[AccountStatus] | None = None) -> list[Account]:
    """Return the app's accounts in order of ``open_id``, optionally only those with given statuses."""
    query = select(accounts).where(accounts.c.client_key == client_key).order_by(accounts.c.open_id)
    if statuses is not None:
        query = query.where(accounts.c.status.in_([AccountStatus(s).value for s in statuses]))
    with state.read() as db:
        return [_account(row) for row in db.execute(query)]


def known_apps(state: State) -> list[str]:
    """Return the client keys of the apps that have accounts, in order."""
    with state.read() as db:
        return list(db.execute(select(accounts.c.client_key).distinct().order_by(accounts.c.client_key)).scalars())


def set_status(state: State, client_key: str, open_id: str, status: AccountStatus, reason: str | None = None) -> None:
    """Record a change of status.

    Raises:
        LookupError: the account was never added.
    """
    key = (accounts.c.client_key == client_key) & (accounts.c.open_id == open_id)
    with state.begin() as db:
        changed = db.execute(update(accounts).where(key).values(status=AccountStatus(status).value, reason=reason))
        if changed.rowcount == 0:
            raise LookupError(f"no account {open_id} of app {client_key}: add it with `douyin authorize`")


def set_tags(state: State, client_key: str, open_id: str, tags: Iterable[str]) -> None:
    """Replace the account's tags.

    Raises:
        LookupError: the account was never added.
        ValueError: a tag is empty or contains white space.
    """
    words = sorted(set(tags))
    if any(len(word.split()) != 1 for word in words):
        raise ValueError("a tag is one word without spaces")
    key = (accounts.c.client_key == client_key) & (accounts.c.open_id == open_id)
    with state.begin() as db:
        if db.execute(update(accounts).where(key).values(tags=" ".join(words) or None)).rowcount == 0:
            raise LookupError(f"no account {open_id} of app {client_key}: add it with `douyin authorize`")


def remove_account(state: State, client_key: str, open_id: str) -> bool:
    """Delete the account and its tokens, but no collected data; return whether it was known."""
    with state.begin() as db:
        for table in (user_tokens, business_tokens):
            db.execute(delete(table).where(table.c.client_key == client_key, table.c.open_id == open_id))
        return (
            db.execute(
                delete(accounts).where(accounts.c.client_key == client_key, accounts.c.open_id == open_id)
            ).rowcount
            > 0
        )


def _account(row: Row[Any]) -> Account:
    return Account(
        row.client_key,
        row.open_id,
        row.name,
        AccountStatus(row.status),
        row.reason,
        datetime.fromtimestamp(row.added_at, UTC),
        frozenset((row.tags or "").split()),
    )
