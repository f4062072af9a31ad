"""Resolve outbox lines of unknown outcome, by the delivery events of our own messages or by a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from catalog.operations import OTHER_OPERATIONS
from resources.state.engine import State
from resources.state.lines import Line, LineState, line_of, set_line
from resources.state.tables import outbox, sent_messages
from resources.storage.atomic import is_dead


def link(db: Connection, app: str, message_id: str, line_id: int) -> None:
    """Link the event of a message to a line.

    If the event was matched to another line by its fingerprint, that line becomes unknown again.
    """
    key = (sent_messages.c.client_key == app) & (sent_messages.c.message_id == message_id)
    event = db.execute(select(sent_messages).where(key)).one_or_none()
    if event is None:
        return
    if event.outbox_id not in (None, line_id):
        other = event.outbox_id
        values: dict[str, object] = {"delivered_at": None, "message_ids": None}
        if db.execute(select(outbox.c.resolved_by).where(outbox.c.id == other)).scalar_one() == BY_EVENT:
            values |= {
                "state": LineState.UNKNOWN.value,
                "resolved_by": None,
                "why": "its event belongs to another message",
            }
        set_line(db, other, **values)
        db.execute(update(sent_messages).where(sent_messages.c.outbox_id == other).values(outbox_id=None))
    db.execute(update(sent_messages).where(key).values(outbox_id=line_id))
    set_line(db, line_id, delivered_at=event.sent_at)


def note_sent(
    db: Connection,
    app: str,
    open_id: str,
    person: str,
    at: float,
    message_id: str,
    conversation_id: str,
    looks: str,
    *,
    by_us: bool,
) -> bool:
    """Store the event of a message that the account sent, and link it to its line.

    Returns whether the message was written by hand or by another app. ``looks`` is its fingerprint.
    """
    known = db.execute(
        select(sent_messages.c.message_id).where(
            sent_messages.c.client_key == app, sent_messages.c.message_id == message_id
        )
    ).first()
    if known is None:
        db.execute(
            insert(sent_messages).values(
                client_key=app,
                message_id=message_id,
                open_id=open_id,
                person_open_id=person,
                conversation_id=conversation_id,
                fingerprint=looks,
                by_us=int(by_us),
                sent_at=at,
            )
        )
    lines = db.execute(
        select(outbox.c.id, outbox.c.message_ids).where(
            outbox.c.client_key == app,
            outbox.c.open_id == open_id,
            outbox.c.person_open_id == person,
            outbox.c.message_ids.is_not(None),
        )
    ).all()
    mine = next((line.id for line in lines if message_id in line.message_ids.split(",")), None)
    if mine is not None:
        link(db, app, message_id, mine)
        return False
    return not by_us


_DIED = "the sender died before it knew the answer"
BY_EVENT = "event"
"""Value of ``resolved_by`` for a line that an event resolved; otherwise it is the name of a person."""


def recover(state: State, now: datetime) -> list[Line]:
    """Mark claimed lines of dead senders as unknown, or as planned if idempotent, and return them."""
    with state.begin() as db:
        rows = db.execute(select(outbox).where(outbox.c.state == LineState.CLAIMED.value)).all()
        dead = [r for r in rows if r.claimed_by is None or is_dead(r.claimed_by)]
        for row in dead:
            if OTHER_OPERATIONS[row.operation].repeatable:
                set_line(
                    db,
                    row.id,
                    state=LineState.PLANNED.value,
                    claim=None,
                    claimed_at=None,
                    claimed_by=None,
                    window_id=None,
                    why=_DIED,
                )
            else:
                set_line(db, row.id, state=LineState.UNKNOWN.value, ended_at=now.timestamp(), why=_DIED)
        return [line_of(r) for r in db.execute(select(outbox).where(outbox.c.id.in_([row.id for row in dead]))).all()]


_SKEW_S = 5.0
"""Largest time by which an event may precede the call that caused it: clocks differ."""
_LATEST_S = 600.0
"""Largest time between a call and the delivery of its message: time-outs are far shorter."""


def resolve(state: State, now: datetime) -> list[Line]:
    """Match unknown lines to delivery events of the same account, person, fingerprint and time; return those found.

    Each event stands for one message. If several lines could have caused the same events, they are resolved only if
    there is an event for every one of them: otherwise it is uncertain which was delivered, and a person must decide.
    While a call to the same person is in progress nothing is resolved, since the event may be its own.
    """
    found: list[int] = []
    with state.begin() as db:
        people = select(outbox.c.client_key, outbox.c.open_id, outbox.c.person_open_id).where(
            outbox.c.state == LineState.UNKNOWN.value, outbox.c.operation == "im_send_msg"
        )
        for person in sorted(set(db.execute(people).tuples())):
            if not _under_way(db, person):
                found += _match(db, _open_lines(db, person), _unclaimed_events(db, person))
        return [line_of(r) for r in db.execute(select(outbox).where(outbox.c.id.in_(found))).all()]


@dataclass(frozen=True, slots=True)
class _OpenLine:
    """A line with messages that have no event yet: unknown, or resolved as sent without all of them.

    ``looks`` are the fingerprints of those messages.
    """

    row: Row[Any]
    looks: tuple[str, ...]

    def could_be(self, event: Row[Any]) -> bool:
        return (
            event.fingerprint in self.looks
            and self.row.claimed_at - _SKEW_S <= event.sent_at <= self.row.claimed_at + _LATEST_S
        )


def _open_lines(db: Connection, person: tuple[str, str, str]) -> list[_OpenLine]:
    app, open_id, person_open_id = person
    unsure = (outbox.c.state == LineState.UNKNOWN.value) | (
        (outbox.c.state == LineState.SENT.value) & outbox.c.resolved_by.is_not(None)
    )
    rows = db.execute(
        select(outbox)
        .where(
            outbox.c.client_key == app,
            outbox.c.open_id == open_id,
            outbox.c.person_open_id == person_open_id,
            unsure,
            outbox.c.operation == "im_send_msg",
        )
        .order_by(outbox.c.claimed_at, outbox.c.id)
    ).all()
    found = []
    for row in rows:
        missing = Counter(row.fingerprint.split(","))
        missing.subtract(
            db.execute(select(sent_messages.c.fingerprint).where(sent_messages.c.outbox_id == row.id)).scalars()
        )
        if looks := tuple(missing.elements()):
            found.append(_OpenLine(row, looks))
    return found


def _under_way(db: Connection, person: tuple[str, str, str]) -> bool:
    app, open_id, person_open_id = person
    query = select(outbox.c.id).where(
        outbox.c.client_key == app,
        outbox.c.open_id == open_id,
        outbox.c.person_open_id == person_open_id,
        outbox.c.state == LineState.CLAIMED.value,
    )
    return db.execute(query.limit(1)).first() is not None


def _unclaimed_events(db: Connection, person: tuple[str, str, str]) -> list[Row[Any]]:
    """Return the events of this app's messages to a person that belong to no line yet, oldest first."""
    app, open_id, person_open_id = person
    return list(
        db.execute(
            select(sent_messages)
            .where(
                sent_messages.c.client_key == app,
                sent_messages.c.open_id == open_id,
                sent_messages.c.person_open_id == person_open_id,
                sent_messages.c.by_us == 1,
                sent_messages.c.outbox_id.is_(None),
            )
            .order_by(sent_messages.c.sent_at, sent_messages.c.message_id)
        )
    )


def _match(db: Connection, lines: list[_OpenLine], events: list[Row[Any]]) -> list[int]:
    """Match delivery events to the unknown messages of one person, and skip ambiguous matches."""
    found: list[int] = []
    for group in _rivals(lines, events):
        left = [e for e in events if any(line.could_be(e) for line in group)]
        taken: dict[int, list[Row[Any]]] = {}
        whole = True
        for line in group:
            mine = taken[line.row.id] = []
            for looks in line.looks:
                event = next((e for e in left if e.fingerprint == looks and line.could_be(e)), None)
                whole &= event is not None
                if event is not None:
                    left.remove(event)
                    mine.append(event)
        if len(group) > 1 and not whole:
            continue
        for line in group:
            if taken[line.row.id]:
                found += _take(db, line.row, taken[line.row.id])
    return found


def _take(db: Connection, row: Row[Any], events: list[Row[Any]]) -> list[int]:
    """Add events to a line and mark it as sent; return its number if it was unknown."""
    ids = [*(row.message_ids.split(",") if row.message_ids else ()), *(e.message_id for e in events)]
    values: dict[str, object] = {"delivered_at": row.delivered_at or events[0].sent_at, "message_ids": ",".join(ids)}
    if row.resolved_by in (None, BY_EVENT):
        why = None if len(ids) == row.messages else f"{len(ids)} of {row.messages} messages were seen"
        values |= {"state": LineState.SENT.value, "resolved_by": BY_EVENT, "why": why}
    set_line(db, row.id, **values)
    key = (sent_messages.c.client_key == row.client_key) & sent_messages.c.message_id.in_(
        [e.message_id for e in events]
    )
    db.execute(update(sent_messages).where(key).values(outbox_id=row.id))
    return [row.id] if row.state == LineState.UNKNOWN else []


def _rivals(lines: list[_OpenLine], events: list[Row[Any]]) -> list[list[_OpenLine]]:
    """Group lines that could have caused the same event."""
    groups: list[list[_OpenLine]] = []
    for line in lines:
        mine = [e for e in events if line.could_be(e)]
        joined = [g for g in groups if any(other.could_be(e) for other in g for e in mine)]
        groups = [g for g in groups if g not in joined] + [[*(one for g in joined for one in g), line]]
    return groups


def conversations_of(state: State, line: Line) -> dict[str, str]:
    """Return the conversation of each message of a line that has an event."""
    with state.read() as db:
        rows = db.execute(
            select(sent_messages.c.message_id, sent_messages.c.conversation_id).where(
                sent_messages.c.client_key == line.client_key, sent_messages.c.message_id.in_(line.message_ids)
            )
        ).tuples()
        return {message: chat for message, chat in rows if chat}


def settle(state: State, line_id: int, *, was_sent: bool, by: str, now: datetime) -> None:
    """Record a person's finding whether an unknown line was sent.

    Raises:
        LookupError: there is no such line, or it is not unknown.
    """
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one_or_none()
        if row is None or row.state != LineState.UNKNOWN:
            raise LookupError(f"line {line_id} is {'not there' if row is None else row.state}, not unknown")
        _settle(db, row, was_sent=was_sent, by=by, now=now)


def settle_plan(
    state: State, plan_id: int, *, was_sent: bool, by: str, now: datetime, called_before: datetime
) -> list[int]:
    """Record a person's finding for all unknown lines of a plan called before an instant; return their numbers."""
    chosen = (
        (outbox.c.plan_id == plan_id)
        & (outbox.c.state == LineState.UNKNOWN.value)
        & (outbox.c.claimed_at < called_before.timestamp())
    )
    with state.begin() as db:
        rows = db.execute(select(outbox).where(chosen).order_by(outbox.c.id)).all()
        for row in rows:
            _settle(db, row, was_sent=was_sent, by=by, now=now)
    return [row.id for row in rows]


def _settle(db: Connection, row: Row[Any], *, was_sent: bool, by: str, now: datetime) -> None:
    outcome = LineState.SENT if was_sent else LineState.NOT_SENT
    set_line(
        db, row.id, state=outcome.value, claim=row.key if was_sent else None, resolved_by=by, ended_at=now.timestamp()
    )
