"""Map words of the trade to columns that answer them, and list metrics that no column has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SYNONYMS: Mapping[tuple[str, str], str] = {
    ("account_daily", "net_fans"): "涨粉 掉粉 净增粉丝 取关 follower growth unfollow churn",
    ("account_daily", "net_fans_7d"): "周涨粉 环比 week on week",
    ("account_daily", "new_fans"): "新增粉丝 新增关注 new followers",
    ("account_daily", "total_fans"): "粉丝量 粉丝数 followers",
    ("account_daily", "new_issue"): "发布数 发文量 投稿 更新频率 posts",
    ("account_daily", "new_play"): "播放量 阅读量 views",
    ("account_daily", "profile_uv"): "主页访问 主页访客 profile visits",
    ("account_daily", "engagement_ratio"): "互动率 engagement rate ER",
    ("account_daily", "interactions"): "互动量 赞评转 engagements",
    ("account_daily", "is_gap"): "缺数 断数 missing data",
    ("account_weekly", "plays_wow"): "环比 周环比 week on week WoW",
    ("account_weekly", "plays_yoy"): "同比 周同比 year on year YoY",
    ("account_weekly", "engagement_ratio"): "周互动率 汇总互动率 pooled engagement rate",
    ("account_weekly", "net_fans"): "周涨粉 周净增 weekly growth",
    ("account_monthly", "plays_mom"): "环比 月环比 月报 month on month MoM",
    ("account_monthly", "plays_yoy"): "同比 月同比 year on year YoY",
    ("account_monthly", "net_fans"): "月涨粉 月净增 monthly growth",
    ("dim_accounts", "category"): "垂类 赛道 品类 行业 vertical industry",
    ("dim_accounts", "fan_tier"): "头部 腰部 尾部 达人层级 KOL KOC tier",
    ("dim_accounts", "tags"): "矩阵号 分组 account group",
    ("dim_boards", "family"): "垂类 赛道 vertical",
    ("dim_date", "holiday"): "节假日 调休 春节 国庆 public holiday",
    ("dim_date", "festival"): "大促 618 双11 年货节 shopping festival",
    ("dim_date", "iso_week"): "周报 自然周 week",
    ("dim_videos", "published_hour"): "发布时间 发布时段 publishing time",
    ("dim_videos", "is_listed"): "删除 隐藏 下架 deleted video",
    ("video_tags", "tag"): "话题 标签 hashtag",
    ("video_performance", "is_hit"): "爆款 爆文 viral hit",
    ("video_performance", "is_low_play"): "限流 shadow ban",
    ("video_performance", "half_life_days"): "生命周期 衰减 长尾 decay",
    ("publishing_rhythm", "median_ratio"): "最佳发布时间 黄金时段 best time to post",
    ("conversations", "first_answer_median_s"): "回复率 响应时长 首响 response time reply rate",
    ("conversations", "waits"): "回复率 未回复 unanswered",
    ("campaign_effect", "response_ratio"): "活动回复率 触达效果 response rate",
    ("lead_funnel", "contacts"): "留资 线索 留电 leads contacts",
    ("lead_funnel", "contact_ratio"): "转化率 留资率 conversion rate",
    ("conversion_funnel", "stage"): "转化漏斗 漏斗阶段 客户旅程 funnel stage customer journey",
    ("conversion_funnel_weekly", "cohort_contact_ratio"): "转化率 留资率 周转化 同期群 cohort conversion rate",
    ("lead_funnel_weekly", "people"): "周互动人数 去重人数 周活 weekly distinct people",
    ("comment_needs_weekly", "people"): "周评论人数 去重人数 需求周报 weekly distinct people",
    ("comment_needs", "need"): "用户需求 购买意向 询价 问价 intent",
    ("comment_labels", "sentiment"): "情感 差评 好评 舆情 sentiment",
    ("fan_portrait", "share_ratio"): "粉丝画像 性别 年龄 地域 audience demographics portrait",
    ("hot_words_now", "is_rising"): "热搜 飙升 上升热点 trending",
    ("hot_word_lifecycle", "hours_on_board"): "热点时长 在榜 trend duration",
    ("billboard_moves", "move"): "进榜 掉榜 榜单排名 ranking",
    ("topic_opportunity", "score"): "选题 蹭热点 content ideas",
    ("poi_daily", "order_count"): "到店 成交 核销 store orders",
    ("data_health", "level"): "数据质量 监控 data quality",
}
"""Words that people search for, by table and column; names and meanings of the column are searched anyway."""


@dataclass(frozen=True, slots=True)
class MissingMetric:
    """A metric that no column has: words for it, why, the nearest figure, and what would bring it."""

    metric_en: str
    metric_zh: str
    words: str
    why_en: str
    why_zh: str
    nearest: str
    source_en: str
    source_zh: str


NOT_AVAILABLE = (
    MissingMetric("Completion rate", "完播率", "完播 5秒完播 completion rate", "The Open Platform has no operation for it.", "开放平台没有该指标的接口。", "marts.video_performance.ratio_to_median", "exports of the creator centre", "创作者中心导出文件"),
    MissingMetric("Average watch time", "平均播放时长", "播放时长 停留 watch time retention 跳出", "The Open Platform has no operation for it.", "开放平台没有该指标的接口。", "marts.video_performance.half_life_days", "exports of the creator centre", "创作者中心导出文件"),
    MissingMetric("Saves", "收藏数", "收藏 favourites saves bookmarks", "The Open Platform sends no saves of videos.", "开放平台不返回视频收藏数。", "marts.video_daily.share_count", "exports of the creator centre", "创作者中心导出文件"),
    MissingMetric("Impressions and cover click rate", "曝光与封面点击率", "曝光 封面点击 点击率 impressions CTR", "The Open Platform sends plays, no impressions of videos.", "开放平台只返回播放，不返回视频曝光。", "marts.video_daily.play_count", "exports of the creator centre", "创作者中心导出文件"),
    MissingMetric("Figures of competitors", "竞品数据", "对标 竞品 同行 benchmark competitor", "The Open Platform sends figures of authorised accounts only.", "开放平台只返回已授权账号的数据。", "marts.billboard_moves, main.search_videos", "billboards; a data vendor", "榜单，或数据服务商"),
    MissingMetric("Fans lost", "取关人数", "取关 掉粉 流失粉丝 unfollows", "The platform sends new fans and totals, no losses; net_fans is negative when fans went.", "平台只返回新增与总数，不返回取关人数；掉粉时 net_fans 为负。", "marts.account_daily.net_fans", "exports of the creator centre", "创作者中心导出文件"),
    MissingMetric("Sales", "成交额", "GMV 销售额 成交额 ROI 带货 sales revenue", "Orders and settlement are no part of this product.", "订单与结算不在本产品范围内。", "marts.poi_daily.order_count", "the shop's own system", "店铺自有系统"),
    MissingMetric("Advertising", "投放数据", "投放 消耗 DOU+ 巨量 CPM ads spend", "Advertising has a platform of its own.", "广告投放属于巨量引擎平台。", "marts.campaign_effect", "巨量引擎", "巨量引擎"),
    MissingMetric("Live streams", "直播间数据", "直播 场观 在线人数 live viewers", "No operation that this product reads has figures of live streams.", "本产品读取的接口不含直播间数据。", "main.billboard_live", "exports of the live console", "直播后台导出"),
)  # fmt: skip
