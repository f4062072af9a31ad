"""Conversations 会话 as far as sending needs them: the newest thing that each person did, and who answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, insert, select, update

from catalog.messages import SCENES, Scene
from resources.state.engine import State, chats


@dataclass(frozen=True, slots=True)
class Window:
    """Permission to send within a scene, opened by an event. ``message_id`` and ``conversation_id`` go into the request."""

    scene: Scene
    message_id: str
    conversation_id: str
    opened_at: datetime

    @property
    def closes_at(self) -> datetime:
        return self.opened_at + (SCENES[self.scene].length or timedelta(0)) - MARGINS[self.scene]


MARGINS = {Scene.REPLY: timedelta(minutes=1), Scene.ENTER: timedelta(seconds=3)}
"""So long before the platform's end a window counts as closed: the call needs some time, and clocks differ."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What is known of an account and a person. ``consents`` is None where no event told."""

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
        """The open window, the one that lasts longer first; None where there is none."""
        return next((w for w in (self.reply, self.entry) if w is not None and now < w.closes_at), None)


def _key(app: str, open_id: str, person: str):
    return (chats.c.client_key == app) & (chats.c.open_id == open_id) & (chats.c.person_open_id == person)


def _put(db: Connection, app: str, open_id: str, person: str, values: dict[str, object], newer_than: tuple[object, float] | None = None) -> None:
    """Change a chat; with ``newer_than`` (column, instant) only where what is known there is older. Events come in any order."""
    known = db.execute(select(chats).where(_key(app, open_id, person))).one_or_none()
    if known is None:
        db.execute(insert(chats).values(client_key=app, open_id=open_id, person_open_id=person, **values))
    elif newer_than is None or (before := getattr(known, newer_than[0].name)) is None or before <= newer_than[1]:
        db.execute(update(chats).where(_key(app, open_id, person)).values(**values))


def note_message(db: Connection, app: str, open_id: str, person: str, at: float, message_id: str, conversation_id: str) -> None:
    """The person wrote."""
    _put(db, app, open_id, person, {"said_at": at, "said_id": message_id, "said_in": conversation_id}, (chats.c.said_at, at))


def note_entry(db: Connection, app: str, open_id: str, person: str, at: float, message_id: str, conversation_id: str) -> None:
    """The person opened the chat."""
    _put(db, app, open_id, person, {"entered_at": at, "entered_id": message_id, "entered_in": conversation_id}, (chats.c.entered_at, at))


def note_consent(db: Connection, app: str, open_id: str, person: str, at: float, *, consents: bool) -> None:
    """The person allowed proactive messages, or withdrew that."""
    _put(db, app, open_id, person, {"consents": int(consents), "consents_at": at}, (chats.c.consents_at, at))


def note_by_hand(db: Connection, app: str, open_id: str, person: str, at: float) -> None:
    """Somebody of ours wrote by hand, or through another app."""
    _put(db, app, open_id, person, {"by_hand_at": at}, (chats.c.by_hand_at, at))


def hand_over(state: State, app: str, open_id: str, person: str, until: datetime) -> None:
    """A person answers until then."""
    with state.begin() as db:
        _put(db, app, open_id, person, {"handed_over_until": until.timestamp()})


def get_chat(state: State, app: str, open_id: str, person: str) -> Chat:
    """What is known; of somebody who never did anything, nothing."""
    with state.read() as db:
        return read_chat(db, app, open_id, person)


def read_chat(db: Connection, app: str, open_id: str, person: str) -> Chat:
    row = db.execute(select(chats).where(_key(app, open_id, person))).one_or_none()
    return Chat(app, open_id, person, None, None, None, None, None, None) if row is None else _chat(row)


def all_chats(state: State, app: str, open_id: str) -> dict[str, Chat]:
    """Chats of an account by person."""
    with state.read() as db:
        rows = db.execute(select(chats).where(chats.c.client_key == app, chats.c.open_id == open_id)).all()
    return {row.person_open_id: _chat(row) for row in rows}


def _instant(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _chat(row: Row) -> Chat:
    def window(scene: Scene, at: float | None, message_id: str | None, chat: str | None) -> Window | None:
        return None if at is None else Window(scene, message_id or "", chat or "", datetime.fromtimestamp(at, UTC))

    return Chat(
        row.client_key, row.open_id, row.person_open_id, window(Scene.REPLY, row.said_at, row.said_id, row.said_in),
        window(Scene.ENTER, row.entered_at, row.entered_id, row.entered_in), None if row.consents is None else bool(row.consents),
        _instant(row.consents_at), _instant(row.by_hand_at), _instant(row.handed_over_until),
    )  # fmt: skip
