"""The core tables. Tables come before endpoints: thirty-one creator billboards share one row shape, so they are one table with a ``board`` column."""

from __future__ import annotations

from catalog.fields import FIELDS
from catalog.records import History, Table

_SNAPSHOT, _WINDOW, _LISTING = History.SNAPSHOT, History.WINDOW, History.LISTING

_VIDEO = (
    "video_id", "title", "cover_url", "created_at", "is_reviewed", "is_top", "share_url", "video_status", "media_type",
)  # fmt: skip
VIDEO_TOTALS = ("comment_count", "digg_count", "download_count", "forward_count", "play_count", "share_count")

_TABLES = (
    # ---- hot words 热点词
    Table(
        "hot_words", "hotsearch", "Hot words", "实时热点词",
        "Hot word list as observed, about hourly; rank is the order of the list.",
        "按小时采集的实时热点词榜，名次为列表顺序。",
        _SNAPSHOT, ("rank", "sentence", "hot_level", "active_date", "active_at"), ("rank",),
    ),
    Table(
        "hot_words_rising", "hotsearch", "Rising words", "上升词",
        "Rising words as observed; all pages of one observation share observed_at.",
        "采集到的上升词；同一次采集的各页共用 observed_at。",
        _SNAPSHOT, ("rank", "sentence", "hot_level", "label"), ("sentence",),
    ),
    Table(
        "hot_word_videos", "hotsearch", "Videos of hot words", "热点词聚合的视频",
        "Videos that the platform groups under each hot word, with their totals at that instant.",
        "平台在各热点词下聚合的视频及其当时的累计数据。",
        _SNAPSHOT, ("sentence", "rank", "item_id", *_VIDEO, *VIDEO_TOTALS), ("sentence", "item_id"),
    ),
    # ---- billboards 榜单
    Table(
        "billboard_creators", "billboard", "Creator billboards", "达人榜",
        "Thirty-one creator lists (sport 体育, comedy 搞笑, games 游戏, food 美食, drama 剧情, cars 汽车, travel 旅游, anime 二次元) in one shape; board says which.",
        "体育、搞笑、游戏、美食、剧情、汽车、旅游、二次元等 31 个达人榜，board 列标明所属榜单。",
        _SNAPSHOT,
        ("board", "rank", "rank_change", "rank_delta", "nickname", "avatar_url", "follower_count", "on_billboard_times", "effect_value"),
        ("board", "rank"),
    ),
    Table(
        "billboard_creator_videos", "billboard", "Videos of billboard creators", "达人榜代表视频",
        "Representative videos of each entry of a creator billboard.",
        "达人榜每个上榜者的代表视频。",
        _SNAPSHOT, ("board", "rank", "position", "title", "cover_url", "share_url"), ("board", "rank", "position"),
    ),
    Table(
        "billboard_videos", "billboard", "Hot video billboard", "热门视频榜",
        "Hot videos of the last 24 hours.", "近 24 小时热门视频榜。",
        _SNAPSHOT,
        ("rank", "title", "author", "play_count", "digg_count", "comment_count", "hot_words", "hot_value", "cover_url", "share_url"),
        ("rank",),
    ),
    Table(
        "billboard_stars", "billboard", "Star billboard", "娱乐明星榜",
        "Entertainment stars by influence.", "娱乐明星影响力榜。",
        _SNAPSHOT, ("rank", "nickname", "avatar_url", "effect_value"), ("rank",),
    ),
    Table(
        "billboard_live", "billboard", "Live billboard", "直播榜",
        "Live streams by heat.", "直播热度榜。",
        _SNAPSHOT, ("rank", "nickname", "title", "cover_url", "hot_value"), ("rank",),
    ),
    Table(
        "billboard_topics", "billboard", "Topic billboard", "话题榜",
        "Topics by influence.", "话题影响力榜。",
        _SNAPSHOT, ("rank", "rank_change", "rank_delta", "title", "effect_value"), ("rank",),
    ),
    Table(
        "billboard_props", "billboard", "Prop billboard", "道具榜",
        "Props and effects by influence, with their use.", "道具与特效影响力榜及使用数据。",
        _SNAPSHOT,
        (
            "rank", "rank_change", "rank_delta", "prop_name", "effect_value", "show_count", "shoot_count",
            "daily_play_count", "daily_issue_count", "daily_issue_ratio", "daily_collection_count",
        ),
        ("rank",),
    ),
    Table(
        "billboard_music", "billboard", "Music billboards", "音乐榜",
        "Hot 热歌榜, soaring 飙升榜 and original songs 原创榜; board says which.",
        "热歌榜、飙升榜与原创榜，board 列标明所属榜单。",
        _SNAPSHOT, ("board", "rank", "title", "author", "cover_url", "duration_s", "use_count", "share_url"), ("board", "rank"),
    ),
    # ---- fans 粉丝画像
    Table(
        "fans_profile", "fans", "Fan portrait", "粉丝画像",
        "Fan total per account; no row below the platform's threshold of 100 fans.",
        "各账号粉丝总数；不足 100 粉丝时无数据行。",
        _SNAPSHOT, ("open_id", "all_fans_num"), ("open_id",),
    ),
    Table(
        "fans_distributions", "fans", "Fan distributions", "粉丝分布",
        "Fans per bucket of gender, age, province, active days, device and interest.",
        "粉丝按性别、年龄、地域、活跃天数、设备、兴趣的分布。",
        _SNAPSHOT, ("open_id", "dimension", "bucket_raw", "bucket", "fans"), ("open_id", "dimension", "bucket_raw"),
    ),
    Table(
        "fans_flow", "fans", "Traffic from fans", "粉丝流量贡献",
        "How much of plays, likes, comments and shares fans contribute.",
        "播放、点赞、评论、分享中由粉丝贡献的部分。",
        _SNAPSHOT, ("open_id", "flow", "fans_sum", "all_sum"), ("open_id", "flow"),
    ),
    Table(
        "fans_sources", "fans", "Sources of fans", "粉丝来源",
        "Where the fans of the last 30 days came from.", "近 30 天粉丝来源分布。",
        _SNAPSHOT, ("open_id", "fan_source", "share_ratio"), ("open_id", "fan_source"),
    ),
    Table(
        "fans_interests", "fans", "Interests of fans", "粉丝喜好",
        "Keywords that fans like, ranked.", "粉丝喜好关键词及排名。",
        _SNAPSHOT, ("open_id", "rank", "keyword", "hot_value"), ("open_id", "rank"),
    ),
    Table(
        "fans_comment_words", "fans", "Words in fan comments", "粉丝热评词",
        "Hot keywords in the comments of fans; not comment texts. rank is the order of the list.",
        "粉丝评论中的热词（不是评论原文），名次为列表顺序。",
        _SNAPSHOT, ("open_id", "rank", "keyword", "hot_value"), ("open_id", "keyword"),
    ),
    # ---- videos 视频
    Table(
        "videos", "video", "Videos", "视频",
        "The videos of each account as they were when last seen on the day.",
        "各账号的视频，按当日最后一次采集的状态。",
        _LISTING, ("open_id", "item_id", *_VIDEO), ("open_id", "item_id"),
    ),
    Table(
        "video_totals", "video", "Video totals", "视频累计数据",
        "Lifetime totals of each video at the instant of observation; difference them with care, they may fall.",
        "各视频在采集时刻的累计数据；做差分时注意可能下降。",
        _SNAPSHOT, ("open_id", "item_id", *VIDEO_TOTALS), ("open_id", "item_id"),
    ),
    # ---- per-video series 视频数据
    Table(
        "item_base", "item", "Video totals of 30 days", "视频近30天数据",
        "Rolling sums over the last 30 days per video; never difference them as if cumulative.",
        "各视频近 30 天滚动合计；不可按累计值做差分。",
        _SNAPSHOT,
        ("open_id", "item_id", "plays_30d", "likes_30d", "comments_30d", "shares_30d", "avg_play_duration_s"),
        ("open_id", "item_id"),
    ),
    *(
        Table(
            f"item_{member}", "item", f"Video {en} per day", f"视频每日{zh}数",
            f"{en.capitalize()} per video and day, for videos younger than 30 days; known the day after (T+1).",
            f"发布 30 天内的视频每日{zh}数，次日产出（T+1）。",
            _WINDOW, ("open_id", "item_id", "stat_date", column), ("open_id", "item_id", "stat_date"),
        )
        for member, en, zh, column in (
            ("like", "likes", "点赞", "likes"),
            ("comment", "comments", "评论", "comments"),
            ("play", "plays", "播放", "plays"),
            ("share", "shares", "分享", "shares"),
        )
    ),
    # ---- per-account series 用户数据
    *(
        Table(
            f"user_{member}", "user", f"Account {en} per day", f"账号每日{zh}",
            f"{en.capitalize()} per account and day; known the day after (T+1).",
            f"账号每日{zh}，次日产出（T+1）。",
            _WINDOW, ("open_id", "stat_date", *columns), ("open_id", "stat_date"),
        )
        for member, en, zh, columns in (
            ("item", "videos and plays", "发布与播放", ("new_issue", "new_play", "total_issue")),
            ("fans", "fans", "粉丝数", ("new_fans", "total_fans")),
            ("like", "likes", "点赞数", ("new_like",)),
            ("comment", "comments", "评论数", ("new_comment",)),
            ("share", "shares", "分享数", ("new_share",)),
            ("profile", "profile visitors", "主页访问数", ("profile_uv",)),
        )
    ),
)  # fmt: skip

TABLES: dict[str, Table] = {t.name: t for t in _TABLES}

for _table in _TABLES:
    _unknown = set(_table.columns) - FIELDS.keys()
    if _unknown:
        raise ValueError(f"table {_table.name} names unknown fields: {sorted(_unknown)}")
