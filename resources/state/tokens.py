"""Tokens at rest. Every write is committed durably before it returns: the platform has voided the older one by then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Row, insert, select, update

from resources.state.engine import State, client_tokens, user_tokens


@dataclass(frozen=True, slots=True)
class UserToken:
    """The tokens of one consent. ``renewals`` counts how often the refresh token was renewed since the consent."""

    open_id: str
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    renewals: int
    scope: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ClientToken:
    """The app's own token."""

    access_token: str = field(repr=False)
    expires_at: datetime


def load_user_token(state: State, client_key: str, open_id: str) -> UserToken | None:
    query = select(user_tokens).where(user_tokens.c.client_key == client_key, user_tokens.c.open_id == open_id)
    with state.read() as db:
        row = db.execute(query).one_or_none()
    return None if row is None else _user_token(row)


def load_user_tokens(state: State, client_key: str) -> dict[str, UserToken]:
    """All tokens of the app by ``open_id``, in one query: a run over thousands of accounts needs them all."""
    with state.read() as db:
        rows = db.execute(select(user_tokens).where(user_tokens.c.client_key == client_key)).all()
    return {row.open_id: _user_token(row) for row in rows}


def save_user_token(state: State, client_key: str, token: UserToken) -> None:
    """Store the token over the former one of the account."""
    values = {
        "access_token": token.access_token,
        "access_expires_at": token.access_expires_at.timestamp(),
        "refresh_token": token.refresh_token,
        "refresh_expires_at": token.refresh_expires_at.timestamp(),
        "renewals": token.renewals,
        "scope": token.scope,
        "updated_at": token.updated_at.timestamp(),
    }
    key = (user_tokens.c.client_key == client_key) & (user_tokens.c.open_id == token.open_id)
    with state.begin() as db:
        if db.execute(update(user_tokens).where(key).values(values)).rowcount == 0:
            db.execute(insert(user_tokens).values(client_key=client_key, open_id=token.open_id, **values))


def load_client_token(state: State, client_key: str) -> ClientToken | None:
    with state.read() as db:
        row = db.execute(select(client_tokens).where(client_tokens.c.client_key == client_key)).one_or_none()
    return None if row is None else ClientToken(row.access_token, datetime.fromtimestamp(row.expires_at, UTC))


def save_client_token(state: State, client_key: str, token: ClientToken) -> None:
    values = {"access_token": token.access_token, "expires_at": token.expires_at.timestamp()}
    with state.begin() as db:
        if db.execute(update(client_tokens).where(client_tokens.c.client_key == client_key).values(values)).rowcount == 0:
            db.execute(insert(client_tokens).values(client_key=client_key, **values))


def _user_token(row: Row) -> UserToken:
    return UserToken(
        row.open_id, row.access_token, datetime.fromtimestamp(row.access_expires_at, UTC),
        row.refresh_token, datetime.fromtimestamp(row.refresh_expires_at, UTC), row.renewals, row.scope,
        datetime.fromtimestamp(row.updated_at, UTC),
    )  # fmt: skip
