"""Define every error code of the platform and the one action that follows.

Source: contract/GUIDE.md section 4. An unlisted code is treated as ``ALERT`` after at most two retries: the response is
kept in the archive and the operator is alerted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What to do after a response."""

    ACCEPT = "accept"
    RETRY = "retry"  # retry with back-off and jitter
    SLOW_DOWN = "slow_down"  # halve the rate, wait minutes, then retry
    REFRESH = "refresh"  # refresh the token and retry once
    RECONSENT = "reconsent"  # the account's owner must authorise again
    SKIP = "skip"  # this object has no data for us
    QUOTA = "wait_for_quota"  # no further calls of this scope until the quota resets
    DISABLE = "disable"  # the app does not own the capability, or it is withdrawn
    STOP_ACCOUNT = "stop_account"  # the account is deregistered or banned
    STOP_APP = "stop_app"  # the app's key or secret is wrong, or the app is banned
    ALERT = "alert"  # our own mistake, or unknown: stop this job and alert the operator


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One error code. ``tries`` counts all attempts that the action allows, the first included."""

    code: int
    action: Action
    meaning: str
    advice: str
    tries: int = 1


_RETRY_ADVICE = "Nothing to do: it is requested again, by the next schedule at the latest."
_ADVICE = {
    Action.RETRY: _RETRY_ADVICE,
    Action.SLOW_DOWN: "Lower DOUYIN_QPS if it happens often; the rate was halved for this run.",
    Action.REFRESH: "Nothing to do: the token is refreshed and the call made once more.",
    Action.RECONSENT: "Ask the account's owner to authorise again: `douyin authorize`.",
    Action.SKIP: "Nothing to do: this object has no data for us.",
    Action.QUOTA: "Wait for the quota to reset (assumed 00:00 Beijing), or apply for more in the console.",
    Action.DISABLE: "Check in the platform's console which capabilities the app owns; withdrawn ones cannot be had.",
    Action.STOP_ACCOUNT: "The account is closed or banned: remove it.",
    Action.STOP_APP: "Check DOUYIN_CLIENT_KEY and DOUYIN_CLIENT_SECRET and the app's state in the console.",
    Action.ALERT: "Report it with its logid: the request was wrong, or the code is new.",
}


def _codes(action: Action, tries: int, *pairs: tuple[int, str], advice: str | None = None) -> list[ErrorCode]:
    return [ErrorCode(code, action, meaning, advice or _ADVICE[action], tries) for code, meaning in pairs]


_CODES = [
    ErrorCode(0, Action.ACCEPT, "success", ""),
    *_codes(
        Action.RETRY, 5,
        (28001005, "system busy"), (28001006, "network error"), (2100004, "system busy"), (10001, "system error"),
        (28003018, "too frequent"),
    ),
    *_codes(
        Action.REFRESH, 2,
        (28001003, "access token invalid"), (2190002, "access token invalid"), (10008, "access token invalid"),
        (28001008, "access token expired"), (2190008, "access token expired"),
    ),
    *_codes(
        Action.RECONSENT, 1,
        (10010, "refresh token expired"), (10007, "authorization code expired or used"), (10020, "renewals used up, or token endpoint called too often"),
        (28001012, "the account has not authorised this capability"), (2190003, "the account has not authorised this capability"),
    ),
    *_codes(
        Action.DISABLE, 1,
        (28001014, "the app lacks the capability"), (28001018, "the app lacks the capability"), (2190004, "the app lacks the capability"),
        (28001019, "capability banned or offline"), (28001056, "API offline"), (28001017, "unknown address"),
    ),
    *_codes(
        Action.STOP_APP, 1,
        (28001016, "app banned"), (29002002, "client key or secret wrong"), (10003, "client key wrong"),
        (10013, "client secret or key wrong"), (10014, "client key mismatch"),
    ),
    *_codes(Action.STOP_ACCOUNT, 1, (28001045, "account deregistered"), (28001046, "account banned"), (2100009, "account banned or deregistered")),
    *_codes(Action.SLOW_DOWN, 3, (28001052, "risk control")),
    *_codes(Action.QUOTA, 1, (28003017, "quota used up"), (2190001, "quota used up")),
    *_codes(
        Action.SKIP, 1,
        (28001047, "account or object is private"), (2100006, "object not bound to the account"), (2100007, "no permission for the object"),
        (2111001, "sensitive word"), (2111003, "invalid comment"), (2111004, "comment not of this video"),
        (2111005, "comment not written"), (2111006, "comment refused"), (2112001, "not an enterprise account"), (28001038, "message content invalid"),
        (28003070, "messages of the window used up"), (28003080, "messages of the window used up"), (28003081, "message window over"),
        (28003082, "message does not fit the peer"), (28003101, "user banned"),
    ),
    *_codes(Action.RETRY, 3, (2111002, "comments could not be read"), (2111007, "video could not be read")),
    *_codes(
        Action.ALERT, 1,
        (28001015, "token does not belong to open_id"), (2190015, "token does not belong to open_id"),
        (28001020, "user not bound to the test app"), (28001021, "test app expired"), (28001042, "isv token lacks scope"),
        (28001007, "parameter missing or wrong"), (2100005, "parameter wrong"), (10002, "parameter missing or wrong"), (10005, "parameter missing or wrong"),
        (28004020, "scope not supported in this scenario"), (2190005, "upload error"), (2190006, "upload error"), (2190007, "upload error"),
        (2113001, "material error"), (2113002, "material error"),
        (10004, "permission denied"), (10006, "redirect_uri wrong"), (10011, "grant type wrong"), (10012, "app type wrong"),
        (10015, "signature wrong"), (10017, "signature wrong"), (28003095, "workbench policy"), (28029004, "sending banned"),
    ),
]  # fmt: skip

ERRORS: dict[int, ErrorCode] = {e.code: e for e in _CODES}
if len(ERRORS) != len(_CODES):
    raise ValueError("an error code is listed twice in catalog/errors.py")


DEREGISTERED = 28001045
"""The account is closed: its data must be deleted."""

CONSENT_OF_SCOPE = frozenset({28001012, 2190003})
"""The owner did not grant this scope; other scopes of the account go on."""

MAY_BE_DONE = frozenset({28001005, 28001006, 2100004, 10001})
"""Codes of internal platform errors: a write may have taken effect nevertheless."""

OFFLINE = frozenset({28001017, 28001019, 28001056})
"""Codes of a capability that the platform withdrew from all apps, not from this app alone."""


def error_for(code: int) -> ErrorCode:
    """Return the record of ``code``; an unknown code alerts after two retries."""
    return ERRORS.get(code) or ErrorCode(code, Action.ALERT, "unknown code", _ADVICE[Action.ALERT], tries=3)
