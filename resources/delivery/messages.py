"""Format alerts as plain text: one message or a digest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog.alert_kinds import ABOUT, Severity
from catalog.records import BEIJING
from resources.state.alerts import Alert

MARKS = {Severity.INFO: "提示 info", Severity.WARNING: "警告 warning", Severity.CRITICAL: "严重 critical"}


def clock(instant: datetime) -> str:
    """Format an instant in Beijing time: ``11-16 10:30``."""
    return f"{instant.astimezone(BEIJING):%m-%d %H:%M}"


def one(alert: Alert, prefix: str, *, is_over: bool) -> str:
    """Format the message of one alert; ``is_over``: it reports that the alert is resolved."""
    about = ABOUT[alert.kind]
    head = f"【{prefix}】{'已恢复 over' if is_over else MARKS[alert.severity]} · {about.zh} {about.en}: {alert.title}"
    if is_over and alert.resolved_at is not None:
        since = f"{clock(alert.first_at)} → {clock(alert.resolved_at)}"
        return f"{head}\n{alert.zh}\n{alert.en}\n{since} (北京时间 Beijing)"
    times = f" · 第 {alert.times} 次 time {alert.times}" if alert.times > 1 else ""
    todo = f"\n→ {alert.todo}" if alert.todo else ""
    since = f"自 since {clock(alert.first_at)} (北京时间 Beijing)"
    return f"{head}\n{alert.zh}\n{alert.en}{todo}\n{since} · #{alert.id}{times}"


def digest(alerts: Sequence[tuple[Alert, bool]], prefix: str, limit_bytes: int) -> str:
    """Format one message about many alerts, in the given order, within ``limit_bytes``; the rest is counted.

    Each alert comes with whether it is reported as resolved.
    """
    lines = [f"【{prefix}】{len(alerts)} 条告警 alerts"]
    left = limit_bytes - len(lines[0].encode()) - len(_more(len(alerts)).encode()) - 2
    for shown, (alert, is_over) in enumerate(alerts):
        about = ABOUT[alert.kind]
        line = (
            f"· {'已恢复 over' if is_over else MARKS[alert.severity]} {about.zh} {about.en}: {alert.title} "
            f"(#{alert.id})"
        )
        left -= len(line.encode()) + 1
        if left < 0:
            return "\n".join([*lines, _more(len(alerts) - shown)])
        lines.append(line)
    return "\n".join([*lines, "→ douyin alerts list"])


def _more(number: int) -> str:
    return f"… 另有 {number} 条 more → douyin alerts list"
