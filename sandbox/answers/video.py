"""Serve videos (视频): the account's list with lifetime totals now, facts of given videos, search by keyword.

Where the contract is silent: pages contain at most 50 videos however large ``count`` is. Pinned videos lead the first
page, which they make longer; on some accounts (index 2, 6, 10, …) they also stand in their place in time, so that pages
overlap. On accounts 1, 4, 7, … the second page is empty with has_more true; on accounts 2, 5, 8, … pages are one
shorter than requested. A cursor that was never issued is refused with 2100005. A batch contains at most 50 ids (more:
2100005, none: 28001007); ids of videos that are not the account's are omitted. With both lists of ids ``video_data``
responds to both, ``video_basic_info`` to ``video_ids`` alone.
"""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call
from sandbox.answers.pages import integer, offset, page
from sandbox.errors import Refusal
from sandbox.forms import Form
from sandbox.hashing import mix
from sandbox.world.videos import METRICS, Video, cover_url, share_url, title_of, video_number

MAX_COUNT = 50
MAX_BATCH = 50
_GAP, _AFTER_GAP = 1, 2
"""What a cursor leads to: 0 a page, 1 an empty page, 2 the page after it."""
_STATISTICS = (
    ("comment_count", METRICS.index("comment")),
    ("digg_count", METRICS.index("like")),
    ("download_count", METRICS.index("download")),
    ("forward_count", METRICS.index("forward")),
    ("play_count", METRICS.index("play")),
    ("share_count", METRICS.index("share")),
)


def write_cursor(account_key: int, created: int, leads_to: int) -> int:
    """Return an opaque cursor that looks like epoch milliseconds: the seconds, then three check digits."""
    return created * 1_000 + mix(account_key, created, leads_to) % 1_000


def read_cursor(account_key: int, cursor: int) -> tuple[int, int]:
    """Return (created, leads_to) of a cursor.

    Raises:
        Refusal: the cursor was not issued by this account's list.
    """
    created, digits = divmod(cursor, 1_000)
    for leads_to in (0, _GAP, _AFTER_GAP):
        if mix(account_key, created, leads_to) % 1_000 == digits:
            return created, leads_to
    raise Refusal(errors.PARAM_WRONG, "cursor is wrong")


def video_list(call: Call) -> dict[str, Any]:
    """Return one page of the account's videos."""
    account, count = call.account, min(call.params["count"], MAX_COUNT)
    videos = call.world.video_store.listed(account, call.instant)[::-1]
    pinned = _pinned(videos, call.instant)
    if account.index % 4 != 2:
        videos = [v for v in videos if v not in pinned]
    size = max(1, count - 1) if account.index % 3 == 2 else count

    cursor, leads_to = integer(call, "cursor", 0, 2**63, 0), 0
    before = float("inf")
    if cursor:
        before, leads_to = read_cursor(account.key, cursor)
    rest = [v for v in videos if v.created < before]
    if leads_to == _GAP:
        return _page(call, [], [], write_cursor(account.key, int(before), _AFTER_GAP), bool(rest))
    page = rest[:size]
    has_more = len(rest) > size
    gap = has_more and not cursor and account.index % 3 == 1
    following = write_cursor(account.key, page[-1].created, _GAP if gap else 0) if page else cursor
    return _page(call, (pinned if not cursor else []) + page, pinned, following, has_more)


def _pinned(videos: list[Video], instant: float) -> list[Video]:
    """Return the pinned ones of an account's videos, newest first: at most two."""
    return [v for v in videos if v.pinned and v.private_at > instant][:2]


def _page(call: Call, videos: list[Video], pinned: list[Video], cursor: int, has_more: bool) -> dict[str, Any]:
    form = call.form
    rows: list[dict] | None = [_row(call, v, v in pinned) for v in videos]
    if not rows and form.flag(20):
        rows = None
    return {"cursor": str(cursor) if form.flag(21) else cursor, "has_more": has_more, "list": rows}


def _row(call: Call, video: Video, pinned: bool) -> dict[str, Any]:
    """Return a video as it is now; all rows of a response have the same optional members."""
    private, title = video.private_at <= call.instant, title_of(video.key, call.account.category)
    return video_row(
        call.form,
        call.world.video_store.item_id(video),
        video.key,
        title,
        video.created,
        _statistics(call, video),
        album=video.album,
        pinned=pinned,
        private=private,
    )


def _statistics(call: Call, video: Video) -> dict[str, Any]:
    """Return the lifetime totals now, without plays once the video is private."""
    form, private, reach = call.form, video.private_at <= call.instant, video.reach(call.instant)
    return {
        member: form.whole(0 if private and member == "play_count" else video.count(i, reach))
        for member, i in _STATISTICS
    }


def video_row(
    form: Form,
    item_id: str,
    key: int,
    title: str,
    created: int,
    statistics: dict[str, Any],
    *,
    album: bool = False,
    pinned: bool = False,
    private: bool = False,
) -> dict[str, Any]:
    """Return the platform's object for a video; ``created`` is epoch seconds, shown as 0 once private."""
    row: dict[str, Any] = {"item_id": item_id}
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


# ---- given videos


def _asked(call: Call, *, clear_ids_first: bool) -> list[Video]:
    """Return the account's videos named by item_ids and video_ids, each once, in the order of the request.

    Raises:
        Refusal: 28001007 without any id, 2100005 for a value that is no list, or a list that is too long.
    """
    item_ids, video_ids = (_id_list(call, member) for member in ("item_ids", "video_ids"))
    if not item_ids and not video_ids:
        raise Refusal(errors.PARAM_MISSING, "item_ids is missing")
    if clear_ids_first and video_ids:
        item_ids = []
    video_store, account, found = call.world.video_store, call.account, []
    for item_id in item_ids:
        place = video_store.ids.read(item_id)
        if place is not None and place[0] == account.index:
            found.append(video_store.find(account, place[1], call.instant))
    found += [video_store.find_number(account, video_id, call.instant) for video_id in video_ids]
    return list(dict.fromkeys(v for v in found if v is not None))


def _id_list(call: Call, member: str) -> list[str]:
    ids = call.params.get(member, [])
    if not isinstance(ids, list) or len(ids) > MAX_BATCH or not all(isinstance(i, str) for i in ids):
        raise Refusal(errors.PARAM_WRONG, f"{member} is wrong")
    return ids


def _rows(call: Call, videos: list[Video]) -> dict[str, Any]:
    pinned = _pinned(call.world.video_store.listed(call.account, call.instant)[::-1], call.instant)
    return {"list": [_row(call, v, v in pinned) for v in videos] or (None if call.form.flag(20) else [])}


def video_data(call: Call) -> dict[str, Any]:
    """Return facts and totals of given videos; a private one has no creation time."""
    return _rows(call, _asked(call, clear_ids_first=False))


def video_query(call: Call) -> dict[str, Any]:
    """Return :func:`video_data` of mini-apps: one video in five has an anchor (video_anchor 锚点)."""
    videos = _asked(call, clear_ids_first=False)
    answer = _rows(call, videos)
    for row, video in zip(answer["list"] or (), videos, strict=True):
        if video.key % 5 == 0:
            row["video_anchor"] = {"anchor_id": f"anchor-{video.key % 9_999}", "anchor_type": 1 + video.key % 3}
    return answer


def video_basic_info(call: Call) -> dict[str, Any]:
    """Return basic facts of given videos that are public; private and deleted ones are omitted."""
    form, rows = call.form, []
    for v in _asked(call, clear_ids_first=True):
        if v.private_at <= call.instant:
            continue
        row = {
            "item_id": call.world.video_store.item_id(v),
            "title": title_of(v.key, call.account.category),
            "cover": cover_url(v.key),
            "create_time": str(v.created) if form.style == 1 else v.created,
            "media_type": form.whole(2 if v.album else 4),
            "video_id": video_number(v.key, v.created),
        }
        if not form.rare(28, 3):
            row["video_status"] = form.whole(5)
        rows.append(row)
    return {"list": rows or (None if form.flag(20) else [])}


# ---- search


def video_search(call: Call) -> dict[str, Any]:
    """Return the videos that a keyword finds, the most played first; the cursor is an offset."""
    found = call.world.search.find(call.account, call.params["keyword"], call.instant)
    at, count = offset(call)
    rows = []
    for f in found[at : at + count]:
        v = f.video
        row = video_row(
            call.form, call.world.video_store.item_id(v), v.key, f.title, v.created, _statistics(call, v), album=v.album
        )
        author = {"open_id": f.author.open_id, "nickname": f.author.nickname, "avatar": f.author.avatar}
        rows.append(row | {"sec_item_id": call.world.search.sec_item_id(v)} | author)
    following = at + len(rows)
    return page(call, rows, following, following < len(found))


ANSWERS = {
    "video_list": video_list,
    "video_data": video_data,
    "video_query": video_query,
    "video_basic_info": video_basic_info,
    "video_search": video_search,
}
