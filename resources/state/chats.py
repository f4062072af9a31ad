"""Store what sending needs of conversations 会话: each person's latest actions, and whether a person replies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, bindparam, insert, or_, select, update

from catalog.messages import SCENES, Scene
from resources.state.engine import State
from resources.state.statements import insert_of
from resources.state.tables import chats


@dataclass(frozen=True, slots=True)
class Window:
    """Permission to send within a scene, opened by an event.

    ``message_id`` and ``conversation_id`` go into the request.
    """

    scene: Scene
    message_id: str
    conversation_id: str
    opened_at: datetime

    @property
    def closes_at(self) -> datetime:
        """Instant at which the window counts as closed, a margin before the platform closes it."""
        return self.opened_at + (SCENES[self.scene].length or timedelta(0)) - MARGINS[self.scene]


MARGINS = {Scene.REPLY: timedelta(minutes=1), Scene.ENTER: timedelta(seconds=3)}
"""Margins by which windows close before the platform's end: the call needs some time, and clocks differ."""


@dataclass(frozen=True, slots=True)
class Chat:
    """State of the conversation of an account and a person; ``consents`` is None without an event about it."""

    client_key: str
    open_id: str
    person_open_id: str
    reply: Window | None
    entry: Window | None
    consents: bool | None
    consents_at: datetime | None
    by_hand_at: datetime | None
    handed_over_until: datetime | None

    def window(self, now: datetime) -> Window | None:
        """Return the open window, preferably the longer-lasting one; None if none is open."""
        return next((w for w in (self.reply, self.entry) if w is not None and now < w.closes_at), None)


def _key(app: str, open_id: str, person: str) -> ColumnElement[bool]:
    return (chats.c.client_key == app) & (chats.c.open_id == open_id) & (chats.c.person_open_id == person)


class EventEffect(StrEnum):
    """Effect of an event on a chat; each has an instant, and the newest one counts.

    The value is the prefix of its columns.
    """

    SAID = "said"  # the person wrote
    ENTERED = "entered"  # the person opened the chat
    CONSENTS = "consents"  # the person allowed proactive messages, or withdrew that
    BY_HAND = "by_hand"  # a message of ours was written by hand or by another app


@dataclass(frozen=True, slots=True)
class ChatNote:
    """One effect of an event; ``values`` are the columns besides the instant ``at`` (epoch seconds)."""

    what: EventEffect
    client_key: str
    open_id: str
    person_open_id: str
    at: float
    values: tuple[tuple[str, object], ...] = ()


def said(app: str, open_id: str, person: str, at: float, message_id: str, conversation_id: str) -> ChatNote:
    """Return the note that the person sent a message."""
    return ChatNote(EventEffect.SAID, app, open_id, person, at, (("said_id", message_id), ("said_in", conversation_id)))


def entered(app: str, open_id: str, person: str, at: float, message_id: str, conversation_id: str) -> ChatNote:
    """Return the note that the person opened the chat."""
    return ChatNote(
        EventEffect.ENTERED, app, open_id, person, at, (("entered_id", message_id), ("entered_in", conversation_id))
    )


def consented(app: str, open_id: str, person: str, at: float, *, consents: bool) -> ChatNote:
    """Return the note that the person allowed proactive messages, or withdrew that."""
    return ChatNote(EventEffect.CONSENTS, app, open_id, person, at, (("consents", int(consents)),))


def write_notes(db: Connection, notes: Iterable[ChatNote]) -> None:
    """Apply notes to chats in any order; one older than the stored state changes nothing.

    One statement per effect handles any number of events: a statement for each event cost more than all else in storing
    it.
    """
    newest: dict[tuple[str, ...], ChatNote] = {}
    for note in notes:
        key = (note.what, note.client_key, note.open_id, note.person_open_id)
        if key not in newest or newest[key].at <= note.at:
            newest[key] = note
    for what in EventEffect:
        if rows := [note for note in newest.values() if note.what is what]:
            db.execute(_upsert(db.dialect.name, what), [_row(note) for note in rows])


def _row(note: ChatNote) -> dict[str, object]:
    who = {"client_key": note.client_key, "open_id": note.open_id, "person_open_id": note.person_open_id}
    return {**who, f"{note.what}_at": note.at, **dict(note.values)}


@cache
def _upsert(dialect: str, what: EventEffect) -> Executable:
    names = [
        c.name for c in chats.columns if c.name == what or c.name.startswith((f"{what}_at", f"{what}_id", f"{what}_in"))
    ]
    key = ["client_key", "open_id", "person_open_id"]
    statement = insert_of(dialect)(chats).values({n: bindparam(n) for n in (*key, *names)})
    at = chats.c[f"{what}_at"]
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={n: statement.excluded[n] for n in names},
        where=or_(at.is_(None), at <= statement.excluded[f"{what}_at"]),
    )


def hand_over(state: State, app: str, open_id: str, person: str, until: datetime) -> None:
    """Record that a person, and not the reply worker, replies until ``until``."""
    with state.begin() as db:
        values = {"handed_over_until": until.timestamp()}
        if db.execute(update(chats).where(_key(app, open_id, person)).values(values)).rowcount == 0:
            db.execute(insert(chats).values(client_key=app, open_id=open_id, person_open_id=person, **values))


def get_chat(state: State, app: str, open_id: str, person: str) -> Chat:
    """Return the state of a chat; an empty one for a person without events."""
    with state.read() as db:
        return read_chat(db, app, open_id, person)


def read_chat(db: Connection, app: str, open_id: str, person: str) -> Chat:
    """Return the state of a chat within a transaction; an empty one for a person without events."""
    row = db.execute(select(chats).where(_key(app, open_id, person))).one_or_none()
    return Chat(app, open_id, person, None, None, None, None, None, None) if row is None else _chat(row)


def all_chats(state: State, app: str, open_id: str) -> dict[str, Chat]:
    """Return the chats of an account by person."""
    with state.read() as db:
        rows = db.execute(select(chats).where(chats.c.client_key == app, chats.c.open_id == open_id)).all()
    return {row.person_open_id: _chat(row) for row in rows}


def _instant(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _chat(row: Row[Any]) -> Chat:
    def window(scene: Scene, at: float | None, message_id: str | None, chat: str | None) -> Window | None:
        return None if at is None else Window(scene, message_id or "", chat or "", datetime.fromtimestamp(at, UTC))

    return Chat(
        row.client_key,
        row.open_id,
        row.person_open_id,
        window(Scene.REPLY, row.said_at, row.said_id, row.said_in),
        window(Scene.ENTER, row.entered_at, row.entered_id, row.entered_in),
        None if row.consents is None else bool(row.consents),
        _instant(row.consents_at),
        _instant(row.by_hand_at),
        _instant(row.handed_over_until),
    )
