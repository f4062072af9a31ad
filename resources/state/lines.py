"""Define the lines of the outbox: one planned, executed or blocked write to the platform each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, update

from catalog.messages import Scene
from resources.state.tables import outbox


class LineState(StrEnum):
    """Progress or outcome of a line."""

    PLANNED = "planned"
    BLOCKED = "blocked"  # will never be sent; `why` states the reason
    CONTROL = "control"  # not sent on purpose: the control group
    CLAIMED = "claimed"  # a process is sending it
    SENT = "sent"
    FAILED = "failed"  # the platform refused it
    UNKNOWN = "unknown"  # it may or may not have been sent
    NOT_SENT = "not_sent"  # a person confirmed that it was not sent


DONE = (LineState.CLAIMED, LineState.SENT, LineState.UNKNOWN)
"""States that count towards limits: a line that may have been sent counts as sent."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the outbox, without its content."""

    id: int
    plan_id: int | None
    operation: str
    campaign: str
    client_key: str
    open_id: str
    person_open_id: str
    reason: str
    scene: Scene | None
    window_id: str | None
    messages: int
    state: LineState
    why: str | None
    code: int | None
    key: str
    planned_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    delivered_at: datetime | None
    message_ids: tuple[str, ...]
    resolved_by: str | None


def set_line(db: Connection, line_id: int, **values: object) -> None:
    """Update columns of a line."""
    db.execute(update(outbox).where(outbox.c.id == line_id).values(**values))


def _instant(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def line_of(row: Row[Any]) -> Line:
    """Convert a row of the outbox to a :class:`Line`."""
    return Line(
        row.id,
        row.plan_id,
        row.operation,
        row.campaign,
        row.client_key,
        row.open_id,
        row.person_open_id,
        row.reason,
        None if row.scene is None else Scene(row.scene),
        row.window_id,
        row.messages,
        LineState(row.state),
        row.why,
        row.code,
        row.key,
        datetime.fromtimestamp(row.planned_at, UTC),
        _instant(row.claimed_at),
        _instant(row.ended_at),
        _instant(row.delivered_at),
        tuple(row.message_ids.split(",")) if row.message_ids else (),
        row.resolved_by,
    )
