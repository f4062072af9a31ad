"""Define when endpoints are due.

Times are Beijing; see contract/GUIDE.md section 7 for when the platform produces its data.
"""

from __future__ import annotations

from datetime import time

from catalog.records import Cadence

HOURLY = Cadence(
    "hourly", tuple(time(h, 0) for h in range(1, 24)), ("5 * * * *",),
    "every hour at :05", "每小时第 5 分",
)  # fmt: skip
TWICE_DAILY = Cadence(
    "twice_daily", (time(10, 0), time(16, 0)), ("30 10 * * *", "30 16 * * *"),
    "daily at 10:30 and 16:30: lists are produced before 10:00", "每天 10:30 与 16:30：榜单于 10:00 前产出",
)  # fmt: skip
DAILY_SNAPSHOT = Cadence(
    "daily_snapshot", (time(10, 0),), ("45 10 * * *", "45 14 * * *"),
    "daily at 10:45, and at 14:45 for what was not ready", "每天 10:45，14:45 补采未产出的数据",
)  # fmt: skip
DAILY_T1 = Cadence(
    "daily_t1", (time(10, 0),), ("0 11 * * *", "0 15 * * *"),
    "daily at 11:00 for the day before, and at 15:00 for what was not ready", "每天 11:00 采集前一日数据，15:00 补采未产出的数据",
)  # fmt: skip

DAILY_LISTING = Cadence(
    "daily_listing", (time(10, 0),), ("30 11 * * *", "30 15 * * *"),
    "daily at 11:30, and at 15:30 for what failed", "每天 11:30，15:30 补采失败的部分",
)  # fmt: skip
RANK_WEEKS = Cadence(
    "rank_weeks", (time(12, 0),), ("0 13 * * 2", "30 23 * * *"),
    "the running week daily at 23:30, the final list of the week before on Tuesdays at 13:00", "进行中的一周每天 23:30，上一周的最终榜周二 13:00",
)  # fmt: skip

EVENTS = Cadence(
    "events", tuple(time(h, 0) for h in range(1, 24)), ("50 * * * *",),
    "every hour at :50, from the inbox", "每小时第 50 分，取自收件箱",
)  # fmt: skip

CADENCES: dict[str, Cadence] = {
    c.name: c for c in (HOURLY, TWICE_DAILY, DAILY_SNAPSHOT, DAILY_T1, DAILY_LISTING, RANK_WEEKS, EVENTS)
}
"""Cadences by name. A cadence that supplies subjects comes before those that iterate over them. All tables of a cadence
have partitions of one kind.
"""
