"""Sending one text to one channel through apprise.

What comes back says whether it arrived, and if not why, without a secret.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog.alert_kinds import Severity
from resources.config.redaction import guard_loggers, redact, register_secret
from resources.delivery.routes import BadAlerts

if TYPE_CHECKING:
    from apprise import NotifyBase

    from resources.delivery.robots import Answer

_PLAIN_BYTES = 20_000
"""For channels that are no robot of ours (webhooks, mail): enough for a digest, and no channel of apprise takes less but SMS."""
_SECRET_PART = 16
_CAPTURING = threading.Lock()  # apprise's log is that of the process
_SCHEMES = "feishu, lark, dingtalk, wecombot, json, jsons"


@dataclass(frozen=True)
class Open:
    """A channel ready to send. ``limit_bytes`` is the longest text in UTF-8."""

    name: str
    plugin: NotifyBase
    limit_bytes: int

    def send(self, text: str, severity: Severity) -> Answer:
        """Send ``text``, whose first line is its title. Never raises for what the network or the other side does."""
        from resources.delivery.robots import Answer, Robot

        text = shorten(redact(text), self.limit_bytes)
        if isinstance(self.plugin, Robot):
            self.plugin.send(text)
            answer = self.plugin.answer
            return replace(answer, reason=redact(answer.reason))  # a gateway may send back what it was sent
        title, _, body = text.partition("\n")
        with _CAPTURING, _LogCapture() as said:
            ok = bool(self.plugin.notify(body=body or title, title=title, notify_type=_types()[severity]))
        return Answer(ok) if ok else Answer(False, redact(said.last or "apprise could not send it")[:300])


class _LogCapture(logging.Handler):
    """Hears apprise's warnings: its plugins answer True or False and tell the reason to the log only."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()

    def __enter__(self) -> _LogCapture:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *error: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def _types() -> dict:
    from apprise import NotifyType

    return {Severity.INFO: NotifyType.INFO, Severity.WARNING: NotifyType.WARNING, Severity.CRITICAL: NotifyType.FAILURE}


def open_channel(name: str, address: str) -> Open:
    """The channel behind an address; from now on logs hide what is secret in it. Nothing is sent.

    Raises:
        BadAlerts: apprise does not know the scheme, or a part of the address is missing or malformed.
    """
    register_secret(address)
    # httpx and urllib3 log whole addresses, in which token and signature stand.
    guard_loggers("httpx", "httpcore.http11", "httpcore.connection", "apprise", "urllib3.connectionpool")
    from apprise import Apprise
    from apprise.exception import AppriseException

    from resources.delivery.robots import ROBOTS

    scheme = address.partition("://")[0].lower()
    robot = ROBOTS.get(scheme)
    bad = (
        f"channels.{name}: the address cannot be used; its scheme is {scheme!r} ({_SCHEMES}, or another one "
        "of apprise): see docs/alerts.md"
    )
    log = logging.getLogger("apprise")
    # apprise warns of a bad token with the token in it, before anybody could have hidden it.
    before, log.disabled = log.disabled, True
    try:
        if robot is not None:
            parts = robot.parse_url(address)
            plugin = robot(**parts) if parts else None
        else:
            plugin = Apprise.instantiate(address, suppress_exceptions=True)
    except (AppriseException, TypeError) as error:
        raise BadAlerts(f"{bad} ({redact(error)})" if "base must" in str(error) else bad) from None
    finally:
        log.disabled = before
    if not plugin:
        raise BadAlerts(bad)
    for secret in _secrets_of(plugin):
        register_secret(secret)
    return Open(name, plugin, getattr(plugin, "limit_bytes", _PLAIN_BYTES))


def _secrets_of(plugin: NotifyBase) -> list[str]:
    """Parts of the address that are secret: the robots' tokens; of webhooks password, headers, parameters, and long parts of the path."""
    found = list(plugin.secrets()) if hasattr(plugin, "secrets") else []
    found += [getattr(plugin, name, None) for name in ("password", "token", "key", "secret")]
    for name in ("headers", "params"):
        found += list((getattr(plugin, name, None) or {}).values())
    # A short part is a word such as `alerts`, which would be masked wherever it stands.
    found += [part for part in (getattr(plugin, "fullpath", None) or "").split("/") if len(part) >= _SECRET_PART]
    return [f for f in found if isinstance(f, str)]


def shorten(text: str, limit_bytes: int) -> str:
    """``text`` in at most so many bytes of UTF-8, cut between characters, with the sign that something is missing."""
    if len(text.encode()) <= limit_bytes:
        return text
    sign = "\n…"
    return text.encode()[: limit_bytes - len(sign.encode())].decode(errors="ignore").rstrip() + sign
