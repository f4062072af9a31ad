"""Define the kinds of alerts: their severity, and when each is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    """How urgent an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertKind(StrEnum):
    """The problem that an alert reports."""

    RUN_FAILED = "run_failed"
    NOT_FRESH = "not_fresh"
    NEEDS_CONSENT = "needs_consent"
    ACCOUNT_STOPPED = "account_stopped"
    LACKING = "lacking"
    TOKEN_ENDS = "token_ends"
    QUOTA = "quota"
    QUARANTINE = "quarantine"
    LOW_PLAYS = "low_plays"
    HOT_WORD = "hot_word"


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Names of one kind of alert, and when it is sent.

    ``repeats``: sent again every ``repeat_after`` while the problem lasts. ``again_after``: a recurrence within this
    time after the problem ended counts as the same alert and is not sent again. ``notify_resolved``: a message is sent
    when the problem ends.
    """

    zh: str
    en: str
    repeats: bool
    again_after: timedelta
    notify_resolved: bool


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

ABOUT: dict[AlertKind, AlertPolicy] = {
    AlertKind.RUN_FAILED: AlertPolicy("运行失败", "Run failed", True, timedelta(0), True),
    AlertKind.NOT_FRESH: AlertPolicy("数据未更新", "Data not fresh", True, _HOUR, True),
    AlertKind.NEEDS_CONSENT: AlertPolicy("账号需重新授权", "Account needs consent", True, timedelta(0), True),
    AlertKind.ACCOUNT_STOPPED: AlertPolicy("账号已注销或封禁", "Account stopped", False, timedelta(0), True),
    AlertKind.LACKING: AlertPolicy("能力或授权变化", "Capabilities changed", False, timedelta(0), True),
    AlertKind.TOKEN_ENDS: AlertPolicy("授权即将到期", "Consent ends soon", False, timedelta(0), False),
    AlertKind.QUOTA: AlertPolicy("调用配额将用尽", "Quota nearly used", False, _HOUR, False),
    AlertKind.QUARANTINE: AlertPolicy("隔离数据过多", "Rows in quarantine", True, _HOUR, True),
    AlertKind.LOW_PLAYS: AlertPolicy("视频播放异常偏低", "Low plays", False, 7 * _DAY, False),
    AlertKind.HOT_WORD: AlertPolicy("热点词命中关注", "Watched hot word", False, _DAY, False),
}
"""Alerts about words, videos and tokens are sent once. Problems that an operator must fix are sent again every day
until they are fixed.
"""


@dataclass(frozen=True, slots=True)
class AlertCondition:
    """A problem that exists now.

    ``subject`` distinguishes it from others of its kind and stays the same while it lasts. A change of ``stage`` makes
    it a new alert (7, 3, 1 days left; quota nearly used, used up). ``tags`` are those of the account concerned; empty
    for problems that concern no account.
    """

    kind: AlertKind
    subject: str
    severity: Severity
    title: str
    zh: str
    en: str
    todo: str
    stage: str = ""
    tags: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Identify the alert across checks: ``kind:subject``."""
        return f"{self.kind}:{self.subject}"
