"""Describe the endpoints of the account's videos (视频) with lifetime totals, and of videos that a search finds."""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_LISTING, DAILY_SNAPSHOT
from catalog.endpoints._columns import (
    ACCOUNT,
    CURSOR,
    OPEN_ID,
    RANK_BY_ORDER,
    VIDEO_COLUMNS,
    VIDEO_TOTAL_COLUMNS,
    WEB_ONLY,
    business,
    count,
    left_out,
    member,
    mini_app,
    page_size,
    param,
)
from catalog.iterations import IterateBy
from catalog.records import Endpoint, Output, Status, Token
from catalog.requests import Paging, Param, ParamLocation, ParamSource

_ITEM_IDS = Param("item_ids", ParamSource.SUBJECT, required=False, place=ParamLocation.BODY, batch=20)
"""The platform's largest batch is undocumented; 20 is a safe start (GUIDE section 5)."""
_BATCH = (OPEN_ID, _ITEM_IDS, left_out("video_ids", ParamLocation.BODY))
_LISTED = (ACCOUNT, member("item_id"), *VIDEO_COLUMNS)
_TOTALS = Output("video_totals", "data.list", (ACCOUNT, member("item_id"), *VIDEO_TOTAL_COLUMNS))


def _video(
    name: str,
    method: str,
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
    more = {"cadence": DAILY_SNAPSHOT} | more
    return Endpoint(
        name=name, domain="video", method=method, path=path, scope=scope, token=Token.USER, status=status, en=en, zh=zh,
        doc_en=doc_en, doc_zh=doc_zh, over=over, outputs=outputs, **more,
    )  # fmt: skip


_DATA = _video(
    "video_data", "POST", "/api/douyin/v1/video/video_data/", "video.data.bind", Status.RESTRICTED, IterateBy.KNOWN_VIDEOS,
    "Given videos", "查询特定视频的视频数据",
    "Videos and their lifetime totals by id: those that are watched, and those that the account's list showed within the last 30 days and shows no more.",
    "按 id 查询视频及累计数据：关注的视频，以及近 30 天曾在列表中而现已不在的视频。",
    Output("videos", "data.list", _LISTED), _TOTALS, params=_BATCH, apps=WEB_ONLY,
)  # fmt: skip
_QUERY = mini_app(
    _video(
        "video_query", "POST", "/api/apps/v1/video/query/", "ma.video.bind", Status.ACTIVE, IterateBy.KNOWN_VIDEOS,
        "Given videos, mini-app", "查询特定视频的视频数据",
        "Videos and their lifetime totals by id, for mini-apps, which have no list of videos: those that are watched.",
        "小程序按 id 查询视频及累计数据；小程序没有视频列表接口，仅查询关注的视频。",
        Output("videos", "data.list", (*_LISTED, member("anchor_id", "video_anchor.anchor_id"), count("anchor_type", "video_anchor.anchor_type"))),
        _TOTALS, params=(OPEN_ID, Param("item_ids", ParamSource.SUBJECT, place=ParamLocation.BODY, batch=20)),
    ),
    path="/api/apps/v1/video/query/",
)  # fmt: skip

ENDPOINTS = (
    _video(
        "video_list", "GET", "/api/douyin/v1/video/video_list/", "video.list.bind", Status.RESTRICTED, IterateBy.ACCOUNTS,
        "Videos of the account", "查询授权账号视频列表",
        "All videos of the account, newest first, with lifetime totals at the time of the call. The cursor is opaque; an empty page with has_more is legal.",
        "授权账号的全部视频（新到旧）及调用时刻的累计数据；游标不透明，has_more 为真时允许空页。",
        Output("videos", "data.list", _LISTED), _TOTALS, params=(OPEN_ID, CURSOR, page_size(20)), paging=Paging(), apps=WEB_ONLY,
    ),
    _DATA,
    _video(
        "video_basic_info", "POST", "/api/douyin/v1/video/video_basic_info/", "posting.behavior", Status.ACTIVE, IterateBy.KNOWN_VIDEOS,
        "Basic facts of given videos", "查询视频基础信息",
        "Facts of videos by id without totals, where the app does not own the data of given videos. Private, friends-only and deleted videos are left out.",
        "按 id 查询视频基础信息（不含累计数据），仅在应用未获得前一能力时使用；私密、好友可见与已删除的视频不返回。",
        Output("videos", "data.list", tuple(c for c in _LISTED if c.field not in ("is_reviewed", "is_top", "share_url"))),
        params=_BATCH, apps=WEB_ONLY, instead_of="video_data",
    ),
    _QUERY,
    business(_QUERY),
    _video(
        "video_search", "GET", "/video/search/", "video.search", Status.RESTRICTED, IterateBy.KEYWORDS, "Videos by keyword", "关键词视频搜索",
        "Videos that a watched keyword finds, with their authors; one account requests all.", "关注的搜索词所搜到的视频及作者；由一个账号代为搜索。",
        Output(
            "search_videos", "data.list",
            (
                ACCOUNT, param("keyword"), RANK_BY_ORDER, member("item_id"), *VIDEO_COLUMNS, *VIDEO_TOTAL_COLUMNS, member("sec_item_id"),
                member("author_open_id", "open_id"), member("nickname"), member("avatar_url", "avatar"),
            ),
        ),
        params=(OPEN_ID, Param("keyword", ParamSource.SUBJECT), CURSOR, page_size(20)), paging=Paging(enough=5), cadence=DAILY_LISTING,
    ),
)  # fmt: skip
