"""Serve the comments of a video and the replies to one of them (评论文本).

Where the contract is silent: pinned comments lead both the recommended order and ``time``. A page is shorter where
moderation hid a comment. Replies to replies belong to the comment on the video; replies are oldest first unless
requested otherwise. The comment of another video is refused with 2111004, a removed one or a reply with 2111003.
Accounts that are no enterprise accounts get 2112001 from the enterprise paths (``video_comment_*``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import errors
from sandbox.answers.call import Call, Handler
from sandbox.answers.item import own_video
from sandbox.answers.pages import MAX_COUNT, need_enterprise, offset, page
from sandbox.errors import Refusal
from sandbox.world.accounts import SandboxAccount
from sandbox.world.videos import Video

_SORTS = (None, "time", "time_asc")
ON_VIDEO = -1
"""The parent of comments on the video itself, for those written through the API."""


def _own(call: Call) -> tuple[SandboxAccount, Video]:
    return call.account, own_video(call)


def _enterprise(call: Call) -> tuple[SandboxAccount, Video]:
    need_enterprise(call)
    return _own(call)


def _searched(call: Call) -> tuple[SandboxAccount, Video]:
    found = call.world.search.find_video(call.params["sec_item_id"], call.instant)
    if found is None:
        raise Refusal(errors.NOT_BOUND)
    if found[1].private_at <= call.instant:
        raise Refusal(errors.PRIVATE)
    return found


def _answer(call: Call, author: SandboxAccount, video: Video, *, replies: bool) -> dict[str, Any]:
    sort_type = call.params.get("sort_type")
    if sort_type not in _SORTS:
        raise Refusal(errors.PARAM_WRONG, "sort_type is wrong")
    start, count = offset(call, MAX_COUNT)
    comments, parent, written = call.world.comments, None, call.world.leads.overlay.replies
    if replies:
        parent = parent_of(call, video)
        sort_type = sort_type or "time_asc"
    places, total = comments.page(video, call.instant, sort_type, parent, start, count)
    view, form = comments.view(video, call.instant), call.form
    parent_id = comments.comment_id(video, parent, bool(view.second[parent])) if parent is not None else None
    rows = []
    for place in places:
        said, created = comments.content(author, video, view, place), int(view.written[place])
        row: dict[str, Any] = {
            "comment_id": said.comment_id,
            "comment_user_id": said.open_id,
            "content": said.content,
            "create_time": str(created) if form.style == 1 else created,
            "top": view.pinned(place),
            "digg_count": int(view.likes[place]),
            "reply_comment_total": int(view.replies[place])
            + (0 if replies else len(written.get((video.key, int(place)), ()))),
        }
        if said.nickname is not None:
            row["nick_name"], row["avatar"] = said.nickname, said.avatar
        if parent_id is not None and form.flag(25):
            row["reply_comment_id"] = parent_id
        rows.append(row)
    # Comments written through the API come after all others, in every order.
    more = written.get((video.key, ON_VIDEO if parent is None else parent), [])
    rows += [_written(author, *one) for one in more[max(0, start - total) : max(0, start + count - total)]]
    total += len(more)
    following = min(start + count, total) if start < total else start
    return page(call, rows, following, following < total)


def _written(author: SandboxAccount, comment_id: str, content: str, at: float) -> dict[str, Any]:
    """Return a comment or reply that the account wrote through the API."""
    return {
        "comment_id": comment_id,
        "comment_user_id": author.open_id,
        "content": content,
        "create_time": int(at),
        "top": False,
        "digg_count": 0,
        "reply_comment_total": 0,
        "nick_name": author.nickname,
        "avatar": author.avatar,
    }


def parent_of(call: Call, video: Video) -> int:
    """Return the place of the comment that comment_id names."""
    try:
        place = call.world.comments.find(video, call.instant, call.params["comment_id"])
    except LookupError:
        raise Refusal(errors.FOREIGN_COMMENT) from None
    if place is None:
        raise Refusal(errors.INVALID_COMMENT)
    return place


def _operation(where: Callable[[Call], tuple[SandboxAccount, Video]], *, replies: bool) -> Handler:
    def answer(call: Call) -> dict[str, Any]:
        return _answer(call, *where(call), replies=replies)

    return answer


ANSWERS = {
    f"{prefix}_comment_{'reply_' if replies else ''}list": _operation(where, replies=replies)
    for prefix, where in (("item", _own), ("video", _enterprise), ("video_search", _searched))
    for replies in (False, True)
}
