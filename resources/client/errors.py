"""Exceptions of failed calls, one class per required reaction; ``catalog.errors`` classifies every code."""

from __future__ import annotations

from typing import Any

from catalog.errors import Action, error_for
from resources.config.redaction import redact


class DouyinError(Exception):
    """Base class of the errors that this package raises deliberately."""


class NotConfigured(DouyinError):
    """A required setting (the app's key or secret, the token key) is missing: nothing was called."""


class CallFailed(DouyinError):
    """A call without a usable response.

    ``calls`` counts the requests made for it, 0 if a circuit breaker refused it. ``reason`` and the message contain no
    secrets.
    """

    def __init__(
        self,
        action: Action,
        code: int | None,
        reason: str,
        *,
        advice: str = "",
        logid: str | None = None,
        operation: str = "",
        open_id: str = "",
        calls: int = 0,
    ) -> None:
        self.action = action
        self.code = code
        self.reason = redact(reason[:_LONGEST_REASON]).replace(
            "\n", "\\n"
        )  # one line, also where the platform sends several
        self.advice = advice
        self.logid = logid
        self.operation = operation
        self.open_id = open_id
        self.calls = calls
        super().__init__(self._text())

    def _text(self) -> str:
        subject = f"{self.operation}" + (f" of {self.open_id}" if self.open_id else "")
        code = f" (code {self.code})" if self.code is not None else ""
        trace = f" [logid {self.logid}]" if self.logid else ""
        advice = f" {self.advice}" if self.advice else ""
        return redact(f"{subject}: {self.reason}{code}{trace}.{advice}")

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {k: getattr(self, k) for k in ("advice", "logid", "operation", "open_id", "calls")}
        return _rebuild, (type(self), self.action, self.code, self.reason, fields)

    def again(self, operation: str, open_id: str) -> CallFailed:
        """Return the same failure for another call, which was refused because of it."""
        return type(self)(
            self.action,
            self.code,
            self.reason,
            advice=self.advice,
            logid=self.logid,
            operation=operation,
            open_id=open_id,
        )


def _rebuild(
    kind: type[CallFailed], action: Action, code: int | None, reason: str, fields: dict[str, Any]
) -> CallFailed:
    return kind(action, code, reason, **fields)


class TransientFailure(CallFailed):
    """A failure that may disappear later; all retries are used up."""


class Unreachable(TransientFailure):
    """No response of the platform: a time-out, a cut connection, HTTP 5xx, or a body that is not its JSON."""


class OutcomeUnknown(CallFailed):
    """A write was sent, and it is unknown whether it was executed; it must not simply be retried."""


class QuotaExhausted(TransientFailure):
    """The day's calls of the scope are used up."""


class PermanentFailure(CallFailed):
    """A failure that a retry would repeat."""


class Skipped(PermanentFailure):
    """The requested object has no data for this app."""


class ConsentNeeded(PermanentFailure):
    """The account's owner must authorise again, for all scopes or for this one."""


class CapabilityUnavailable(PermanentFailure):
    """The app does not own the capability, or it is withdrawn."""


class AccountStopped(PermanentFailure):
    """The account is deregistered, banned, or was stopped by a person."""


class AppStopped(PermanentFailure):
    """The app's key or secret is wrong, or the app is banned."""


class NeedsAttention(PermanentFailure):
    """An error of this program or an unknown code, which a person must look at."""


class PagingError(CallFailed):
    """A listing that may be incomplete; its pages so far are valid and archived."""


_KINDS: dict[Action, type[CallFailed]] = {
    Action.RETRY: TransientFailure,
    Action.SLOW_DOWN: TransientFailure,
    Action.QUOTA: QuotaExhausted,
    Action.SKIP: Skipped,
    Action.REFRESH: ConsentNeeded,  # only after a refreshed token was refused as well
    Action.RECONSENT: ConsentNeeded,
    Action.DISABLE: CapabilityUnavailable,
    Action.STOP_ACCOUNT: AccountStopped,
    Action.STOP_APP: AppStopped,
    Action.ALERT: NeedsAttention,
}

_LONGEST_TEXT = 200
"""Number of characters kept of the platform's own text."""
_LONGEST_REASON = 1000


def said_of(description: str) -> str:
    """Shorten the platform's own text to the length that is kept."""
    return description[:_LONGEST_TEXT]


def failure(
    code: int,
    said: str,
    *,
    logid: str | None,
    operation: str,
    open_id: str = "",
    calls: int,
    action: Action | None = None,
) -> CallFailed:
    """Create the exception for a platform code.

    ``said`` is the platform's description; ``action`` overrides the catalogue's.
    """
    known = error_for(code)
    what = action or known.action
    reason = known.meaning if not said or said == known.meaning else f"{known.meaning}; platform: {said_of(said)!r}"
    return _KINDS[what](
        what, code, reason, advice=known.advice, logid=logid, operation=operation, open_id=open_id, calls=calls
    )
