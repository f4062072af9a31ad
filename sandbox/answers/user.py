"""用户数据: an account's numbers per day, ending yesterday, known from 10:00 on."""

from __future__ import annotations

from typing import Any

from sandbox.answers.call import Call
from sandbox.clock import day_of, day_text
from sandbox.world.videos import METRICS


def days_of_window(call: Call) -> range:
    """The days that an answer covers: date_type days ending yesterday, less those not produced yet."""
    today = day_of(call.instant)
    return range(today - call.params["date_type"], call.last_day + 1)


def rows_or_nothing(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """``result_list``; when there is no row, an empty list or null."""
    return {"result_list": rows or (None if call.form.flag(20) else [])}


def answer(call: Call) -> dict[str, Any]:
    """``user_item``, ``_fans``, ``_like``, ``_comment``, ``_share``, ``_profile``: rows, oldest first."""
    make = _ROWS[call.endpoint.name.removeprefix("user_").removesuffix("_apps_v1")]
    last = call.last_day
    return rows_or_nothing(call, [{"date": day_text(day), **make(call, last, day)} for day in days_of_window(call)])


def _total(call: Call, metric: str, last: int, day: int) -> int:
    return call.world.series.totals(call.account, last, METRICS.index(metric))[day - last - 1]


def _item(call: Call, last: int, day: int) -> dict[str, Any]:
    new, total = call.world.series.issues(call.account, day)
    whole = call.form.whole
    return {"new_issue": whole(new), "new_play": whole(_total(call, "play", last, day)), "total_issue": whole(total)}


def _fans(call: Call, last: int, day: int) -> dict[str, Any]:
    totals, j = call.world.series.fans_at_midnights(call.account, last), day - last - 1
    return {"new_fans": call.form.whole(totals[j] - totals[j - 1]), "total_fans": call.form.whole(totals[j])}


def _profile(call: Call, last: int, day: int) -> dict[str, Any]:
    return {"profile_uv": call.form.whole(call.world.series.visitors(call.account, last, day))}


def _counter(metric: str):
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
