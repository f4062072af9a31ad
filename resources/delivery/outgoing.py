"""Deliver due alerts: by route, outside quiet hours, as a digest rather than a flood, with retries.

A message counts as delivered once the channel confirmed it. If the process is killed before that is recorded, the
message is sent again: twice is better than never. One process delivers at a time.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock

from catalog.alert_kinds import ABOUT, Severity
from resources.config.redaction import register_secret
from resources.config.settings import Settings
from resources.delivery.delivery import OpenChannel, open_channel
from resources.delivery.messages import digest, one
from resources.delivery.routes import Alerts, BadAlerts, address_of
from resources.state import State
from resources.state.alerts import (
    Alert,
    AlertDelivery,
    channel_state,
    delivered,
    deliveries_of,
    list_alerts,
    messages_since,
    refused,
    unreachable,
)

_log = logging.getLogger(__name__)
_SENT_AFTER_END = timedelta(hours=24)
"""Period after its end in which an undelivered alert is still sent; then it is history (`douyin alerts list`)."""
_STUBBORN = 3
"""Failed attempts after which an alert is sent alone: in a digest the others would be refused with it."""


@dataclass(frozen=True, slots=True)
class DueAlert:
    """An alert due on one channel.

    ``is_new``: report that it began; ``is_over``: report that it is resolved; ``delayed``: quiet hours delayed it.
    """

    alert: Alert
    is_new: bool
    is_over: bool
    delayed: bool
    tries: int


@dataclass
class DeliveryResult:
    """Result of one delivery; ``problems`` are by channel."""

    messages: int = 0
    alerts: int = 0
    waiting: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    nowhere: list[str] = field(default_factory=list)
    """Keys of open alerts that no route matches."""


def deliver(
    state: State, alerts: Alerts, locks_dir: Path, now: datetime, *, environment: Mapping[str, str] | None = None
) -> DeliveryResult:
    """Send each channel its due alerts; those that are not delivered stay due.

    ``environment`` has the addresses of ``env:NAME``; default: the process's environment and ``.env``.
    """
    done = DeliveryResult()
    locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(locks_dir / "alerts.lock"):
        current = list_alerts(state, since=now - _SENT_AFTER_END - timedelta(hours=2))
        deliveries = deliveries_of(state, [a.id for a in current])
        taken = {a.id: alerts.channels_for(a.kind, a.severity, a.tags) for a in current}
        done.nowhere = [a.key for a in current if a.is_open and not taken[a.id]]
        for channel in alerts.channels:
            due = [
                d
                for a in current
                if channel in taken[a.id] and (d := _due(alerts, a, deliveries.get((a.id, channel)), now)) is not None
            ]
            _through(state, alerts, channel, due, now, done, environment)
    return done


def _due(alerts: Alerts, alert: Alert, delivery: AlertDelivery | None, now: datetime) -> DueAlert | None:
    if alert.muted_until is not None and alert.muted_until > now:
        return None
    if delivery is not None and delivery.next_try_at is not None and delivery.next_try_at > now:
        return None
    sent = delivery.sent_at if delivery else None
    about, over_at = ABOUT[alert.kind], alert.resolved_at
    tries = delivery.tries if delivery else 0
    if alert.due_at is not None and (sent is None or sent < alert.due_at):
        if over_at is not None and now - over_at > _SENT_AFTER_END:
            return None
        delayed = alerts.quiet is not None and alerts.quiet.holds(alert.due_at)
        # A hot word that has gone is reported as it was and not as resolved: it was not a fault.
        return DueAlert(alert, True, over_at is not None and about.notify_resolved, delayed, tries)
    # A recurrence within `again_after` continues the same alert: its end is reported only after that time, so that no
    # premature end is reported.
    if (
        over_at is None
        or delivery is None
        or sent is None
        or not (alerts.tell_end and about.notify_resolved)
        or now < over_at + about.again_after
    ):
        return None
    if now - over_at > _SENT_AFTER_END + about.again_after or (
        delivery.ended_at is not None and delivery.ended_at >= over_at
    ):
        return None
    return DueAlert(alert, False, True, alerts.quiet is not None and alerts.quiet.holds(over_at), tries)


def _through(
    state: State,
    alerts: Alerts,
    channel: str,
    due: list[DueAlert],
    now: datetime,
    done: DeliveryResult,
    environment: Mapping[str, str] | None,
) -> None:
    quiet = alerts.quiet
    if quiet is not None and quiet.holds(now):
        passing = [d for d in due if quiet.critical_passes and d.alert.severity is Severity.CRITICAL and d.is_new]
        done.waiting += len(due) - len(passing)
        due = passing
    if not due:
        return
    before = channel_state(state, channel)
    if before.wait_until is not None and before.wait_until > now:
        done.waiting += len(due)
        done.problems[channel] = f"{before.error}; tried again later"
        return
    try:
        opened = open_channel(channel, address_of(alerts, channel, environment))
    except BadAlerts as error:
        done.waiting += len(due)
        done.problems[channel] = str(error)
        return
    left = alerts.channels[channel].per_minute - messages_since(state, channel, now - timedelta(minutes=1))
    for group in _grouped(due, alerts.digest_above):
        if left <= 0:
            done.waiting += len(group)
            continue
        left -= 1
        if not _send(state, alerts, opened, group, now, done):
            left = 0  # the channel is unreachable: the rest waits


def _grouped(due: list[DueAlert], digest_above: int) -> list[list[DueAlert]]:
    """Group due alerts into messages: single alerts, or one digest."""
    alone = [d for d in due if d.tries >= _STUBBORN]
    rest = [d for d in due if d.tries < _STUBBORN]
    if len(rest) > digest_above or (len(rest) > 1 and any(d.delayed for d in rest)):
        return [rest, *([d] for d in alone)]
    return [[d] for d in (*rest, *alone)]


def _send(
    state: State, alerts: Alerts, opened: OpenChannel, group: Sequence[DueAlert], now: datetime, done: DeliveryResult
) -> bool:
    """Send one message and record the result; return False if the channel is unreachable."""
    if len(group) == 1:
        text = one(group[0].alert, alerts.prefix, is_over=group[0].is_over)
    else:
        text = digest([(d.alert, d.is_over) for d in group], alerts.prefix, opened.limit_bytes)
    open_ones = [d.alert.severity for d in group if not d.is_over]
    answer = opened.send(text, max(open_ones, key=list(Severity).index) if open_ones else Severity.INFO)
    if answer.ok:
        wrong, over = [d.alert.id for d in group if d.is_new], [d.alert.id for d in group if d.is_over]
        delivered(state, opened.name, uuid.uuid4().hex, wrong, over, now)
        done.messages += 1
        done.alerts += len(group)
        return True
    _log.warning("alerts could not be delivered to the channel %s: %s", opened.name, answer.reason)
    done.problems[opened.name] = answer.reason
    done.waiting += len(group)
    if answer.refused:
        refused(state, opened.name, [d.alert.id for d in group], answer.reason, now)
        return True
    unreachable(state, opened.name, answer.reason, now, answer.wait)
    return False


def hide_secrets(settings: Settings) -> None:
    """Register the installation's secrets, so that they are masked in every outgoing text."""
    for secret in (
        settings.token_key,
        *(s for app in settings.all_apps for s in (app.client_secret, app.client_secret_old)),
    ):
        for part in (secret.get_secret_value() if secret else "").split(","):
            register_secret(part.strip())
