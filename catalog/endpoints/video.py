"""视频列表 the account's videos with their lifetime totals."""

from __future__ import annotations

from catalog.cadences import DAILY_SNAPSHOT
from catalog.endpoints._columns import ACCOUNT, CURSOR, OPEN_ID, VIDEO_COLUMNS, VIDEO_TOTAL_COLUMNS, member, page_size
from catalog.records import Endpoint, Output, Over, Paging, Status, Token

ENDPOINTS = (
    Endpoint(
        name="video_list", domain="video", method="GET", path="/api/douyin/v1/video/video_list/",
        scope="video.list.bind", token=Token.USER, status=Status.RESTRICTED,
        en="Videos of the account", zh="查询授权账号视频列表",
        doc_en="All videos of the account, newest first, with lifetime totals at the time of the call. The cursor is opaque; an empty page with has_more is legal.",
        doc_zh="授权账号的全部视频（新到旧）及调用时刻的累计数据；游标不透明，has_more 为真时允许空页。",
        cadence=DAILY_SNAPSHOT, over=Over.ACCOUNTS, params=(OPEN_ID, CURSOR, page_size(20)), paging=Paging(),
        outputs=(
            Output("videos", "data.list", (ACCOUNT, member("item_id"), *VIDEO_COLUMNS)),
            Output("video_totals", "data.list", (ACCOUNT, member("item_id"), *VIDEO_TOTAL_COLUMNS)),
        ),
    ),
)  # fmt: skip
