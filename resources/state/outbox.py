"""Outbox of everything that is written to the platform: claim a line before its call, finish it after, never repeat it.

A line is claimed in the transaction that checks every limit, so two senders cannot both use the last message of a
window. While a line is claimed, sent or unknown, its ``key`` is in a unique column: a second line with the same key
cannot be claimed. A line is unknown if its sender died or its call got no response. An unknown line is never sent
again; it is resolved by the events of our own messages or by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from catalog.messages import SCENES, Scene
from catalog.records import BEIJING
from resources.state.accounts import AccountStatus
from resources.state.chats import Chat, Window, read_chat
from resources.state.engine import State
from resources.state.ledger import day_start
from resources.state.lines import DONE, Line, LineState, line_of, set_line
from resources.state.people import is_opted_out
from resources.state.resolving import link
from resources.state.statements import inserted_id
from resources.state.tables import accounts, outbox, plans
from resources.storage.atomic import this_process


@dataclass(frozen=True, slots=True)
class SendingRules:
    """Rules for sending besides the platform's own limits; ``quiet`` is from and until, Beijing times of day.

    ``opt_out_at`` is the instant of the opt-out that a line confirms: an earlier opt-out forbids the line, this one
    does not.
    """

    per_person_per_day: int | None = None
    per_account_per_day: int | None = None
    quiet: tuple[time, time] | None = None
    opt_out_at: datetime | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Return whether an instant is in the quiet hours, which may span midnight."""
        if self.quiet is None:
            return False
        first, last = self.quiet
        at = now.astimezone(BEIJING).time()
        return first <= at < last if first <= last else at >= first or at < last

    def to_json(self) -> str:
        """Encode the rules of a plan, without ``opt_out_at``, as JSON."""
        quiet = self.quiet and [t.strftime("%H:%M") for t in self.quiet]
        return orjson.dumps(
            {
                "per_person_per_day": self.per_person_per_day,
                "per_account_per_day": self.per_account_per_day,
                "quiet": quiet,
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> SendingRules:
        """Decode rules from :meth:`to_json`."""
        given = orjson.loads(text)
        quiet = given.pop("quiet")
        return cls(quiet=quiet and tuple(time.fromisoformat(t) for t in quiet), **given)


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be added to the outbox.

    ``request`` are the operation's parameters without the account and without those that the window supplies.
    """

    operation: str
    campaign: str
    client_key: str
    open_id: str
    person_open_id: str
    request: dict[str, Any] = field(repr=False)
    key: str
    reason: str = ""
    scene: Scene | None = None
    messages: int = 1
    fingerprint: str = "other"
    state: LineState = LineState.PLANNED
    why: str | None = None
    plan_id: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimedLine:
    """A line that only this process may send now; after :func:`look`, one that could be claimed.

    ``params`` are the call's parameters, ``window`` is the window that it uses, if any.
    """

    line: Line
    params: dict[str, Any] = field(repr=False)
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class SendRefusal:
    """Reason why a line must not be sent now; ``later``: that may change."""

    why: str
    later: bool = False


def write_lines(state: State, lines: Iterable[NewLine], now: datetime) -> list[int]:
    """Add lines to the outbox with encrypted content, and return their numbers."""
    with state.begin() as db:
        return insert_lines(state, db, lines, now)


def insert_lines(state: State, db: Connection, lines: Iterable[NewLine], now: datetime) -> list[int]:
    """Add lines to the outbox within a transaction, and return their numbers."""
    return [
        inserted_id(
            db.execute(
                insert(outbox).values(
                    plan_id=line.plan_id,
                    operation=line.operation,
                    campaign=line.campaign,
                    client_key=line.client_key,
                    open_id=line.open_id,
                    person_open_id=line.person_open_id,
                    reason=line.reason,
                    scene=line.scene and line.scene.value,
                    messages=line.messages,
                    request=state.vault.seal(orjson.dumps(line.request).decode()),
                    fingerprint=line.fingerprint,
                    state=line.state.value,
                    why=line.why,
                    key=line.key,
                    planned_at=now.timestamp(),
                )
            )
        )
        for line in lines
    ]


# --------------------------------------------------------------------------- before the call


def claim(state: State, line_id: int, rules: SendingRules, now: datetime) -> ClaimedLine | SendRefusal:
    """Check all limits and rules at this moment and claim the line, in one transaction.

    A line that can never be sent is blocked permanently; one that must wait stays planned.
    """
    return _examine(state, line_id, rules, now, take=True)


def look(state: State, line_id: int, rules: SendingRules, now: datetime) -> ClaimedLine | SendRefusal:
    """Check a line as :func:`claim` does without claiming it, so that refused lines need no rate-limit permit."""
    return _examine(state, line_id, rules, now, take=False)


def _examine(
    state: State, line_id: int, rules: SendingRules, now: datetime, *, take: bool
) -> ClaimedLine | SendRefusal:
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one()
        if row.state != LineState.PLANNED:
            return SendRefusal(f"it is {row.state} already")
        verdict, params, window = _look(state, db, row, rules, now)
        if verdict is not None:
            if not verdict.later:
                set_line(db, line_id, state=LineState.BLOCKED.value, why=verdict.why, ended_at=now.timestamp())
            return verdict
        if take:
            set_line(
                db,
                line_id,
                state=LineState.CLAIMED.value,
                claim=row.key,
                claimed_at=now.timestamp(),
                claimed_by=this_process(),
                why=None,
                window_id=window and window.message_id,
            )
        return ClaimedLine(line_of(db.execute(select(outbox).where(outbox.c.id == line_id)).one()), params, window)


def _look(
    state: State, db: Connection, row: Row[Any], rules: SendingRules, now: datetime
) -> tuple[SendRefusal | None, dict[str, Any], Window | None]:
    params = orjson.loads(state.vault.open(row.request))
    for why in (
        _plan_forbids(db, row, now),
        _account_forbids(db, row),
        _already_done(db, row),
        _person_forbids(db, row, rules),
        SendRefusal("quiet hours", later=True) if rules.is_quiet(now) else None,
        _caps(db, row, rules, now),
    ):
        if why is not None:
            return why, params, None
    if row.scene not in (Scene.REPLY, Scene.ENTER, Scene.CONSENT):
        return None, params, None
    scene = Scene(row.scene)
    chat = read_chat(db, row.client_key, row.open_id, row.person_open_id)
    if scene is Scene.CONSENT:
        return _consent_forbids(db, row, chat, now), {**params, "scene": scene.value}, None
    window = chat.reply if scene is Scene.REPLY else chat.entry
    why = window_forbids(db, row.client_key, window, row.messages, now)
    if why is not None or window is None:
        return why, params, None
    return (
        None,
        {**params, "scene": scene.value, "msg_id": window.message_id, "conversation_id": window.conversation_id},
        window,
    )


def window_forbids(db: Connection, app: str, window: Window | None, messages: int, now: datetime) -> SendRefusal | None:
    """Return a refusal if the window is closed or cannot take ``messages`` more; None if it can."""
    if window is None or now >= window.closes_at:
        return SendRefusal("no window is open")
    used = db.execute(
        select(func.coalesce(func.sum(outbox.c.messages), 0)).where(
            outbox.c.client_key == app, outbox.c.window_id == window.message_id, outbox.c.state.in_(DONE)
        )
    ).scalar_one()
    most = SCENES[window.scene].messages or 0
    return SendRefusal(f"the window takes {most} messages, {used} were sent") if used + messages > most else None


def _plan_forbids(db: Connection, row: Row[Any], now: datetime) -> SendRefusal | None:
    if row.plan_id is None:
        return None
    plan = db.execute(select(plans).where(plans.c.id == row.plan_id)).one()
    if plan.state != "approved":
        return SendRefusal(f"the plan is {plan.state}", later=True)
    return SendRefusal("the plan is over") if now.timestamp() >= plan.good_until else None


def _account_forbids(db: Connection, row: Row[Any]) -> SendRefusal | None:
    status = db.execute(
        select(accounts.c.status).where(accounts.c.client_key == row.client_key, accounts.c.open_id == row.open_id)
    ).scalar_one_or_none()
    return (
        None
        if status in (AccountStatus.ACTIVE, AccountStatus.NEEDS_CONSENT)
        else SendRefusal(f"the account is {status or 'unknown'}")
    )


def _already_done(db: Connection, row: Row[Any]) -> SendRefusal | None:
    other = db.execute(select(outbox.c.state).where(outbox.c.claim == row.key)).scalar_one_or_none()
    return None if other is None else SendRefusal(f"already sent (a line with the same key is {other})")


def _person_forbids(db: Connection, row: Row[Any], rules: SendingRules) -> SendRefusal | None:
    return (
        SendRefusal("opted out")
        if is_opted_out(db, row.client_key, row.open_id, row.person_open_id, rules.opt_out_at)
        else None
    )


def _caps(db: Connection, row: Row[Any], rules: SendingRules, now: datetime) -> SendRefusal | None:
    if row.plan_id is None:
        return None
    today = (
        (outbox.c.client_key == row.client_key)
        & (outbox.c.claimed_at >= day_start(now))
        & outbox.c.state.in_(DONE)
        & outbox.c.plan_id.is_not(None)
    )
    counted = select(func.count()).select_from(outbox).where(today)
    if rules.per_person_per_day is not None:
        n = db.execute(counted.where(outbox.c.person_open_id == row.person_open_id)).scalar_one()
        if n >= rules.per_person_per_day:
            return SendRefusal(f"{n} messages today; {rules.per_person_per_day} a person and day are allowed")
    if rules.per_account_per_day is not None:
        n = db.execute(counted.where(outbox.c.open_id == row.open_id)).scalar_one()
        if n >= rules.per_account_per_day:
            return SendRefusal(f"the account sent {n} messages today, which is what the campaign allows", later=True)
    return None


def consent_used(db: Connection, app: str, open_id: str, person: str, now: datetime) -> bool:
    """Return whether today's one proactive call to the person was or may have been made."""
    query = select(outbox.c.id).where(
        outbox.c.client_key == app,
        outbox.c.open_id == open_id,
        outbox.c.person_open_id == person,
        outbox.c.scene == Scene.CONSENT.value,
        outbox.c.claimed_at >= day_start(now),
        outbox.c.state.in_(DONE),
    )
    return db.execute(query.limit(1)).first() is not None


def _consent_forbids(db: Connection, row: Row[Any], chat: Chat, now: datetime) -> SendRefusal | None:
    # Without an event, the platform's list of consents counts, as used by the plan; a later event overrides it.
    if chat.consents is False:
        return SendRefusal("the consent was withdrawn")
    if consent_used(db, row.client_key, row.open_id, row.person_open_id, now):
        return SendRefusal("a proactive message was sent today")
    return None


# --------------------------------------------------------------------------- after the call


def finish(
    state: State,
    line_id: int,
    outcome: LineState,
    now: datetime,
    *,
    message_ids: Sequence[str] = (),
    code: int | None = None,
    why: str | None = None,
) -> None:
    """Record the outcome of a claimed line's call: sent, failed or unknown.

    Raises:
        ValueError: the line is not claimed.
    """
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one()
        if row.state == LineState.UNKNOWN and outcome is LineState.SENT:
            pass  # the sender was considered dead, but was only slow
        elif row.state != LineState.CLAIMED:
            raise ValueError(f"line {line_id} is {row.state}, not claimed")
        keep = row.key if outcome in DONE else None
        set_line(
            db,
            line_id,
            state=outcome.value,
            claim=keep,
            ended_at=now.timestamp(),
            message_ids=",".join(message_ids) or None,
            code=code,
            why=why,
        )
        for message_id in message_ids:
            link(db, row.client_key, message_id, line_id)


def release(state: State, line_id: int, why: str) -> None:
    """Return a claimed line to planned: it was certainly not sent and may be retried later."""
    with state.begin() as db:
        set_line(
            db,
            line_id,
            state=LineState.PLANNED.value,
            claim=None,
            claimed_at=None,
            claimed_by=None,
            window_id=None,
            why=why,
        )


def postpone(state: State, line_id: int, why: str) -> None:
    """Record why a planned line was not sent now."""
    with state.begin() as db:
        db.execute(
            update(outbox).where(outbox.c.id == line_id, outbox.c.state == LineState.PLANNED.value).values(why=why)
        )
