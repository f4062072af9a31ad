"""Send one text to one channel through apprise.

The result says whether it was delivered, and if not why, without secrets.
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
    from apprise import NotifyBase, NotifyType

    from resources.delivery.robots import SendResult

_PLAIN_BYTES = 20_000
"""Longest text for channels without a robot class (webhooks, mail).

It is enough for a digest, and of apprise's channels only SMS accepts less.
"""
_SECRET_PART = 16
_CAPTURING = threading.Lock()  # the process has one apprise log
_SCHEMES = "feishu, lark, dingtalk, wecombot, json, jsons"


@dataclass(frozen=True)
class OpenChannel:
    """A channel ready to send; ``limit_bytes`` is the longest text in bytes of UTF-8."""

    name: str
    plugin: NotifyBase
    limit_bytes: int

    def send(self, text: str, severity: Severity) -> SendResult:
        """Send ``text``, whose first line is its title; failures are returned, not raised."""
        from resources.delivery.robots import Robot, SendResult

        text = shorten(redact(text), self.limit_bytes)
        if isinstance(self.plugin, Robot):
            self.plugin.send(text)
            answer = self.plugin.answer
            return replace(answer, reason=redact(answer.reason))  # a gateway may echo the request
        title, _, body = text.partition("\n")
        with _CAPTURING, _LogCapture() as said:
            ok = bool(self.plugin.notify(body=body or title, title=title, notify_type=_types()[severity]))
        return SendResult(ok) if ok else SendResult(False, redact(said.last or "apprise could not send it")[:300])


class _LogCapture(logging.Handler):
    """Handler that captures apprise's warnings: its plugins return True or False and only log the reason."""

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


def _types() -> dict[Severity, NotifyType]:
    from apprise import NotifyType

    return {Severity.INFO: NotifyType.INFO, Severity.WARNING: NotifyType.WARNING, Severity.CRITICAL: NotifyType.FAILURE}


def open_channel(name: str, address: str) -> OpenChannel:
    """Open the channel of an address without sending; from now on logs hide the address's secrets.

    Raises:
        BadAlerts: apprise does not know the scheme, or a part of the address is missing or malformed.
    """
    register_secret(address)
    # httpx and urllib3 log whole addresses, which contain token and signature.
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
    # apprise's warning of a bad token contains the token, before it is registered as a secret.
    before, log.disabled = log.disabled, True
    plugin: NotifyBase | None
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
    return OpenChannel(name, plugin, getattr(plugin, "limit_bytes", _PLAIN_BYTES))


def _secrets_of(plugin: NotifyBase) -> list[str]:
    """Return the secret parts of the address.

    These are the robots' tokens; of webhooks the password, headers, parameters, and long parts of the path.
    """
    found = list(plugin.secrets()) if hasattr(plugin, "secrets") else []
    found += [getattr(plugin, name, None) for name in ("password", "token", "key", "secret")]
    for name in ("headers", "params"):
        found += list((getattr(plugin, name, None) or {}).values())
    # A short part is a word such as `alerts`, which would be masked wherever it occurs.
    found += [part for part in (getattr(plugin, "fullpath", None) or "").split("/") if len(part) >= _SECRET_PART]
    return [f for f in found if isinstance(f, str)]


def shorten(text: str, limit_bytes: int) -> str:
    """Truncate ``text`` to ``limit_bytes`` of UTF-8 between characters; an ellipsis marks the cut."""
    if len(text.encode()) <= limit_bytes:
        return text
    sign = "\n…"
    return text.encode()[: limit_bytes - len(sign.encode())].decode(errors="ignore").rstrip() + sign
