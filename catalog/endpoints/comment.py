"""Describe the endpoints of comments (评论) and their replies.

They cover the account's own videos and videos that a search found. Comments are written by people and thus personal
data.
"""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_LISTING
from catalog.endpoints._columns import (
    ACCOUNT,
    ASKED_BY,
    BOOL,
    CURSOR,
    INT,
    ITEM,
    ITEM_ID,
    OPEN_ID,
    WEB_ONLY,
    count,
    member,
    mini_app,
    page_size,
    param,
)
from catalog.iterations import IterateBy
from catalog.records import AppType, Column, Endpoint, Origin, Output, Parse, Status, Token
from catalog.requests import Incremental, Paging, Param, ParamSource

_COMMENT = (
    member("commenter_open_id", "comment_user_id"), member("content"), member("created_at", "create_time", Parse.EPOCH),
    member("is_top", "top", BOOL), count("digg_count"), count("reply_count", "reply_comment_total"), member("avatar_url", "avatar"),
    member("nickname", "nick_name"), member("reply_to_id", "reply_comment_id"),
)  # fmt: skip
_NEWEST_FIRST = Param("sort_type", ParamSource.CONST, required=False, const="time")
_PAGES = (CURSOR, page_size(50))
_COMMENT_ID = Param("comment_id", ParamSource.SUBJECT)
_SEC_ITEM_ID = Param("sec_item_id", ParamSource.SUBJECT)
_FOUND = (ASKED_BY, param("sec_item_id"))
_MINI_APPS = (AppType.MINI_APP, AppType.BUSINESS)


def _comments(
    name: str,
    path: str,
    scope: str,
    status: Status,
    over: IterateBy,
    en: str,
    zh: str,
    doc_en: str,
    doc_zh: str,
    *outputs: Output,
    **more: Any,
) -> Endpoint:
    return Endpoint(
        name=name, domain="comment", method="GET", path=path, scope=scope, token=Token.USER, status=status, en=en, zh=zh,
        doc_en=doc_en, doc_zh=doc_zh, cadence=DAILY_LISTING, over=over, outputs=outputs, **({"paging": Paging(page_cap=5_000)} | more),
    )  # fmt: skip


_OF_VIDEO = (
    Output("comments", "data.list", (ACCOUNT, ITEM, member("comment_id"), *_COMMENT)),
    Output(
        "comment_reads", "data",
        (ACCOUNT, ITEM, Column("listed_count", Origin.LISTING, "rows", INT), Column("is_whole", Origin.LISTING, "whole", BOOL)),
        single=True, once=True,
    ),
)  # fmt: skip
_REPLIES = Output(
    "comment_replies", "data.list", (ACCOUNT, ITEM, param("comment_id"), member("reply_id", "comment_id"), *_COMMENT)
)

_LIST = _comments(
    "item_comment_list", "/item/comment/list/", "item.comment", Status.RESTRICTED, IterateBy.COMMENTED_VIDEOS, "Comments", "评论列表",
    "Comments of an own video, newest first, read until what is known; young videos are read to the end, which shows edits and disappearances.",
    "账号视频的评论，按时间新到旧读取到已知为止；近期视频完整读取，以发现修改与消失。",
    *_OF_VIDEO,
    params=(OPEN_ID, ITEM_ID, *_PAGES, _NEWEST_FIRST), incremental=Incremental("create_time", "top"), apps=WEB_ONLY,
)  # fmt: skip
_REPLY_LIST = _comments(
    "item_comment_reply_list", "/item/comment/reply/list/", "item.comment", Status.RESTRICTED, IterateBy.COMMENTS, "Replies", "评论回复列表",
    "Replies to a comment of an own video.", "账号视频评论的回复。", _REPLIES,
    params=(OPEN_ID, ITEM_ID, _COMMENT_ID, *_PAGES, _NEWEST_FIRST), apps=WEB_ONLY,
)  # fmt: skip

ENDPOINTS = (
    _LIST,
    _comments(
        "video_comment_list", "/video/comment/list/", "video.comment", Status.DEPRECATED, IterateBy.COMMENTED_VIDEOS,
        "Comments, enterprise accounts", "评论列表 (企业号)",
        "Comments of an own video of an enterprise account, where the app does not own the other capability. Always read to the end: the order is not documented.",
        "企业号视频的评论，仅在应用未获得另一能力时使用；顺序未公布，每次完整读取。",
        *_OF_VIDEO, params=(OPEN_ID, ITEM_ID, *_PAGES), apps=WEB_ONLY, instead_of="item_comment_list",
    ),
    mini_app(
        _LIST, path="/api/apps/v1/item/list_comment/", scope="ma.item.comment", apps=_MINI_APPS, en="Comments, mini-app",
        doc_en=f"{_LIST.doc_en} Mini-app endpoint.", doc_zh=f"{_LIST.doc_zh}小程序入口。",
    ),
    _REPLY_LIST,
    _comments(
        "video_comment_reply_list", "/video/comment/reply/list/", "video.comment", Status.DEPRECATED, IterateBy.COMMENTS,
        "Replies, enterprise accounts", "评论回复列表 (企业号)",
        "Replies to a comment of an enterprise account, where the app does not own the other capability.", "企业号评论的回复，仅在应用未获得另一能力时使用。",
        _REPLIES, params=(OPEN_ID, ITEM_ID, _COMMENT_ID, *_PAGES), apps=WEB_ONLY, instead_of="item_comment_reply_list",
    ),
    mini_app(
        _REPLY_LIST, path="/api/apps/v1/item/list_comment_reply/", scope="ma.item.comment", apps=_MINI_APPS, en="Replies, mini-app",
        doc_en=f"{_REPLY_LIST.doc_en} Mini-app endpoint.", doc_zh=f"{_REPLY_LIST.doc_zh}小程序入口。",
    ),
    _comments(
        "video_search_comment_list", "/video/search/comment/list/", "video.search.comment", Status.RESTRICTED, IterateBy.FOUND_VIDEOS,
        "Comments of found videos", "关键词视频评论列表",
        "Comments of the videos that a watched keyword finds.", "关注的搜索词所搜到视频的评论。",
        Output("search_comments", "data.list", (*_FOUND, member("comment_id"), *_COMMENT)), params=(_SEC_ITEM_ID, *_PAGES), paging=Paging(enough=4),
    ),
    _comments(
        "video_search_comment_reply_list", "/video/search/comment/reply/list/", "video.search.comment", Status.RESTRICTED, IterateBy.FOUND_COMMENTS,
        "Replies under found videos", "关键词视频评论回复列表",
        "Replies to the comments of found videos.", "关注的搜索词所搜到视频评论的回复。",
        Output("search_comment_replies", "data.list", (*_FOUND, param("comment_id"), member("reply_id", "comment_id"), *_COMMENT)),
        params=(_SEC_ITEM_ID, _COMMENT_ID, *_PAGES), paging=Paging(enough=2),
    ),
)  # fmt: skip
