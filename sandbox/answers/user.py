"""Serve an account's numbers per day (用户数据), ending yesterday, known from 10:00 on.

Where the contract is silent (whether numbers are corrected later): with ``late_counts`` some days are a tenth too low
until two days after. The mini-app endpoints have series only of accounts above 1,000 fans; of others they return no
row, as before 10:00.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.records import Envelope
from sandbox.answers.call import Call
from sandbox.clock import day_of, day_text
from sandbox.hashing import mix, name, unit
from sandbox.world.videos import METRICS

MINI_APP_ABOVE = 1_000
"""The mini-app endpoints have series of accounts with more fans than that."""


LATE_DAYS = 2
"""For so many days a number may be too low, where some are counted late."""


def days_of_window(call: Call) -> range:
    """Return the days that a response covers.

    They are the date_type days that end yesterday, minus those not produced yet; none if the endpoint has no series of
    the account.
    """
    today = day_of(call.instant)
    if (
        call.endpoint.envelope is Envelope.MINI_APP
        and call.world.series.day_fans(call.account, call.last_day) <= MINI_APP_ABOVE
    ):
        return range(0)
    return range(today - call.params["date_type"], call.last_day + 1)


def counted(call: Call, day: int, subject: int, value: int) -> int:
    """Return the part of a day's number that is counted by now; some is counted late."""
    share, last = call.world.late_counts, call.last_day
    if share and last - day < LATE_DAYS and unit(mix(name("late counts"), call.world.seed, subject, day)) < share:
        return value - value // 10 - (value > 0)
    return value


def rows_or_nothing(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return ``result_list``; without rows, an empty list or null."""
    return {"result_list": rows or (None if call.form.flag(20) else [])}


def answer(call: Call) -> dict[str, Any]:
    """Return the rows, oldest first, of ``user_item``, ``_fans``, ``_like``, ``_comment``, ``_share``, ``_profile``."""
    make = _ROWS[call.operation.removeprefix("user_")]
    last = call.last_day
    return rows_or_nothing(call, [{"date": day_text(day), **make(call, last, day)} for day in days_of_window(call)])


def _total(call: Call, metric: str, last: int, day: int) -> int:
    value = call.world.series.totals(call.account, last, METRICS.index(metric))[day - last - 1]
    return counted(call, day, call.account.index, value)


def _item(call: Call, last: int, day: int) -> dict[str, Any]:
    new, total = call.world.series.issues(call.account, day)
    whole = call.form.whole
    return {"new_issue": whole(new), "new_play": whole(_total(call, "play", last, day)), "total_issue": whole(total)}


def _fans(call: Call, last: int, day: int) -> dict[str, Any]:
    totals, j = call.world.series.fans_at_midnights(call.account, last), day - last - 1
    return {"new_fans": call.form.whole(totals[j] - totals[j - 1]), "total_fans": call.form.whole(totals[j])}


def _profile(call: Call, last: int, day: int) -> dict[str, Any]:
    return {"profile_uv": call.form.whole(call.world.series.visitors(call.account, last, day))}


def _counter(metric: str) -> Callable[[Call, int, int], dict[str, Any]]:
    def row(call: Call, last: int, day: int) -> dict[str, Any]:
        return {f"new_{metric}": call.form.whole(_total(call, metric, last, day))}

    return row


_ROWS = {
    "item": _item,
    "fans": _fans,
    "profile": _profile,
    "like": _counter("like"),
    "comment": _counter("comment"),
    "share": _counter("share"),
}

ANSWERS = {f"user_{member}": answer for member in _ROWS}
