"""What can be wrong: kinds of alerts, how grave they are, and how often each is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Kind(StrEnum):
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
    """``repeats``: told again after ``repeat_after`` while it lasts. ``again_after``: so long after it was over, the same counts as
    the same and is not told again. ``notify_resolved``: it is told when it is over."""

    zh: str
    en: str
    repeats: bool
    again_after: timedelta
    notify_resolved: bool


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

ABOUT: dict[Kind, AlertPolicy] = {
    Kind.RUN_FAILED: AlertPolicy("运行失败", "Run failed", True, timedelta(0), True),
    Kind.NOT_FRESH: AlertPolicy("数据未更新", "Data not fresh", True, _HOUR, True),
    Kind.NEEDS_CONSENT: AlertPolicy("账号需重新授权", "Account needs consent", True, timedelta(0), True),
    Kind.ACCOUNT_STOPPED: AlertPolicy("账号已注销或封禁", "Account stopped", False, timedelta(0), True),
    Kind.LACKING: AlertPolicy("能力或授权变化", "Capabilities changed", False, timedelta(0), True),
    Kind.TOKEN_ENDS: AlertPolicy("授权即将到期", "Consent ends soon", False, timedelta(0), False),
    Kind.QUOTA: AlertPolicy("调用配额将用尽", "Quota nearly used", False, _HOUR, False),
    Kind.QUARANTINE: AlertPolicy("隔离数据过多", "Rows in quarantine", True, _HOUR, True),
    Kind.LOW_PLAYS: AlertPolicy("视频播放异常偏低", "Low plays", False, 7 * _DAY, False),
    Kind.HOT_WORD: AlertPolicy("热点词命中关注", "Watched hot word", False, _DAY, False),
}
"""Words, videos and tokens are told once; what somebody must mend is told again every day until it is mended."""


@dataclass(frozen=True, slots=True)
class AlertCondition:
    """Something that is wrong now. ``subject`` tells it from others of its kind and stays the same while it lasts.

    ``stage`` changes when it becomes another matter that must be told anew (7, 3, 1 days; quota nearly used, used up).
    ``tags`` are those of the account that it is about; none where it is about no account.
    """

    kind: Kind
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
        return f"{self.kind}:{self.subject}"
