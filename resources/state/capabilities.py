"""Store which operations an app owns, as learned from calls: the platform does not report it otherwise.

An operation not owned by the app, or offline, is disabled with the platform's reason until a person enables it again.
Thus it is not called every day in vain, and does not look like an operation without data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update

from resources.state.engine import State
from resources.state.tables import capabilities


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether an app owns an operation, as known since ``since``; ``code`` and ``reason`` say why it is disabled."""

    client_key: str
    operation: str
    owned: bool
    code: int | None
    reason: str | None
    since: datetime


def read_capabilities(state: State, client_key: str) -> dict[str, Capability]:
    """Return the app's capabilities by operation, without those that were never called."""
    query = select(capabilities).where(capabilities.c.client_key == client_key).order_by(capabilities.c.operation)
    with state.read() as db:
        rows = db.execute(query).all()
    return {
        r.operation: Capability(
            r.client_key, r.operation, bool(r.owned), r.code, r.reason, datetime.fromtimestamp(r.since, UTC)
        )
        for r in rows
    }


def record_capability(
    state: State,
    client_key: str,
    operation: str,
    *,
    owned: bool,
    now: datetime,
    code: int | None = None,
    reason: str | None = None,
) -> None:
    """Record whether a call showed that the app owns the operation; unchanged entries keep their date."""
    key = (capabilities.c.client_key == client_key) & (capabilities.c.operation == operation)
    values = {"owned": int(owned), "code": code, "reason": reason}
    with state.begin() as db:
        known = db.execute(select(capabilities.c.owned, capabilities.c.code).where(key)).one_or_none()
        if known is None:
            db.execute(
                insert(capabilities).values(client_key=client_key, operation=operation, since=now.timestamp(), **values)
            )
        elif (bool(known.owned), known.code) != (owned, code):
            db.execute(update(capabilities).where(key).values(since=now.timestamp(), **values))


def switch_on(state: State, client_key: str, operation: str) -> bool:
    """Enable a disabled operation, so that the next run calls it; return whether it was disabled."""
    key = (
        (capabilities.c.client_key == client_key)
        & (capabilities.c.operation == operation)
        & (capabilities.c.owned == 0)
    )
    with state.begin() as db:
        return db.execute(delete(capabilities).where(key)).rowcount > 0
