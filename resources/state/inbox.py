"""Store every webhook event once, before its receipt is confirmed, and apply its effects.

The effects of an event (an open window, a consent, an opt-out, a withdrawn authorisation, the delivery of our own
message) are written in the transaction that stores it: after a crash either both are there or neither.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, update

from catalog.records import beijing_day
from resources.state.chats import ChatNote, EventEffect, consented, entered, said, write_notes
from resources.state.engine import State
from resources.state.people import insert_opt_out, withdraw
from resources.state.resolving import note_sent
from resources.state.tables import inbox, receiving

NO_ID = "sha256:"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as received; ``body`` contains people's messages and is hidden from its repr."""

    client_key: str
    event_id: str
    event: str
    received_at: datetime
    body: bytes = field(repr=False)
    envelope: Mapping[str, Any] = field(repr=False)

    @property
    def content(self) -> Mapping[str, Any]:
        """The event's content, decoded if it is JSON text; empty if there is none."""
        return content_of(self.envelope)


def make_event(
    client_key: str, body: bytes, envelope: Mapping[str, Any], message_id: str | None, now: datetime
) -> Event:
    """Create an event from a body and its decoded envelope; without a ``Msg-Id`` its id is the body's hash."""
    return Event(client_key, message_id or NO_ID + body_hash(body), str(envelope["event"]), now, body, envelope)


def body_hash(body: bytes) -> str:
    """Return the SHA-256 of a body in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def content_of(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an envelope's content, decoded if it is JSON text; empty if there is none or it is malformed."""
    content = envelope.get("content")
    if isinstance(content, str):
        try:
            content = orjson.loads(content)
        except orjson.JSONDecodeError:
            content = None
    return content if isinstance(content, Mapping) else {}


OptOutOf = Callable[[Event], str | None]
"""Returns how an event opts its sender out, as text for the opt-out list; None if it does not."""


def store(state: State, events: Sequence[Event], opt_out_of: OptOutOf = lambda _: None) -> list[bool]:
    """Commit events and their effects to disk in one transaction, and return for each whether it is new.

    An event is a duplicate if its body was stored before, or its Msg-Id with a body of the same meaning. That holds
    for any time ago, since signatures do not expire. A body with another meaning is another event despite an equal
    Msg-Id; its hash then distinguishes it.
    """
    hashes = [body_hash(e.body) for e in events]
    with state.begin() as db:
        seen = _known(db, events, hashes)
        fresh: list[bool] = []
        rows: list[dict[str, Any]] = []
        for event, digest in zip(events, hashes, strict=True):
            is_named = (event.client_key, event.event_id) in seen
            fresh.append((event.client_key, digest) not in seen and not (is_named and _is_repeated(db, rows, event)))
            if fresh[-1]:
                seen |= {(event.client_key, event.event_id), (event.client_key, digest)}
                event_id = f"{event.event_id}#{digest[:16]}" if is_named else event.event_id
                rows.append(
                    {
                        "client_key": event.client_key,
                        "event_id": event_id,
                        "body_hash": digest,
                        "event": event.event,
                        "received_at": event.received_at.timestamp(),
                        "day": beijing_day(event.received_at).isoformat(),
                        "body": event.body,
                    }
                )
        if rows:
            db.execute(insert(inbox), rows)
        new = [event for event, is_new in zip(events, fresh, strict=True) if is_new]
        write_notes(db, [note for event in new for note in _apply(db, event)])
        for event in new:
            if (how := opt_out_of(event)) is not None:
                sender, receiver = (str(event.envelope.get(name) or "") for name in ("from_user_id", "to_user_id"))
                insert_opt_out(db, event.client_key, receiver, sender, how, event.received_at)
    return fresh


def _known(db: Connection, events: Sequence[Event], hashes: list[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for column, values in ((inbox.c.event_id, [e.event_id for e in events]), (inbox.c.body_hash, hashes)):
        found |= set(db.execute(select(inbox.c.client_key, column).where(column.in_(values))).tuples())
    return found


def _is_repeated(db: Connection, batch: Sequence[Mapping[str, Any]], event: Event) -> bool:
    """Return whether an event of this Msg-Id with the same meaning is stored or in the batch.

    The trace id is ignored, since each delivery may have its own. If the stored body was pruned and cannot be compared,
    the Msg-Id decides.
    """
    of_id = inbox.c.event_id.startswith(f"{event.event_id}#", autoescape=True) | (inbox.c.event_id == event.event_id)
    bodies = list(db.execute(select(inbox.c.body).where(inbox.c.client_key == event.client_key, of_id)).scalars())
    bodies += [
        row["body"]
        for row in batch
        if row["client_key"] == event.client_key and row["event_id"].partition("#")[0] == event.event_id
    ]
    said = _without_trace(event.envelope)
    return any(body is None or _without_trace(orjson.loads(body)) == said for body in bodies)


def _without_trace(envelope: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in envelope.items() if name != "log_id"}


_MILLISECONDS_ABOVE = 10**11
_DIGITS = 16
_AHEAD_S = 86_400.0
"""Limit in seconds: the time of an event further ahead of its receipt is not usable: its window would never close."""


def moment(value: object, received_at: datetime) -> float:
    """Return the epoch seconds of a number or text in seconds or milliseconds.

    The time of receipt is used instead if the value is neither, or more than a day ahead of the receipt.
    """
    text = str(value)
    if not text.isdecimal() or len(text) > _DIGITS or not int(text):
        return received_at.timestamp()
    seconds = int(text) / 1000 if int(text) > _MILLISECONDS_ABOVE else float(int(text))
    return seconds if seconds <= received_at.timestamp() + _AHEAD_S else received_at.timestamp()


def _apply(db: Connection, event: Event) -> list[ChatNote]:
    """Apply an event's effects on messages and consents, and return its notes on a chat."""
    content, app = event.content, event.client_key
    sender, receiver = (str(event.envelope.get(name) or "") for name in ("from_user_id", "to_user_id"))
    at = moment(content.get("create_time"), event.received_at)
    message, chat = str(content.get("server_message_id") or ""), str(content.get("conversation_short_id") or "")
    if event.event == "im_receive_msg" and message:
        return [said(app, receiver, sender, at, message, chat)]
    if event.event == "im_enter_direct_msg" and message:
        return [entered(app, receiver, sender, at, message, chat)]
    if event.event == "im_send_msg" and message:
        by_us = content.get("source") == app
        by_hand = note_sent(db, app, sender, receiver, at, message, chat, fingerprint_of_event(content), by_us=by_us)
        return [ChatNote(EventEffect.BY_HAND, app, sender, receiver, at)] if by_hand else []
    if event.event == "im_authorize":
        return [consented(app, receiver, sender, at, consents=content.get("auth_status") in (1, "1"))]
    if event.event in ("unauthorize", "contract_unauthorize"):
        withdraw(
            db,
            app,
            sender,
            f"the owner withdrew the consent (event {event.event})",
            event.received_at,
            whole=event.event == "unauthorize",
        )
    return []


_NUMBERS = {"text": 1, "image": 2, "video": 3, "retain_consult_card": 8}
"""Message types that events distinguish, by their name in events; all other types look alike."""


def fingerprint_of_event(content: Mapping[str, Any]) -> str:
    """Return the fingerprint of the message in an event's content."""
    return fingerprint(_NUMBERS.get(str(content.get("message_type"))), str(content.get("text") or ""))


def fingerprint(number: int | None, text: str) -> str:
    """Return what a sent message and its event have in common: the type, and a hash of the text if there is one."""
    if number == 1:
        return "1:" + hashlib.sha256(text.encode()).hexdigest()[:32]
    return str(number) if number in _NUMBERS.values() else "other"


def begin_receiving(state: State, client_keys: Iterable[str], now: datetime) -> None:
    """Record when a receiver first started for each app: later days without events are empty, earlier ones unknown."""
    with state.begin() as db:
        known = set(db.execute(select(receiving.c.client_key)).scalars())
        for key in set(client_keys) - known:
            db.execute(insert(receiving).values(client_key=key, since=now.timestamp()))


def receiving_since(state: State, client_key: str) -> datetime | None:
    """Return when a receiver first started for the app; None if never."""
    with state.read() as db:
        since = db.execute(select(receiving.c.since).where(receiving.c.client_key == client_key)).scalar_one_or_none()
    return None if since is None else datetime.fromtimestamp(since, UTC)


def ids_received_on(
    state: State, client_key: str, day: date, event: str | None, known: Collection[str] = ()
) -> dict[int, str]:
    """Return number and event_id of the events that were received on a Beijing day, in order of receipt.

    Only events whose bodies are stored count: those with the name ``event``, or with None all except ``known`` names.
    """
    query = (
        select(inbox.c.id, inbox.c.event_id)
        .where(
            inbox.c.client_key == client_key,
            inbox.c.day == day.isoformat(),
            _named(event, known),
            inbox.c.body.is_not(None),
        )
        .order_by(inbox.c.id)
    )
    with state.read() as db:
        return dict(db.execute(query).tuples().all())


def read_events(state: State, numbers: Sequence[int]) -> list[Event]:
    """Return the events with the given numbers, in order of receipt."""
    return _read(state, select(inbox).where(inbox.c.id.in_(numbers)).order_by(inbox.c.id))


def received_since(state: State, client_key: str, since: datetime, events: Iterable[str]) -> list[Event]:
    """Return the events of some names received since an instant, in order of receipt."""
    query = (
        select(inbox)
        .where(
            inbox.c.client_key == client_key,
            inbox.c.received_at >= since.timestamp(),
            inbox.c.event.in_(list(events)),
            inbox.c.body.is_not(None),
        )
        .order_by(inbox.c.id)
    )
    return _read(state, query)


def _read(state: State, query: Select[Any]) -> list[Event]:
    with state.read() as db:
        rows = db.execute(query).all()
    return [
        Event(
            r.client_key, r.event_id, r.event, datetime.fromtimestamp(r.received_at, UTC), r.body, orjson.loads(r.body)
        )
        for r in rows
    ]


def count_received(state: State) -> dict[tuple[str, str], int]:
    """Count the events in the inbox by (client_key, event)."""
    with state.read() as db:
        rows = db.execute(
            select(inbox.c.client_key, inbox.c.event, func.count()).group_by(inbox.c.client_key, inbox.c.event)
        ).all()
    return {(app, event): n for app, event, n in rows}


def days_with_bodies(state: State, before: date, event: str | None, known: Collection[str] = ()) -> list[date]:
    """Return the Beijing days before ``before`` with stored bodies of events named as in :func:`ids_received_on`."""
    query = select(inbox.c.day).where(_with_body(before, event, known)).distinct().order_by(inbox.c.day)
    with state.read() as db:
        return [date.fromisoformat(day) for day in db.execute(query).scalars()]


def forget_bodies(state: State, before: date, event: str | None = None, known: Collection[str] = ()) -> int:
    """Prune the bodies of days before ``before`` and return their number; hashes stay: signatures do not expire.

    Those of events named as in :func:`ids_received_on`; by default of all.
    """
    with state.begin() as db:
        gone = db.execute(update(inbox).where(_with_body(before, event, known)).values(body=None))
    return gone.rowcount


def _with_body(before: date, event: str | None, known: Collection[str]) -> ColumnElement[bool]:
    return and_(inbox.c.day < before.isoformat(), _named(event, known), inbox.c.body.is_not(None))


def _named(event: str | None, known: Collection[str]) -> ColumnElement[bool]:
    return inbox.c.event.not_in(known) if event is None else inbox.c.event == event
