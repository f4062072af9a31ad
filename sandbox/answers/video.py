"""视频列表: everything that the account shows, newest first, with lifetime totals now.

Where the contract is silent: pages hold at most 50 videos however large ``count`` is. Pinned
videos lead the first page, which they make longer; on some accounts (index 2, 6, 10, …) they also
stand in their place in time, so that pages overlap. On accounts 1, 4, 7, … the second page is
empty with has_more true; on accounts 2, 5, 8, … pages are one shorter than asked for. A
cursor that was never given out is refused with 2100005.
"""

from __future__ import annotations

from typing import Any

from sandbox import refusals as no
from sandbox.answers.call import Call
from sandbox.mixing import mix
from sandbox.refusals import Refusal
from sandbox.world.videos import METRICS, Video, cover_url, share_url, title_of, video_number

MAX_COUNT = 50
_GAP, _AFTER_GAP = 1, 2
"""What a cursor leads to: 0 a page, 1 an empty page, 2 the page behind it."""
_STATISTICS = (
    ("comment_count", METRICS.index("comment")),
    ("digg_count", METRICS.index("like")),
    ("download_count", METRICS.index("download")),
    ("forward_count", METRICS.index("forward")),
    ("play_count", METRICS.index("play")),
    ("share_count", METRICS.index("share")),
)


def write_cursor(account_key: int, created: int, leads_to: int) -> int:
    """An opaque cursor that looks like epoch milliseconds: the seconds, then three check digits."""
    return created * 1_000 + mix(account_key, created, leads_to) % 1_000


def read_cursor(account_key: int, cursor: int) -> tuple[int, int]:
    """(created, leads_to) of a cursor.

    Raises:
        Refusal: the cursor was not given out by this account's list.
    """
    created, digits = divmod(cursor, 1_000)
    for leads_to in (0, _GAP, _AFTER_GAP):
        if mix(account_key, created, leads_to) % 1_000 == digits:
            return created, leads_to
    raise Refusal(no.PARAM_WRONG, "cursor is wrong")


def video_list(call: Call) -> dict[str, Any]:
    """One page."""
    account, count = call.account, min(call.params["count"], MAX_COUNT)
    videos = call.world.shelf.listed(account, call.instant)[::-1]
    pinned = [v for v in videos if v.pinned and v.private_at > call.instant][:2]
    if account.index % 4 != 2:
        videos = [v for v in videos if v not in pinned]
    size = max(1, count - 1) if account.index % 3 == 2 else count

    cursor, leads_to = call.params.get("cursor", 0), 0
    before = float("inf")
    if cursor:
        before, leads_to = read_cursor(account.key, cursor)
    rest = [v for v in videos if v.created < before]
    if leads_to == _GAP:
        return _page(call, [], [], write_cursor(account.key, before, _AFTER_GAP), bool(rest))
    page = rest[:size]
    has_more = len(rest) > size
    gap = has_more and not cursor and account.index % 3 == 1
    following = write_cursor(account.key, page[-1].created, _GAP if gap else 0) if page else cursor
    return _page(call, (pinned if not cursor else []) + page, pinned, following, has_more)


def _page(call: Call, videos: list[Video], pinned: list[Video], cursor: int, has_more: bool) -> dict[str, Any]:
    form = call.form
    rows: list[dict] | None = [_row(call, v, v in pinned) for v in videos]
    if not rows and form.flag(20):
        rows = None
    return {"cursor": str(cursor) if form.flag(21) else cursor, "has_more": has_more, "list": rows}


def _row(call: Call, video: Video, pinned: bool) -> dict[str, Any]:
    """A video as it is now. The whole answer agrees on which optional members it has."""
    form, private = call.form, video.private_at <= call.instant
    reach = video.reach(call.instant)
    counts = {
        member: form.whole(0 if private and member == "play_count" else video.count(i, reach))
        for member, i in _STATISTICS
    }
    return video_row(
        form, call.world.shelf.item_id(video), video.key, title_of(video.key, call.account.category), video.created,
        counts, album=video.album, pinned=pinned, private=private,
    )  # fmt: skip


def video_row(
    form, item_id, key, title, created, statistics, *, album=False, pinned=False, private=False
) -> dict[str, Any]:
    """The platform's object for a video; ``created`` is epoch seconds, shown as 0 once private."""
    row = {"item_id": item_id}
    if not form.rare(24, 3):
        row["video_id"] = video_number(key, created)
    created = 0 if private else created
    row["title"] = title
    row["cover"] = cover_url(key)
    row["create_time"] = str(created) if form.style == 1 else created
    if not form.rare(28, 3):
        row["is_reviewed"] = True
    row["is_top"] = pinned
    row["share_url"] = share_url(key)
    if not form.rare(28, 3):
        row["video_status"] = form.whole(7 if private else 5)
    row["media_type"] = form.whole(2 if album else 4)
    row["statistics"] = statistics
    return row


ANSWERS = {"video_list": video_list}
