"""Describe the endpoints of per-video data (视频数据).

They serve only the account's own videos created within the last 30 days; a day's numbers are known the day after.
"""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_SNAPSHOT, DAILY_T1
from catalog.endpoints._columns import (
    ACCOUNT,
    DATE_TYPE,
    ITEM,
    ITEM_ID,
    OPEN_ID,
    STAT_DATE,
    WEB_ONLY,
    business,
    count,
    index,
    mini_app,
)
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, Output, Status, Token


def _item(name: str, en: str, zh: str, doc_en: str, doc_zh: str, output: Output, **more: Any) -> Endpoint:
    return Endpoint(
        name=f"item_{name}", domain="item", method="GET", path=f"/data/external/item/{name}/",
        scope="data.external.item", token=Token.USER, status=Status.ACTIVE, en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh,
        over=IterateBy.VIDEOS, max_age_days=30, empty=EmptyMeaning.NOT_READY, outputs=(output,), apps=WEB_ONLY, **more,
    )  # fmt: skip


_WEB = (
    _item(
        "base", "Video totals over 30 days", "获取视频基础数据",
        "Rolling sums of the last 30 days, not lifetime totals.", "近 30 天滚动合计，非累计总量。",
        Output(
            "item_base", "data.result",
            (
                ACCOUNT, ITEM, count("plays_30d", "total_play"), count("likes_30d", "total_like"), count("comments_30d", "total_comment"),
                count("shares_30d", "total_share"), index("avg_play_duration_s", "avg_play_duration"),
            ),
            single=True,
        ),
        cadence=DAILY_SNAPSHOT, params=(OPEN_ID, ITEM_ID),
    ),
    *(
        _item(
            member, f"Video {en} per day", f"获取视频{zh}数据",
            f"{en.capitalize()} per day over the last 7, 15 or 30 days, refreshed about 10:00.", f"近 7/15/30 天每日{zh}数，约 10:00 更新。",
            Output(f"item_{member}", "data.result_list", (ACCOUNT, ITEM, STAT_DATE, count(f"{member}s", member))),
            cadence=DAILY_T1, params=(OPEN_ID, ITEM_ID, DATE_TYPE), windows=(7, 15, 30),
        )
        for member, en, zh in (("like", "likes", "点赞"), ("comment", "comments", "评论"), ("play", "plays", "播放"), ("share", "shares", "分享"))
    ),
)  # fmt: skip

_MINI_APP = tuple(
    mini_app(
        e, path=f"/api/apps/v1/item/get_{e.name.removeprefix('item_')}/", scope="ma.item.data", en=f"{e.en}, mini-app",
        windows=tuple(w for w in e.windows if w <= 15),  # the documentation lists no window of 30 days
        doc_en=f"{e.doc_en} Mini-app endpoint: accounts above 1,000 fans, at most 15 days back.",
        doc_zh=f"{e.doc_zh}小程序入口：仅 1,000 粉丝以上的账号，最多回溯 15 天。",
    )
    for e in _WEB
)  # fmt: skip

ENDPOINTS = (*_WEB, *_MINI_APP, *(business(e) for e in _MINI_APP))
