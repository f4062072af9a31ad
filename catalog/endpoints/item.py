"""视频数据 per-video data: only the account's own videos created within the last 30 days, known the day after."""

from __future__ import annotations

from catalog.cadences import DAILY_SNAPSHOT, DAILY_T1
from catalog.endpoints._columns import ACCOUNT, DATE_TYPE, ITEM, ITEM_ID, OPEN_ID, STAT_DATE, count, index
from catalog.records import Empty, Endpoint, Output, Over, Status, Token


def _item(name: str, en: str, zh: str, doc_en: str, doc_zh: str, output: Output, **more) -> Endpoint:
    return Endpoint(
        name=f"item_{name}", domain="item", method="GET", path=f"/data/external/item/{name}/",
        scope="data.external.item", token=Token.USER, status=Status.ACTIVE, en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh,
        over=Over.VIDEOS, max_age_days=30, empty=Empty.NOT_READY, outputs=(output,), **more,
    )  # fmt: skip


ENDPOINTS = (
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
