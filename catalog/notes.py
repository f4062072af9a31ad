"""What is known of a number beyond its definition: its name on the platform's own pages, and why it may differ from what they show.

From the contract (``contract/GUIDE.md`` and the Chinese labels of ``contract/openapi.yaml``) alone; nothing here was compared with a live page.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """``platform_name`` is the Chinese label that the contract gives; None where it gives none."""

    platform_name: str | None = None
    differs_en: str | None = None
    differs_zh: str | None = None


_T1 = ("Known the day after, may be corrected later; the last three days are taken again every day.", "次日产出（T+1），平台可能修正；最近三天每天重新采集。")
_TOTAL = (
    "Lifetime total at the moment of observation; pages show a later moment. 0 after a public video was made private.",
    "采集时刻的累计值，页面显示的是更晚的时刻；公开视频转私密后为 0。",
)
_MONTH = ("Of the last 30 days only: smaller than the lifetime total on the video's page.", "仅近 30 天，小于视频页显示的累计值。")

NOTES: dict[tuple[str, str], Note] = {
    ("", "plays"): Note("每日播放数", *_T1),
    ("", "likes"): Note("每日点赞数", *_T1),
    ("", "comments"): Note("每日评论数", *_T1),
    ("", "shares"): Note("每日分享数", *_T1),
    ("", "new_play"): Note("每日新增播放", *_T1),
    ("", "new_issue"): Note("每日发布内容数", *_T1),
    ("", "total_issue"): Note("每日内容总数", *_T1),
    ("", "new_like"): Note("新增点赞", *_T1),
    ("", "new_comment"): Note("新增评论", *_T1),
    ("", "new_share"): Note("新增分享", *_T1),
    ("", "new_fans"): Note("每日新粉丝数", "May be negative: gained or net, the platform leaves it open. marts.account_daily.net_fans is the difference of totals.", "可能为负：是新增还是净增，平台未明确；净增见 marts.account_daily.net_fans（总数之差）。"),
    ("", "total_fans"): Note("每日总粉丝数", "End of the Beijing day; the profile shows now. Whether Douyin Lite and Huoshan count is not stated here, unlike all_fans_num.", "北京时间当日末；主页显示实时值。是否含极速版、火山版未说明，与 all_fans_num 不同。"),
    ("", "all_fans_num"): Note("所有粉丝的数量", "Includes Douyin Lite and Huoshan, so it may be above the number on the profile.", "含抖音极速版与火山版，可能高于主页显示的粉丝数。"),
    ("", "profile_uv"): Note("当天个人页访问人数", "People, not visits; a person counts again on another day, so days must not be summed.", "人数而非次数；同一人不同日重复计数，不可跨日相加。"),
    ("", "play_count"): Note("播放数", *_TOTAL),
    ("", "digg_count"): Note("点赞数", *_TOTAL),
    ("", "comment_count"): Note("评论数", *_TOTAL),
    ("", "share_count"): Note("分享数", *_TOTAL),
    ("", "plays_30d"): Note("最近30天播放次数", *_MONTH),
    ("", "likes_30d"): Note("最近30天点赞数", *_MONTH),
    ("", "comments_30d"): Note("最近30天评论数", *_MONTH),
    ("", "shares_30d"): Note("最近30天分享数", *_MONTH),
    ("", "hot_level"): Note("热度", "The platform's composition of likes, comments and reposts; compare within one list only.", "平台综合点赞、评论、转发得出，仅可在同一榜单内比较。"),
    ("", "effect_value"): Note("影响力指数", "Scale undocumented; compare within one board and day.", "量纲未公布，仅可在同一榜单同一天内比较。"),
    ("", "fans"): Note("分布的种类对应的数量", "Dimensions count the same fans again; buckets that are not known are missing, so a sum may be below the total.", "不同维度重复计入同一批粉丝；未知区间缺失时合计可能小于总数。"),
    ("comment_reads", "listed_count"): Note(None, "Below the video's stated count where comments were deleted, are under review or hidden.", "评论被删除、审核中或隐藏时，少于视频显示的评论数。"),
    ("account_daily", "net_fans"): Note("净增粉丝", "Computed from totals; empty where one of the two days is missing.", "由总数相减得出；任一天缺失则为空。"),
    ("account_daily", "engagement_ratio"): Note("互动率", "Of the same day's plays of all videos; pages may divide by other plays or over another period.", "以当日全部视频播放为分母；平台页面可能采用其他分母或周期。"),
    ("video_performance", "is_low_play"): Note("疑似限流", "A hint from numbers; the platform never states throttling.", "仅为数字上的提示，平台不会明示限流。"),
}  # fmt: skip
"""(table, column) -> note; an empty table stands for every core table that has the column."""
