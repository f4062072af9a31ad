"""Store tokens encrypted.

Every write is committed durably before it returns: the platform has voided the older token by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Table, insert, select, update

from resources.state.engine import State
from resources.state.sealing import is_sealed
from resources.state.tables import business_tokens, client_tokens, user_tokens


@dataclass(frozen=True, slots=True)
class UserToken:
    """Tokens of one consent; ``renewals`` counts the renewals of the refresh token since the consent."""

    open_id: str
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    renewals: int
    scope: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BusinessToken:
    """Tokens of a business consent 经营授权, for the _bc paths of mini-apps."""

    open_id: str
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ClientToken:
    """The app's own token."""

    access_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenLife:
    """Expiry of the tokens of one consent, without the tokens, so that reading it needs no key."""

    access_expires_at: datetime
    refresh_expires_at: datetime
    renewals: int


def load_user_token(state: State, client_key: str, open_id: str) -> UserToken | None:
    """Return the account's tokens, or None if there are none; encrypt tokens that an earlier version stored as text.

    Raises:
        TokenKeyError: the key is missing or wrong. All functions that read or store tokens raise this.
    """
    row = _row(state, user_tokens, client_key, open_id)
    if row is None:
        return None
    token = _user_token(state, row)
    if not (is_sealed(row.access_token) and is_sealed(row.refresh_token)):
        save_user_token(state, client_key, token)  # stored by a version that did not seal
    return token


def load_user_tokens(state: State, client_key: str) -> dict[str, UserToken]:
    """Return all tokens of the app by ``open_id``, in one query: a run over thousands of accounts needs them all."""
    with state.read() as db:
        rows = db.execute(select(user_tokens).where(user_tokens.c.client_key == client_key)).all()
    return {row.open_id: _user_token(state, row) for row in rows}


def token_lives(state: State, client_key: str) -> dict[str, TokenLife]:
    """Return the expiry of the tokens of the app's accounts, by ``open_id``."""
    c = user_tokens.c
    with state.read() as db:
        rows = db.execute(
            select(c.open_id, c.access_expires_at, c.refresh_expires_at, c.renewals).where(c.client_key == client_key)
        ).all()
    return {
        r.open_id: TokenLife(_instant(r.access_expires_at), _instant(r.refresh_expires_at), r.renewals) for r in rows
    }


def save_user_token(state: State, client_key: str, token: UserToken) -> None:
    """Replace the account's tokens."""
    values = {
        "access_token": state.vault.seal(token.access_token),
        "access_expires_at": token.access_expires_at.timestamp(),
        "refresh_token": state.vault.seal(token.refresh_token),
        "refresh_expires_at": token.refresh_expires_at.timestamp(),
        "renewals": token.renewals,
        "scope": token.scope,
        "updated_at": token.updated_at.timestamp(),
    }
    _save(state, user_tokens, {"client_key": client_key, "open_id": token.open_id}, values)


def load_business_token(state: State, client_key: str, open_id: str) -> BusinessToken | None:
    """Return the account's business tokens, or None if there are none."""
    row = _row(state, business_tokens, client_key, open_id)
    if row is None:
        return None
    return BusinessToken(
        row.open_id,
        state.vault.open(row.access_token),
        _instant(row.access_expires_at),
        state.vault.open(row.refresh_token),
        _instant(row.refresh_expires_at),
        _instant(row.updated_at),
    )


def save_business_token(state: State, client_key: str, token: BusinessToken) -> None:
    """Replace the account's business tokens."""
    values = {
        "access_token": state.vault.seal(token.access_token),
        "access_expires_at": token.access_expires_at.timestamp(),
        "refresh_token": state.vault.seal(token.refresh_token),
        "refresh_expires_at": token.refresh_expires_at.timestamp(),
        "updated_at": token.updated_at.timestamp(),
    }
    _save(state, business_tokens, {"client_key": client_key, "open_id": token.open_id}, values)


def load_client_token(state: State, client_key: str) -> ClientToken | None:
    """Return the app's own token, or None if there is none."""
    with state.read() as db:
        row = db.execute(select(client_tokens).where(client_tokens.c.client_key == client_key)).one_or_none()
    return None if row is None else ClientToken(state.vault.open(row.access_token), _instant(row.expires_at))


def save_client_token(state: State, client_key: str, token: ClientToken) -> None:
    """Replace the app's own token."""
    values = {"access_token": state.vault.seal(token.access_token), "expires_at": token.expires_at.timestamp()}
    _save(state, client_tokens, {"client_key": client_key}, values)


def check_key(state: State, client_key: str) -> None:
    """Verify that the key decrypts a stored token, once before any request.

    Raises:
        TokenKeyError: the key is missing or wrong.
    """
    query = select(user_tokens.c.access_token).where(user_tokens.c.client_key == client_key).limit(1)
    with state.read() as db:
        stored = db.execute(query).scalar_one_or_none()
    if stored is not None:
        state.vault.open(stored)


def seal_anew(state: State) -> int:
    """Encrypt every stored token with the first key, in one transaction, and return the number of rows."""
    count = 0
    with state.begin() as db:
        for table in (user_tokens, business_tokens, client_tokens):
            secret = [c.name for c in table.columns if c.name in ("access_token", "refresh_token")]
            for row in db.execute(select(table)).mappings().all():
                key = [c == row[c.name] for c in table.primary_key.columns]
                fresh = {name: state.vault.seal(state.vault.open(row[name])) for name in secret}
                db.execute(update(table).where(*key).values(fresh))
                count += 1
    return count


def _row(state: State, table: Table, client_key: str, open_id: str) -> Row[Any] | None:
    with state.read() as db:
        return db.execute(
            select(table).where(table.c.client_key == client_key, table.c.open_id == open_id)
        ).one_or_none()


def _save(state: State, table: Table, key: dict[str, str], values: dict[str, Any]) -> None:
    with state.begin() as db:
        if db.execute(update(table).where(*(table.c[n] == v for n, v in key.items())).values(values)).rowcount == 0:
            db.execute(insert(table).values(key | values))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _user_token(state: State, row: Row[Any]) -> UserToken:
    return UserToken(
        row.open_id,
        state.vault.open(row.access_token),
        _instant(row.access_expires_at),
        state.vault.open(row.refresh_token),
        _instant(row.refresh_expires_at),
        row.renewals,
        row.scope,
        _instant(row.updated_at),
    )
