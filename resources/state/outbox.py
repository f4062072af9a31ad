"""The ledger of everything that is written to the platform: claimed before the call, ended after it, never done twice.

A line is claimed in the transaction that checks every limit, so two senders cannot both find room in a window. While a line
is claimed, sent or unknown, its ``key`` stands in a unique column: a second line with the same key cannot be claimed. A line
whose sender died, or whose call came back without an answer, is unknown: it is never sent again, but found in the events of
our own messages, or shown to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, insert, or_, select, update

from catalog.messages import SCENES, Scene
from catalog.records import BEIJING, beijing_day
from resources.pending import is_dead, this_process
from resources.state.accounts import AccountStatus
from resources.state.chats import Chat, Window, read_chat
from resources.state.engine import State, accounts, outbox, plans, sent_messages
from resources.state.people import is_opted_out


class LineState(StrEnum):
    """What became of a line."""

    PLANNED = "planned"
    BLOCKED = "blocked"  # will not be sent, and why
    CONTROL = "control"  # left out on purpose, to compare with
    CLAIMED = "claimed"  # a sender is at it
    SENT = "sent"
    FAILED = "failed"  # the platform refused it
    UNKNOWN = "unknown"  # nobody knows whether it was sent
    NOT_SENT = "not_sent"  # a person found out that it was not


DONE = (LineState.CLAIMED, LineState.SENT, LineState.UNKNOWN)
"""States that count: what may have been sent was sent, as far as limits go."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What sending obeys besides the platform's own limits. ``quiet`` is from and until, Beijing times of day."""

    per_person_per_day: int | None = None
    per_account_per_day: int | None = None
    quiet: tuple[time, time] | None = None

    def is_quiet(self, now: datetime) -> bool:
        if self.quiet is None:
            return False
        first, last = self.quiet
        at = now.astimezone(BEIJING).time()
        return first <= at < last if first <= last else at >= first or at < last

    def to_json(self) -> str:
        quiet = self.quiet and [t.strftime("%H:%M") for t in self.quiet]
        return orjson.dumps({"per_person_per_day": self.per_person_per_day, "per_account_per_day": self.per_account_per_day, "quiet": quiet}).decode()

    @classmethod
    def from_json(cls, text: str) -> Rules:
        given = orjson.loads(text)
        quiet = given.pop("quiet")
        return cls(quiet=quiet and tuple(time.fromisoformat(t) for t in quiet), **given)


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be written. ``request`` are the operation's parameters without the account, and without what the window gives."""

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
class Line:
    """A line of the ledger, without its content."""

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


@dataclass(frozen=True, slots=True)
class Claimed:
    """A line that this process, and no other, may send now. ``params`` are those of the call."""

    line: Line
    params: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that must not be sent now; ``later`` where that may change."""

    why: str
    later: bool = False


def write_lines(state: State, lines: Iterable[NewLine], now: datetime) -> list[int]:
    """Put lines into the ledger, their content sealed; gives their numbers."""
    with state.begin() as db:
        return insert_lines(state, db, lines, now)


def insert_lines(state: State, db: Connection, lines: Iterable[NewLine], now: datetime) -> list[int]:
    """The same within a transaction."""
    return [
        db.execute(
            insert(outbox).values(
                plan_id=line.plan_id, operation=line.operation, campaign=line.campaign, client_key=line.client_key, open_id=line.open_id,
                person_open_id=line.person_open_id, reason=line.reason, scene=line.scene and line.scene.value, messages=line.messages,
                request=state.vault.seal(orjson.dumps(line.request).decode()), fingerprint=line.fingerprint, state=line.state.value, why=line.why,
                key=line.key, planned_at=now.timestamp(),
            )
        ).inserted_primary_key[0]
        for line in lines
    ]  # fmt: skip


# --------------------------------------------------------------------------- before the call


def claim(state: State, line_id: int, rules: Rules, now: datetime) -> Claimed | Refused:
    """Check everything that sending obeys, at this moment, and take the line; all in one transaction.

    What can never be sent any more is blocked for good; what only must wait stays planned.
    """
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one()
        if row.state != LineState.PLANNED:
            return Refused(f"it is {row.state} already")
        verdict, params, window = _look(state, db, row, rules, now)
        if verdict is not None:
            if not verdict.later:
                _set(db, line_id, state=LineState.BLOCKED.value, why=verdict.why, ended_at=now.timestamp())
            return verdict
        _set(
            db, line_id, state=LineState.CLAIMED.value, claim=row.key, claimed_at=now.timestamp(), claimed_by=this_process(), why=None,
            window_id=window and window.message_id,
        )  # fmt: skip
        return Claimed(_line(db.execute(select(outbox).where(outbox.c.id == line_id)).one()), params)


def _look(state: State, db: Connection, row: Row, rules: Rules, now: datetime) -> tuple[Refused | None, dict[str, Any], Window | None]:
    params = orjson.loads(state.vault.open(row.request))
    for why in (
        _plan_forbids(db, row, now), _account_forbids(db, row), _already_done(db, row), _person_forbids(db, row),
        Refused("quiet hours", later=True) if rules.is_quiet(now) else None, _caps(db, row, rules, now),
    ):  # fmt: skip
        if why is not None:
            return why, params, None
    if row.scene not in (Scene.REPLY, Scene.ENTER, Scene.CONSENT):
        return None, params, None
    scene = Scene(row.scene)
    chat = read_chat(db, row.client_key, row.open_id, row.person_open_id)
    if scene is Scene.CONSENT:
        return _consent_forbids(db, row, chat, now), {**params, "scene": scene.value}, None
    window = chat.reply if scene is Scene.REPLY else chat.entry
    if (why := window_forbids(db, row.client_key, window, row.messages, now)) is not None:
        return why, params, None
    return None, {**params, "scene": scene.value, "msg_id": window.message_id, "conversation_id": window.conversation_id}, window


def window_forbids(db: Connection, app: str, window: Window | None, messages: int, now: datetime) -> Refused | None:
    """Whether so many messages do not fit into a window any more."""
    if window is None or now >= window.closes_at:
        return Refused("no window is open")
    used = db.execute(
        select(func.coalesce(func.sum(outbox.c.messages), 0)).where(
            outbox.c.client_key == app, outbox.c.window_id == window.message_id, outbox.c.state.in_(DONE)
        )
    ).scalar_one()
    most = SCENES[window.scene].messages or 0
    return Refused(f"the window takes {most} messages, {used} were sent") if used + messages > most else None


def _plan_forbids(db: Connection, row: Row, now: datetime) -> Refused | None:
    if row.plan_id is None:
        return None
    plan = db.execute(select(plans).where(plans.c.id == row.plan_id)).one()
    if plan.state != "approved":
        return Refused(f"the plan is {plan.state}", later=True)
    return Refused("the plan is over") if now.timestamp() >= plan.good_until else None


def _account_forbids(db: Connection, row: Row) -> Refused | None:
    status = db.execute(select(accounts.c.status).where(accounts.c.client_key == row.client_key, accounts.c.open_id == row.open_id)).scalar_one_or_none()
    return None if status in (AccountStatus.ACTIVE, AccountStatus.NEEDS_CONSENT) else Refused(f"the account is {status or 'unknown'}")


def _already_done(db: Connection, row: Row) -> Refused | None:
    other = db.execute(select(outbox.c.state).where(outbox.c.claim == row.key)).scalar_one_or_none()
    return None if other is None else Refused(f"already sent (a line with the same key is {other})")


def _person_forbids(db: Connection, row: Row) -> Refused | None:
    return Refused("opted out") if is_opted_out(db, row.client_key, row.open_id, row.person_open_id) else None


def day_start(now: datetime) -> float:
    """Epoch seconds of the beginning of the Beijing day."""
    return datetime.combine(beijing_day(now), time(), BEIJING).timestamp()


def _caps(db: Connection, row: Row, rules: Rules, now: datetime) -> Refused | None:
    if row.plan_id is None:
        return None
    today = (outbox.c.client_key == row.client_key) & (outbox.c.claimed_at >= day_start(now)) & outbox.c.state.in_(DONE) & outbox.c.plan_id.is_not(None)
    counted = select(func.count()).select_from(outbox).where(today)
    if rules.per_person_per_day is not None:
        n = db.execute(counted.where(outbox.c.person_open_id == row.person_open_id)).scalar_one()
        if n >= rules.per_person_per_day:
            return Refused(f"{n} messages today; {rules.per_person_per_day} a person and day are allowed")
    if rules.per_account_per_day is not None:
        n = db.execute(counted.where(outbox.c.open_id == row.open_id)).scalar_one()
        if n >= rules.per_account_per_day:
            return Refused(f"the account sent {n} messages today, which is what the campaign allows", later=True)
    return None


def consent_used(db: Connection, app: str, open_id: str, person: str, now: datetime) -> bool:
    """Whether today's one proactive call to the person was made."""
    query = select(outbox.c.id).where(
        outbox.c.client_key == app, outbox.c.open_id == open_id, outbox.c.person_open_id == person, outbox.c.scene == Scene.CONSENT.value,
        outbox.c.claimed_at >= day_start(now), outbox.c.state.in_(DONE),
    )  # fmt: skip
    return db.execute(query.limit(1)).first() is not None


def _consent_forbids(db: Connection, row: Row, chat: Chat, now: datetime) -> Refused | None:
    # A plan trusts the platform's list of consents where no event told; an event since then counts more.
    if chat.consents is False:
        return Refused("the consent was withdrawn")
    if consent_used(db, row.client_key, row.open_id, row.person_open_id, now):
        return Refused("a proactive message was sent today")
    return None


# --------------------------------------------------------------------------- after the call


def finish(
    state: State, line_id: int, outcome: LineState, now: datetime, *, message_ids: Sequence[str] = (), code: int | None = None, why: str | None = None
) -> None:
    """Write down how the call of a claimed line ended: sent, failed or unknown.

    Raises:
        ValueError: the line is not claimed.
    """
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one()
        if row.state == LineState.UNKNOWN and outcome is LineState.SENT:
            pass  # it was taken for dead, and was only slow
        elif row.state != LineState.CLAIMED:
            raise ValueError(f"line {line_id} is {row.state}, not claimed")
        keep = row.key if outcome in DONE else None
        _set(
            db, line_id, state=outcome.value, claim=keep, ended_at=now.timestamp(), message_ids=",".join(message_ids) or None, code=code, why=why,
        )  # fmt: skip
        for message_id in message_ids:
            _link(db, row.client_key, message_id, line_id)


def release(state: State, line_id: int, why: str) -> None:
    """Give a claimed line back: it was certainly not sent, and may be tried later."""
    with state.begin() as db:
        _set(db, line_id, state=LineState.PLANNED.value, claim=None, claimed_at=None, claimed_by=None, window_id=None, why=why)


def _link(db: Connection, app: str, message_id: str, line_id: int) -> None:
    """The event of a message belongs to this line; where it was taken for another's by its looks, that one is unknown again."""
    key = (sent_messages.c.client_key == app) & (sent_messages.c.message_id == message_id)
    event = db.execute(select(sent_messages).where(key)).one_or_none()
    if event is None:
        return
    if event.outbox_id not in (None, line_id):
        other = event.outbox_id
        _set(db, other, state=LineState.UNKNOWN.value, delivered_at=None, message_ids=None, resolved_by=None, why="its event belongs to another message")
        db.execute(update(sent_messages).where(sent_messages.c.outbox_id == other).values(outbox_id=None))
    db.execute(update(sent_messages).where(key).values(outbox_id=line_id))
    _set(db, line_id, delivered_at=event.sent_at)


def note_sent(
    db: Connection, app: str, open_id: str, person: str, at: float, message_id: str, conversation_id: str, looks: str, *, by_us: bool
) -> bool:
    """An event says that the account sent a message; tells whether it was written by hand, or by another app."""
    known = db.execute(select(sent_messages.c.message_id).where(sent_messages.c.client_key == app, sent_messages.c.message_id == message_id)).first()
    if known is None:
        db.execute(
            insert(sent_messages).values(
                client_key=app, message_id=message_id, open_id=open_id, person_open_id=person, conversation_id=conversation_id, fingerprint=looks,
                by_us=int(by_us), sent_at=at,
            )
        )  # fmt: skip
    lines = db.execute(
        select(outbox.c.id, outbox.c.message_ids).where(
            outbox.c.client_key == app, outbox.c.open_id == open_id, outbox.c.person_open_id == person, outbox.c.message_ids.is_not(None)
        )
    ).all()
    mine = next((line.id for line in lines if message_id in line.message_ids.split(",")), None)
    if mine is not None:
        _link(db, app, message_id, mine)
        return False
    return not by_us


def recover(state: State, now: datetime) -> list[Line]:
    """Lines whose sender died are unknown; gives them."""
    with state.begin() as db:
        rows = db.execute(select(outbox).where(outbox.c.state == LineState.CLAIMED.value)).all()
        dead = [r.id for r in rows if r.claimed_by is None or is_dead(r.claimed_by)]
        for line_id in dead:
            _set(db, line_id, state=LineState.UNKNOWN.value, ended_at=now.timestamp(), why="the sender died before it knew the answer")
        return [_line(r) for r in db.execute(select(outbox).where(outbox.c.id.in_(dead))).all()]


_SKEW_S = 5.0
"""An event may be dated so much before the call that caused it: clocks differ."""


def resolve(state: State, now: datetime) -> list[Line]:
    """Find unknown messages among the events of our own messages: same account, person and looks, not older than the call.

    Each event stands for one message. While a call to the same person is under way nothing is decided: its event may be the
    one that is found. Gives the lines that were found.
    """
    found = []
    with state.begin() as db:
        unknown = db.execute(
            select(outbox).where(outbox.c.state == LineState.UNKNOWN.value, outbox.c.operation == "im_send_msg").order_by(outbox.c.claimed_at)
        ).all()
        for row in unknown:
            same = (outbox.c.client_key == row.client_key) & (outbox.c.open_id == row.open_id) & (outbox.c.person_open_id == row.person_open_id)
            if db.execute(select(outbox.c.id).where(same, outbox.c.state == LineState.CLAIMED.value)).first():
                continue
            events = db.execute(
                select(sent_messages)
                .where(
                    sent_messages.c.client_key == row.client_key, sent_messages.c.open_id == row.open_id,
                    sent_messages.c.person_open_id == row.person_open_id, sent_messages.c.by_us == 1, sent_messages.c.outbox_id.is_(None),
                    sent_messages.c.sent_at >= row.claimed_at - _SKEW_S,
                )
                .order_by(sent_messages.c.sent_at)
            ).all()  # fmt: skip
            matched = []
            for looks in row.fingerprint.split(","):
                if (event := next((e for e in events if e.fingerprint == looks and e not in matched), None)) is not None:
                    matched.append(event)
            if not matched:
                continue
            why = None if len(matched) == row.messages else f"{len(matched)} of {row.messages} messages were seen"
            _set(
                db, row.id, state=LineState.SENT.value, delivered_at=matched[0].sent_at, message_ids=",".join(e.message_id for e in matched),
                resolved_by="event", why=why,
            )  # fmt: skip
            for event in matched:
                db.execute(
                    update(sent_messages)
                    .where(sent_messages.c.client_key == row.client_key, sent_messages.c.message_id == event.message_id)
                    .values(outbox_id=row.id)
                )
            found.append(row.id)
        return [_line(r) for r in db.execute(select(outbox).where(outbox.c.id.in_(found))).all()]


def settle(state: State, line_id: int, *, was_sent: bool, by: str, now: datetime) -> None:
    """A person found out what became of an unknown line.

    Raises:
        LookupError: there is no such line, or it is not unknown.
    """
    with state.begin() as db:
        row = db.execute(select(outbox).where(outbox.c.id == line_id)).one_or_none()
        if row is None or row.state != LineState.UNKNOWN:
            raise LookupError(f"line {line_id} is {'not there' if row is None else row.state}, not unknown")
        outcome = LineState.SENT if was_sent else LineState.NOT_SENT
        _set(db, line_id, state=outcome.value, claim=row.key if was_sent else None, resolved_by=by, ended_at=now.timestamp())


# --------------------------------------------------------------------------- reading


def get_line(state: State, line_id: int) -> Line:
    with state.read() as db:
        return _line(db.execute(select(outbox).where(outbox.c.id == line_id)).one())


def read_lines(
    state: State, *, plan_id: int | None = None, states: Iterable[LineState] | None = None, client_keys: Iterable[str] | None = None,
    key: str | None = None, person: str | None = None,
) -> list[Line]:
    """Lines in the order in which they were written."""
    query = select(outbox).order_by(outbox.c.id)
    if plan_id is not None:
        query = query.where(outbox.c.plan_id == plan_id)
    if states is not None:
        query = query.where(outbox.c.state.in_([s.value for s in states]))
    if client_keys is not None:
        query = query.where(outbox.c.client_key.in_(list(client_keys)))
    if key is not None:
        query = query.where(outbox.c.key == key)
    if person is not None:
        query = query.where(outbox.c.person_open_id == person)
    with state.read() as db:
        return [_line(row) for row in db.execute(query)]


def request_of(state: State, line_id: int) -> dict[str, Any]:
    """What a line says; not for logs."""
    with state.read() as db:
        return orjson.loads(state.vault.open(db.execute(select(outbox.c.request).where(outbox.c.id == line_id)).scalar_one()))


def keys_done(db: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the keys that are claimed, sent or unknown."""
    wanted, found = list(keys), set()
    for i in range(0, len(wanted), 500):
        found |= set(db.execute(select(outbox.c.claim).where(outbox.c.claim.in_(wanted[i : i + 500]))).scalars())
    return found


def sent_today(db: Connection, app: str, people: Iterable[str], now: datetime) -> dict[str, int]:
    """Messages of campaigns that each person got on this Beijing day."""
    wanted, found = list(people), {}
    for i in range(0, len(wanted), 500):
        query = (
            select(outbox.c.person_open_id, func.count())
            .where(
                outbox.c.client_key == app, outbox.c.person_open_id.in_(wanted[i : i + 500]), outbox.c.claimed_at >= day_start(now),
                outbox.c.state.in_(DONE), outbox.c.plan_id.is_not(None),
            )
            .group_by(outbox.c.person_open_id)
        )  # fmt: skip
        found |= dict(db.execute(query).tuples().all())
    return found


def answers_since(db: Connection, app: str, open_id: str, person: str, since: datetime) -> int:
    """Answers that the reply worker gave, or may have given, to a person since an instant."""
    query = select(func.count()).select_from(outbox).where(
        outbox.c.client_key == app, outbox.c.open_id == open_id, outbox.c.person_open_id == person, outbox.c.plan_id.is_(None),
        outbox.c.claimed_at >= since.timestamp(), or_(outbox.c.state.in_(DONE), outbox.c.state == LineState.PLANNED.value),
    )  # fmt: skip
    return db.execute(query).scalar_one()


def _set(db: Connection, line_id: int, **values: object) -> None:
    db.execute(update(outbox).where(outbox.c.id == line_id).values(**values))


def _instant(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _line(row: Row) -> Line:
    return Line(
        row.id, row.plan_id, row.operation, row.campaign, row.client_key, row.open_id, row.person_open_id, row.reason,
        None if row.scene is None else Scene(row.scene), row.window_id, row.messages, LineState(row.state), row.why, row.code, row.key,
        datetime.fromtimestamp(row.planned_at, UTC), _instant(row.claimed_at), _instant(row.ended_at), _instant(row.delivered_at),
        tuple(row.message_ids.split(",")) if row.message_ids else (), row.resolved_by,
    )  # fmt: skip


