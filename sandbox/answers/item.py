"""Serve the numbers of one video (视频数据) of the last 30 days, known from 10:00 on.

Where the contract is silent: a video older than 30 Beijing days is refused with 2100006 (not bound), one of another
account with 2100007, one that became private with 28001047.
"""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.user import counted, days_of_window, rows_or_nothing
from sandbox.clock import day_of, day_text
from sandbox.errors import Refusal
from sandbox.world.series import age_in_days
from sandbox.world.videos import METRICS, MONTH_DAYS, Video


def own_video(call: Call) -> Video:
    """Return the account's video that the parameter item_id names, however old.

    Raises:
        Refusal: the video is unknown, of another account, taken down or private.
    """
    place = call.world.video_store.ids.read(call.params["item_id"])
    if place is None:
        raise Refusal(errors.NOT_BOUND)
    owner, slot = place
    if owner != call.account.index:
        raise Refusal(errors.NO_PERMISSION)
    video = call.world.video_store.find(call.account, slot, call.instant)
    if video is None:
        raise Refusal(errors.NOT_BOUND)
    if video.private_at <= call.instant:
        raise Refusal(errors.PRIVATE)
    return video


def find_video(call: Call) -> Video:
    """Return :func:`own_video` unless it is too old for daily numbers.

    Raises:
        Refusal: as for :func:`own_video`, and if the video is too old.
    """
    video = own_video(call)
    if age_in_days(video, call.instant) > MONTH_DAYS:
        raise Refusal(errors.NOT_BOUND, "only videos of the last 30 days")
    return video


def answer(call: Call) -> dict[str, Any]:
    """Return ``item_base`` or the daily ``item_like``, ``_comment``, ``_play``, ``_share``."""
    video = find_video(call)
    member = call.operation.removeprefix("item_")
    if member == "base":
        return {"result": _base(call, video)}
    metric, created = METRICS.index(member), day_of(video.created)
    days = [day for day in days_of_window(call) if day >= created]
    if not days:
        return rows_or_nothing(call, [])
    month, whole = call.world.series.month(call.account, call.last_day), call.form.whole
    rows = [
        {"date": day_text(day), member: whole(counted(call, day, video.key, month.daily(video, metric, day)))}
        for day in days
    ]
    return rows_or_nothing(call, rows)


def _base(call: Call, video: Video) -> dict[str, Any] | None:
    """Return the sums of the last 30 days; null before the first T+1 data."""
    if day_of(video.created) > call.last_day:
        return None
    month, whole = call.world.series.month(call.account, call.last_day), call.form.whole
    wobble = 1 + (call.last_day * 7 + video.key % 11) % 9 / 100
    return {
        **{
            f"total_{metric}": whole(month.rolling(video, METRICS.index(metric)))
            for metric in ("play", "like", "comment", "share")
        },
        "avg_play_duration": call.form.number(round(video.duration_s * wobble, 2)),
    }


ANSWERS = {f"item_{member}": answer for member in ("base", "like", "comment", "play", "share")}
