"""Describe the per-account series (用户数据): a row a day over 7, 15 or 30 days, known the day after."""

from __future__ import annotations

from catalog.cadences import DAILY_T1
from catalog.endpoints._columns import ACCOUNT, DATE_TYPE, OPEN_ID, STAT_DATE, WEB_ONLY, business, count, mini_app
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, Output, Status, Token

_SERIES = {
    "item": ("Account videos per day", "获取用户视频情况", ("new_issue", "new_play", "total_issue")),
    "fans": ("Account fans per day", "获取用户粉丝数", ("new_fans", "total_fans")),
    "like": ("Account likes per day", "获取用户点赞数", ("new_like",)),
    "comment": ("Account comments per day", "获取用户评论数", ("new_comment",)),
    "share": ("Account shares per day", "获取用户分享数", ("new_share",)),
    "profile": ("Profile visitors per day", "获取用户主页访问数", ("profile_uv",)),
}

_WEB = tuple(
    Endpoint(
        name=f"user_{name}", domain="user", method="GET", path=f"/data/external/user/{name}/",
        scope="data.external.user", token=Token.USER, status=Status.ACTIVE, en=en, zh=zh,
        doc_en=f"{en} over the last 7, 15 or 30 days, ending yesterday. Complete only from the day after consent.",
        doc_zh=f"{zh}：近 7/15/30 天每日数据，截至昨日；授权次日起完整。",
        cadence=DAILY_T1, over=IterateBy.ACCOUNTS, params=(OPEN_ID, DATE_TYPE), windows=(7, 15, 30), empty=EmptyMeaning.NOT_READY, apps=WEB_ONLY,
        outputs=(Output(f"user_{name}", "data.result_list", (ACCOUNT, STAT_DATE, *(count(c) for c in columns))),),
    )
    for name, (en, zh, columns) in _SERIES.items()
)  # fmt: skip

_MINI_APP = tuple(
    mini_app(
        e, path=f"/api/apps/v1/user/get_{e.name.removeprefix('user_')}/", scope="ma.user.data", en=f"{e.en}, mini-app",
        doc_en=f"{e.doc_en} Mini-app endpoint: accounts above 1,000 fans.", doc_zh=f"{e.doc_zh}小程序入口：仅 1,000 粉丝以上的账号。",
    )
    for e in _WEB
)  # fmt: skip

ENDPOINTS = (*_WEB, *_MINI_APP, *(business(e) for e in _MINI_APP))
