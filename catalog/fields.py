"""Every column of the warehouse, defined once.

Names are the platform's own words where it has good ones; lengths of time carry their unit in the
name. Instants end in ``_at`` and are UTC; days end in ``_date`` and are Beijing days.
"""

from __future__ import annotations

from catalog.records import Additive, Field, Pii, Type

_FIELDS: list[Field] = []


def _field(name: str, type_: Type, en: str, zh: str, doc_en: str, doc_zh: str, **more) -> None:
    _FIELDS.append(Field(name, type_, en, zh, doc_en, doc_zh, **more))


def _text(name, en, zh, doc_en, doc_zh, **more):
    _field(name, Type.TEXT, en, zh, doc_en, doc_zh, **more)


def _count(name, en, zh, doc_en, doc_zh, *, additive=Additive.YES, minimum=0, **more):
    _field(name, Type.BIGINT, en, zh, doc_en, doc_zh, additive=additive, minimum=minimum, **more)


def _total(name, en, zh, doc_en, doc_zh, **more):
    _count(name, en, zh, doc_en, doc_zh, additive=Additive.SEMI, **more)


def _index(name, en, zh, doc_en, doc_zh):
    _field(name, Type.DOUBLE, en, zh, doc_en, doc_zh, minimum=0)


# ---- standard columns
_field(
    "dt", Type.DATE, "Partition day", "分区日期",
    "Beijing day of the partition: the day of observation, or the statistics day for window series.",
    "分区所属的北京日期：快照类为采集日，按日序列为统计日。",
)
_field(
    "observed_at", Type.TIMESTAMP, "Observed at", "采集时间",
    "UTC instant at which the response was received; all pages of one listing share the first page's.",
    "收到响应的 UTC 时刻；同一次翻页采集的各页共用首页时刻。",
)
_text(
    "source", "Source operation", "来源接口",
    "Operation of the platform that the row came through (its operationId).",
    "该行数据来自的平台接口（operationId）。",
)
_text(
    "client_key", "App key", "应用标识",
    "App (client_key) that asked. Ids of accounts, people and videos are valid within one app only.",
    "发起请求的应用；账号、用户与视频的 id 只在同一应用内有效。",
)

# ---- ids and persons
_text(
    "open_id", "Account", "授权账号 open_id",
    "The authorised account within this app.", "授权账号在本应用内的标识。", pii=Pii.PSEUDONYM,
)
_text(
    "item_id", "Video id", "视频 item_id",
    "Encrypted video id, valid within one app.", "加密的视频 id，仅在本应用内有效。",
)
_text(
    "video_id", "Clear video id", "视频真实 id",
    "Numeric video id as text; only newer responses carry it.", "视频真实 id（文本）；仅较新的响应返回。",
)
_text(
    "nickname", "Nickname", "昵称",
    "Displayed name; people may show a substitute identity. Billboards give no stable creator id.",
    "显示昵称，可能为虚拟身份；榜单不返回稳定的创作者 id。", pii=Pii.PERSONAL,
)
_text(
    "avatar_url", "Avatar", "头像",
    "Avatar address; signed, expires.", "头像地址，带签名、会过期。", pii=Pii.PERSONAL,
)
_text(
    "author", "Author", "作者",
    "Publisher of the video or artist of the track, by displayed name.",
    "视频发布者或歌曲的歌手，按显示名称。", pii=Pii.PERSONAL,
)

# ---- lists
_text(
    "board", "Billboard", "榜单",
    "Which billboard the row stands on, e.g. sport_overall (体育总榜).",
    "所属榜单，如 sport_overall（体育总榜）。",
)
_field(
    "rank", Type.BIGINT, "Rank", "排名",
    "Position in the list, 1 is first. Where the platform sends none, the order of the list.",
    "榜单名次，1 为第一；平台未给出时按列表顺序。", minimum=1,
)
_field(
    "position", Type.BIGINT, "Position", "序号",
    "Position in the nested list, 1 is first.", "在嵌套列表中的序号，从 1 开始。", minimum=1,
)
_text(
    "rank_change", "Rank change, as sent", "排名变化（原文）",
    "Change against the previous list, as the platform wrote it; may be no number.",
    "与上一期相比的名次变化原文，可能不是数字。",
)
_field(
    "rank_delta", Type.BIGINT, "Rank change", "排名变化",
    "rank_change as a number; null where the platform sent no number.",
    "rank_change 的数值；原文不是数字时为空。",
)
_index(
    "effect_value", "Influence index", "影响力指数",
    "The platform's influence index of the entry; may be fractional; scale undocumented.",
    "平台给出的影响力指数，可能带小数，量纲未公布。",
)
_index(
    "hot_value", "Heat index", "热度指数",
    "The platform's heat index; scale undocumented, compare within one list only.",
    "平台给出的热度指数，量纲未公布，仅可在同一列表内比较。",
)
_text("title", "Title", "标题", "Title with hashtags; may be empty.", "标题，含话题，可能为空。")
_text(
    "cover_url", "Cover", "封面",
    "Cover image address; signed, expires: fetch again before use.", "封面地址，带签名会过期，使用前需重新获取。",
)
_text(
    "share_url", "Player page", "播放页",
    "Page that plays the video or track; may expire.", "视频或歌曲播放页，可能失效。",
)
_total(
    "follower_count", "Followers", "粉丝数",
    "Followers of the creator at the time of the list.", "榜单时刻创作者的粉丝数。",
)
_total(
    "on_billboard_times", "Times on the list", "上榜次数",
    "How often the creator stood on this list.", "创作者在该榜单的上榜次数。",
)
_text(
    "hot_words", "Hot words", "视频热词",
    "Comma separated hot words of the video.", "视频热词，逗号分隔。",
)
_text("prop_name", "Prop", "道具名", "Name of the prop or effect.", "道具或特效名称。")
_total("show_count", "Impressions", "展现量", "Impressions of the prop.", "道具展现量。")
_total("shoot_count", "Shoots", "拍摄量", "Videos shot with the prop.", "使用道具拍摄的次数。")
_count("daily_play_count", "Plays a day", "日播放量", "Plays of the last day.", "最近一天播放量。", additive=Additive.SEMI)
_count("daily_issue_count", "Submissions a day", "日投稿量", "Submissions of the last day.", "最近一天投稿量。", additive=Additive.SEMI)
_field(
    "daily_issue_ratio", Type.DOUBLE, "Submission rate a day", "日投稿率",
    "Submission rate of the last day, as a ratio: 0.3061 for 30.61%.",
    "最近一天投稿率，以小数表示：30.61% 记为 0.3061。", unit="ratio", minimum=0,
)
_count("daily_collection_count", "Favourites a day", "日收藏量", "Times favourited in the last day.", "最近一天收藏量。", additive=Additive.SEMI)
_field("duration_s", Type.BIGINT, "Duration", "时长", "Length of the track.", "歌曲时长。", unit="s", minimum=0)
_total("use_count", "Videos using it", "使用量", "Videos that use the track.", "使用该音乐的视频数。")

# ---- hot words
_text("sentence", "Hot word", "热点词", "Hot word or phrase.", "热点词。")
_count(
    "hot_level", "Heat", "热度",
    "Heat of the word, composed by the platform of likes, comments and reposts.",
    "热点词热度，由平台综合点赞、评论、转发得出。", additive=Additive.NO,
)
_field(
    "active_date", Type.DATE, "List day", "榜单日期",
    "Beijing day of the list's own refresh time.", "榜单刷新时间所在的北京日期。",
)
_field(
    "active_at", Type.TIMESTAMP, "List refreshed at", "榜单刷新时间",
    "When the platform refreshed the list; null when it sent only a day.",
    "平台刷新榜单的时刻；只给出日期时为空。",
)
_field(
    "label", Type.BIGINT, "Label", "标签",
    "0 none, 1 new 新, 2 recommended 推荐, 3 hot 热, 4 explosive 爆, 5 first release 首发.",
    "0 无，1 新，2 推荐，3 热，4 爆，5 首发。", allowed=(0, 1, 2, 3, 4, 5),
)

# ---- videos
_field(
    "created_at", Type.TIMESTAMP, "Published at", "发布时间",
    "When the video was created; null when the platform hides it (the video was made private).",
    "视频创建时间；平台隐藏时（转为私密）为空。",
)
_field(
    "is_reviewed", Type.BOOLEAN, "Review finished", "审核是否结束",
    "True when the review ended, passed or not. Dropped by the platform for mobile and web apps from 2024-12-13.",
    "审核是否结束（无论通过与否）；自 2024-12-13 起不再向移动/网站应用返回。",
)
_field("is_top", Type.BOOLEAN, "Pinned", "是否置顶", "Pinned to the profile.", "是否在主页置顶。")
_field(
    "video_status", Type.BIGINT, "Video status", "视频状态",
    "1 published (legacy), 2 unfit, 4 under review, 5 public, 6 friends only, 7 private; dropped for mobile and web apps from 2024-12-13.",
    "1 已发布（旧），2 不适宜公开，4 审核中，5 公开，6 好友可见，7 私密；自 2024-12-13 起不再向移动/网站应用返回。",
)
_field(
    "media_type", Type.BIGINT, "Media type", "内容类型",
    "2 photo album 图集, 4 video 视频.", "2 图集，4 视频。",
)
_total("comment_count", "Comments", "评论数", "Comments, cumulative at the time of observation.", "截至采集时刻的累计评论数。")
_total("digg_count", "Likes", "点赞数", "Likes, cumulative at the time of observation.", "截至采集时刻的累计点赞数。")
_total("download_count", "Downloads", "下载数", "Downloads, cumulative at the time of observation.", "截至采集时刻的累计下载数。")
_total("forward_count", "Reposts", "转发数", "Reposts, cumulative at the time of observation.", "截至采集时刻的累计转发数。")
_total(
    "play_count", "Plays", "播放数",
    "Plays, cumulative at the time of observation; 0 after a public video was made private.",
    "截至采集时刻的累计播放数；公开视频转私密后为 0。",
)
_total("share_count", "Shares", "分享数", "Shares, cumulative at the time of observation.", "截至采集时刻的累计分享数。")

# ---- per-day series
_field(
    "stat_date", Type.DATE, "Statistics day", "统计日期",
    "Beijing day that the platform counted.", "平台统计所属的北京日期。",
)
_count("plays", "Plays of the day", "每日播放数", "Plays on that day.", "当日播放数。")
_count("likes", "Likes of the day", "每日点赞数", "Likes on that day.", "当日点赞数。")
_count("comments", "Comments of the day", "每日评论数", "Number of comments on that day.", "当日评论数。")
_count("shares", "Shares of the day", "每日分享数", "Shares on that day.", "当日分享数。")
_total("plays_30d", "Plays in 30 days", "近30天播放数", "Plays of the last 30 days, not of the lifetime.", "近 30 天播放数，非累计总量。")
_total("likes_30d", "Likes in 30 days", "近30天点赞数", "Likes of the last 30 days, not of the lifetime.", "近 30 天点赞数，非累计总量。")
_total("comments_30d", "Comments in 30 days", "近30天评论数", "Comments of the last 30 days, not of the lifetime.", "近 30 天评论数，非累计总量。")
_total("shares_30d", "Shares in 30 days", "近30天分享数", "Shares of the last 30 days, not of the lifetime.", "近 30 天分享数，非累计总量。")
_field(
    "avg_play_duration_s", Type.DOUBLE, "Average play time", "平均播放时长",
    "Average play time per play over the last 30 days.", "近 30 天的平均播放时长。", unit="s", minimum=0,
)
_count("new_issue", "Videos published", "每日发布内容数", "Videos published on that day.", "当日发布的内容数。")
_count("new_play", "New plays", "新增播放", "Plays of all videos on that day.", "当日全部视频新增播放。")
_total("total_issue", "Videos in total", "内容总数", "Videos in total at the end of that day.", "当日结束时的内容总数。")
_count(
    "new_fans", "New fans", "新增粉丝",
    "Fans gained on that day; may be negative (net), which the platform leaves open.",
    "当日新增粉丝；可能为负（净增），平台未明确。", minimum=None,
)
_total("total_fans", "Fans in total", "总粉丝数", "Fans at the end of that day.", "当日结束时的粉丝总数。")
_count("new_like", "New likes", "新增点赞", "Likes received on that day.", "当日新增点赞。")
_count("new_comment", "New comments", "新增评论", "Comments received on that day.", "当日新增评论。")
_count("new_share", "New shares", "新增分享", "Shares on that day.", "当日新增分享。")
_count(
    "profile_uv", "Profile visitors", "主页访问人数",
    "Distinct visitors of the profile on that day; the same person counts again on another day.",
    "当日访问主页的人数，同一人不同日重复计数。", additive=Additive.NO,
)

# ---- fans
_total(
    "all_fans_num", "Fans in total", "粉丝总数",
    "Fans including Douyin Lite and Huoshan.", "粉丝总数，含抖音极速版与火山版。",
)
_text(
    "dimension", "Dimension", "维度",
    "Which distribution the bucket belongs to: gender 性别, age 年龄, province 地域, active_days 活跃天数, device 设备, interest 兴趣.",
    "分布所属维度：gender 性别，age 年龄，province 地域，active_days 活跃天数，device 设备，interest 兴趣。",
    allowed=("gender", "age", "province", "active_days", "device", "interest"),
)
_text(
    "bucket", "Bucket", "区间",
    "Label with equal separators (24~29 becomes 24-29); null where the platform does not know.",
    "统一分隔符后的区间标签（24~29 记为 24-29）；平台未知时为空。",
)
_text("bucket_raw", "Bucket, as sent", "区间（原文）", "Label as the platform wrote it.", "平台返回的区间原文。")
_total("fans", "Fans in the bucket", "区间粉丝数", "Number of fans in the bucket.", "区间内的粉丝数。")
_text(
    "flow", "Kind of traffic", "流量类型",
    "vv plays 播放, like_cnt likes 点赞, comment_cnt comments 评论, share_video_cnt shares 分享.",
    "vv 播放，like_cnt 点赞，comment_cnt 评论，share_video_cnt 分享。",
)
_total("fans_sum", "From fans", "粉丝贡献", "Traffic that fans contributed.", "由粉丝贡献的流量。")
_total("all_sum", "All traffic", "全部流量", "All traffic of this kind.", "该类型全部流量。")
_text("fan_source", "Source of fans", "粉丝来源", "Where fans came from.", "粉丝来源渠道。")
_field(
    "share_ratio", Type.DOUBLE, "Share", "占比",
    "Share as a ratio: 0.6132 for 61.32%.", "占比，以小数表示：61.32% 记为 0.6132。",
    unit="ratio", minimum=0, maximum=1,
)
_text("keyword", "Keyword", "关键词", "Keyword; not a comment's text.", "关键词，不是评论原文。")

FIELDS: dict[str, Field] = {f.name: f for f in _FIELDS}
if len(FIELDS) != len(_FIELDS):
    raise ValueError("a field is defined twice in catalog/fields.py")
