"""Store alerts by key with their deliveries, so that no notification is lost or sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from catalog.alert_kinds import ABOUT, AlertCondition, AlertKind, Severity
from resources.delivery.texts import scrubbed
from resources.state.engine import State
from resources.state.tables import alert_channels, alert_deliveries, alerts

_ORDER = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
_LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT = timedelta(minutes=1)

Repeat = Callable[[AlertKind], timedelta | None]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; channels that were not notified since ``due_at`` must be notified."""

    id: int
    key: str
    kind: AlertKind
    severity: Severity
    stage: str
    title: str
    zh: str
    en: str
    todo: str
    tags: frozenset[str]
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    due_at: datetime | None
    times: int
    muted_until: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the alert is not resolved."""
        return self.resolved_at is None


@dataclass(frozen=True, slots=True)
class AlertDelivery:
    """Progress of delivering one alert to one channel."""

    alert_id: int
    channel: str
    sent_at: datetime | None
    ended_at: datetime | None
    tries: int
    next_try_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """Until when a channel must not be used, and why."""

    channel: str
    tries: int
    wait_until: datetime | None
    error: str | None


def observe(
    state: State, found: Iterable[AlertCondition], looked_at: Iterable[AlertKind], now: datetime, repeat: Repeat
) -> None:
    """Open or update alerts for the conditions ``found`` now, and resolve those no longer found.

    Only open alerts of the checked kinds ``looked_at`` are resolved; a kind that could not be checked stays unchanged.
    ``repeat`` gives the time after which a lasting alert of a kind is due again, None for never.

    Raises:
        ValueError: a condition is of a kind that is not in ``looked_at``.
    """
    wrong = {f.key: f for f in found}
    kinds = {str(k) for k in looked_at}
    if strange := {f.key for f in wrong.values() if str(f.kind) not in kinds}:
        raise ValueError(f"found and not looked at: {', '.join(sorted(strange))}")
    with state.begin() as db:
        for one in wrong.values():
            _raise(db, one, now, repeat(one.kind), again=False)
        still = select(alerts).where(alerts.c.resolved_at.is_(None), alerts.c.kind.in_(kinds))
        for row in db.execute(still).all():
            if row.key not in wrong:
                _resolve(db, row, now)


def happened(state: State, found: AlertCondition, now: datetime, repeat: Repeat) -> None:
    """Record an event, such as a failed run: its alert stays open until :func:`resolve`, and counts occurrences."""
    with state.begin() as db:
        _raise(db, found, now, repeat(found.kind), again=True)


def resolve(state: State, key: str, now: datetime) -> bool:
    """Resolve the alert with this key; return whether it was open."""
    with state.begin() as db:
        row = db.execute(select(alerts).where(alerts.c.key == key, alerts.c.resolved_at.is_(None))).one_or_none()
        if row is not None:
            _resolve(db, row, now)
    return row is not None


def _raise(db: Connection, found: AlertCondition, now: datetime, repeat: timedelta | None, *, again: bool) -> None:
    found, at = scrubbed(found), now.timestamp()
    said = {
        "severity": str(found.severity),
        "stage": found.stage,
        "title": found.title,
        "zh": found.zh,
        "en": found.en,
        "todo": found.todo,
        "tags": " ".join(sorted(found.tags)),
        "last_at": at,
    }
    row = db.execute(select(alerts).where(alerts.c.key == found.key)).one_or_none()
    if row is None:
        first = {"key": found.key, "kind": str(found.kind), "first_at": at, "due_at": at, "times": 1}
        db.execute(insert(alerts).values(said | first))
        return
    changed = found.stage != row.stage or _ORDER.index(found.severity) > _ORDER.index(Severity(row.severity))
    values = dict(said)
    if row.resolved_at is not None and at - row.resolved_at > ABOUT[found.kind].again_after.total_seconds():
        values |= {"first_at": at, "resolved_at": None, "due_at": at, "times": row.times + 1}
    else:
        values |= {"resolved_at": None, "times": row.times + again}
        if (
            changed
            or row.due_at is None
            or (repeat is not None and _notified_before(db, row, at - repeat.total_seconds()))
        ):
            values["due_at"] = at
    db.execute(update(alerts).where(alerts.c.id == row.id).values(values))


def _notified_before(db: Connection, row: Row[Any], instant: float) -> bool:
    """Return whether the last notification since the alert was due was sent before ``instant``."""
    last = db.execute(
        select(func.max(alert_deliveries.c.sent_at)).where(alert_deliveries.c.alert_id == row.id)
    ).scalar_one_or_none()
    return last is not None and last >= (row.due_at or 0.0) and last <= instant


def _resolve(db: Connection, row: Row[Any], now: datetime) -> None:
    muted = row.muted_until is not None and row.muted_until > now.timestamp()
    values: dict[str, object] = {"resolved_at": now.timestamp()} | ({"due_at": None} if muted else {})
    db.execute(update(alerts).where(alerts.c.id == row.id).values(values))


def mute(state: State, which: str, until: datetime) -> Alert:
    """Suppress notifications of the alert with this key or number until an instant.

    Raises:
        LookupError: there is no such alert.
    """
    with state.begin() as db:
        same = alerts.c.key == which
        number = which.removeprefix("#")
        if number.isdigit():
            same = same | (alerts.c.id == int(number))
        found = db.execute(select(alerts.c.id).where(same)).scalar_one_or_none()
        if found is None:
            raise LookupError(f"there is no alert {which}: see `douyin alerts list`")
        db.execute(update(alerts).where(alerts.c.id == found).values(muted_until=until.timestamp()))
        return _alert(db.execute(select(alerts).where(alerts.c.id == found)).one())


def list_alerts(
    state: State, *, since: datetime | None = None, kinds: Iterable[AlertKind] | None = None
) -> list[Alert]:
    """Return open alerts and those resolved after ``since``, if given: open, severe and new ones first."""
    over: ColumnElement[bool] = alerts.c.resolved_at.is_(None)
    if since is not None:
        over = over | (alerts.c.resolved_at > since.timestamp())
    query = select(alerts).where(over)
    if kinds is not None:
        query = query.where(alerts.c.kind.in_([str(k) for k in kinds]))
    with state.read() as db:
        found = [_alert(row) for row in db.execute(query)]
    return sorted(found, key=lambda a: (not a.is_open, -_ORDER.index(a.severity), -a.first_at.timestamp(), a.key))


def deliveries_of(state: State, ids: Iterable[int]) -> dict[tuple[int, str], AlertDelivery]:
    """Return the deliveries of alerts, by number of the alert and name of the channel."""
    query = select(alert_deliveries).where(alert_deliveries.c.alert_id.in_(list(ids)))
    with state.read() as db:
        return {
            (row.alert_id, row.channel): AlertDelivery(
                row.alert_id,
                row.channel,
                _at(row.sent_at),
                _at(row.ended_at),
                row.tries,
                _at(row.next_try_at),
                row.error,
            )
            for row in db.execute(query)
        }


def channel_state(state: State, channel: str) -> ChannelState:
    """Return the state of a channel; one without failures if it is unknown."""
    with state.read() as db:
        row = db.execute(select(alert_channels).where(alert_channels.c.channel == channel)).one_or_none()
    return (
        ChannelState(channel, 0, None, None)
        if row is None
        else ChannelState(channel, row.tries, _at(row.wait_until), row.error)
    )


def messages_since(state: State, channel: str, instant: datetime) -> int:
    """Count the messages sent through a channel since ``instant``; a digest is one."""
    c = alert_deliveries.c
    newer = (c.sent_at > instant.timestamp()) | (c.ended_at > instant.timestamp())
    with state.read() as db:
        return db.execute(select(func.count(func.distinct(c.message))).where(c.channel == channel, newer)).scalar_one()


def delivered(
    state: State, channel: str, message: str, wrong: Iterable[int], over: Iterable[int], now: datetime
) -> None:
    """Record a delivered message: ``wrong`` alerts were reported as open, ``over`` as resolved; one may be both."""
    at, over = now.timestamp(), set(over)
    notified: dict[int, dict[str, object]] = {number: {"sent_at": at} for number in wrong}
    for number in over:
        notified.setdefault(number, {})["ended_at"] = at
    with state.begin() as db:
        for number, values in notified.items():
            _put(db, number, channel, values | {"message": message, "tries": 0, "next_try_at": None, "error": None})
        db.execute(
            update(alert_channels)
            .where(alert_channels.c.channel == channel)
            .values(tries=0, wait_until=None, error=None)
        )


def refused(state: State, channel: str, ids: Iterable[int], reason: str, now: datetime) -> None:
    """Record that the channel refused a message: it is retried later, and others may be sent before."""
    with state.begin() as db:
        for number in ids:
            row = db.execute(_delivery(number, channel)).one_or_none()
            tries = (row.tries if row else 0) + 1
            _put(
                db,
                number,
                channel,
                {"tries": tries, "next_try_at": (now + back_off(tries)).timestamp(), "error": reason},
            )


def unreachable(state: State, channel: str, reason: str, now: datetime, wait: timedelta) -> None:
    """Record that a channel is unreachable: all its messages wait, at least for ``wait``."""
    with state.begin() as db:
        row = db.execute(select(alert_channels).where(alert_channels.c.channel == channel)).one_or_none()
        tries = (row.tries if row else 0) + 1
        values = {"tries": tries, "wait_until": (now + max(wait, back_off(tries))).timestamp(), "error": reason}
        if row is None:
            db.execute(insert(alert_channels).values(channel=channel, **values))
        else:
            db.execute(update(alert_channels).where(alert_channels.c.channel == channel).values(values))


def back_off(tries: int) -> timedelta:
    """Return the wait after ``tries`` failures: 1, 2, 4 … 60 minutes."""
    wait: timedelta = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(tries - 1, 10))
    return wait


def _delivery(number: int, channel: str) -> Select[Any]:
    return select(alert_deliveries).where(alert_deliveries.c.alert_id == number, alert_deliveries.c.channel == channel)


def _put(db: Connection, number: int, channel: str, values: dict[str, object]) -> None:
    key = (alert_deliveries.c.alert_id == number) & (alert_deliveries.c.channel == channel)
    if db.execute(update(alert_deliveries).where(key).values(values)).rowcount == 0:
        db.execute(insert(alert_deliveries).values({"alert_id": number, "channel": channel, "tries": 0} | values))


def _at(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        row.id,
        row.key,
        AlertKind(row.kind),
        Severity(row.severity),
        row.stage,
        row.title,
        row.zh,
        row.en,
        row.todo,
        frozenset(row.tags.split()),
        datetime.fromtimestamp(row.first_at, UTC),
        datetime.fromtimestamp(row.last_at, UTC),
        _at(row.resolved_at),
        _at(row.due_at),
        row.times,
        _at(row.muted_until),
    )
