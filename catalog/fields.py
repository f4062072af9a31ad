"""Define every column of the warehouse once.

Names are the platform's own words where it has good ones; durations carry their unit in the name. Instants end in
``_at`` and are UTC; days end in ``_date`` and are Beijing days.
"""

from __future__ import annotations

from typing import Any

from catalog.endpoints import MODULES
from catalog.records import Additive, Field, Pii, Type

_FIELDS: list[Field] = []


def _field(name: str, type_: Type, en: str, zh: str, doc_en: str, doc_zh: str, **more: Any) -> None:
    _FIELDS.append(Field(name, type_, en, zh, doc_en, doc_zh, **more))


def _text(name: str, en: str, zh: str, doc_en: str, doc_zh: str, **more: Any) -> None:
    _field(name, Type.TEXT, en, zh, doc_en, doc_zh, **more)


def _count(
    name: str,
    en: str,
    zh: str,
    doc_en: str,
    doc_zh: str,
    *,
    additive: Additive = Additive.YES,
    minimum: int | None = 0,
    **more: Any,
) -> None:
    _field(name, Type.BIGINT, en, zh, doc_en, doc_zh, additive=additive, minimum=minimum, **more)


def _total(name: str, en: str, zh: str, doc_en: str, doc_zh: str, **more: Any) -> None:
    _count(name, en, zh, doc_en, doc_zh, additive=Additive.SEMI, **more)


def _index(name: str, en: str, zh: str, doc_en: str, doc_zh: str) -> None:
    _field(name, Type.DOUBLE, en, zh, doc_en, doc_zh, minimum=0)


def _code(name: str, en: str, zh: str, doc_en: str, doc_zh: str, **more: Any) -> None:
    """Define a whole number that encodes a kind or state and is never summed."""
    _field(name, Type.BIGINT, en, zh, doc_en, doc_zh, is_code=True, **more)


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
    "Requesting app (client_key). Ids of accounts, people and videos are valid within one app only.",
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
    "榜单名次，1 为第一；平台未给出时按列表顺序。", minimum=1, is_code=True,
)
_field(
    "position", Type.BIGINT, "Position", "序号",
    "Position in the list, 1 is first.", "在列表中的序号，从 1 开始。", minimum=1, is_code=True,
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
_text("title", "Title", "标题", "Title, of videos with hashtags; may be empty.", "标题，视频标题含话题，可能为空。")
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
    "0 无，1 新，2 推荐，3 热，4 爆，5 首发。", allowed=(0, 1, 2, 3, 4, 5), is_code=True,
)

# ---- videos
_field(
    "created_at", Type.TIMESTAMP, "Published at", "发布时间",
    "When the video or comment was created; null when the platform hides it (the video was made private).",
    "视频或评论的创建时间；平台隐藏时（视频转为私密）为空。",
)
_field(
    "is_reviewed", Type.BOOLEAN, "Review finished", "审核是否结束",
    "True when the review ended, passed or not. Dropped by the platform for mobile and web apps from 2024-12-13.",
    "审核是否结束（无论通过与否）；自 2024-12-13 起不再向移动/网站应用返回。",
)
_field("is_top", Type.BOOLEAN, "Pinned", "是否置顶", "A video pinned to the profile, a comment pinned under its video.", "视频在主页置顶，或评论在视频下置顶。")
_field(
    "video_status", Type.BIGINT, "Video status", "视频状态",
    "1 published (legacy), 2 unfit, 4 under review, 5 public, 6 friends only, 7 private; dropped for mobile and web apps from 2024-12-13.",
    "1 已发布（旧），2 不适宜公开，4 审核中，5 公开，6 好友可见，7 私密；自 2024-12-13 起不再向移动/网站应用返回。", is_code=True,
)
_field(
    "media_type", Type.BIGINT, "Media type", "内容类型",
    "2 photo album 图集, 4 video 视频.", "2 图集，4 视频。", is_code=True,
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
    "Which distribution the bucket belongs to: gender 性别, age 年龄, province 地域, active_days 活跃天数, device 设备, interest 兴趣, city 城市.",
    "分布所属维度：gender 性别，age 年龄，province 地域，active_days 活跃天数，device 设备，interest 兴趣，city 城市。",
    allowed=("gender", "age", "province", "active_days", "device", "interest", "city"),
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

# ---- people
for _name, _en, _zh, _doc_en, _doc_zh in (
    ("lead_open_id", "Lead", "意向用户 open_id", "The interested person, within this app.", "意向用户在本应用内的标识。"),
    ("actor_open_id", "Who acted", "互动用户 open_id", "The person who acted, within this app.", "发起互动的用户在本应用内的标识。"),
    ("from_user_id", "Sender", "发起方 open_id", "Who the event came from.", "事件的发起方。"),
    ("to_user_id", "Receiver", "接收方 open_id", "Who the event went to.", "事件的接收方。"),
    ("target_open_id", "Person", "用户 open_id", "The person whose consent it is, within this app.", "授权主动私信的用户在本应用内的标识。"),
    ("commenter_open_id", "Commenter", "评论者 open_id", "Who wrote the comment, within this app.", "评论者在本应用内的标识。"),
    ("author_open_id", "Author's id", "作者 open_id", "The author of a found video, within this app.", "搜索到的视频作者在本应用内的标识。"),
    ("union_id", "Developer-wide id", "开发者内用户标识", "The account's id shared by the apps of one developer; may be missing.", "同一开发者名下各应用共用的账号标识，可能缺失。"),
    ("from_author_id", "From author", "来源作者", "Author of the content that led to the consent.", "促成授权的内容作者。"),
    ("person_open_id", "Person", "用户 open_id", "The person on the other side of the account, within this app.", "与账号互动的用户在本应用内的标识。"),
    ("member_open_id", "Who joined", "入群用户 open_id", "The person who joined the group, within this app.", "加入群的用户在本应用内的标识。"),
    ("reader_open_id", "Who read", "已读用户 open_id", "The person or account that read the messages, within this app.", "已读消息的用户或账号在本应用内的标识。"),
    ("owner_open_id", "Owner of the group", "群主 open_id", "The account that owns the group, within this app.", "群主账号在本应用内的标识。"),
    ("at_user_id", "Who was mentioned", "被提及用户", "The person whom the comment mentions.", "评论提及的用户。"),
    ("from_att_uid", "From user", "来源用户", "User id behind the source of the consent, as the platform writes it.", "授权来源的用户标识（平台原文）。"),
    ("from_anchor_id", "From live host", "来源主播", "Live host whose live session led to the consent.", "促成授权的直播间主播。"),
):  # fmt: skip
    _text(_name, _en, _zh, _doc_en, _doc_zh, pii=Pii.PSEUDONYM)
_text("telephone", "Phone", "手机号", "Phone that the person left; empty when none.", "用户留下的手机号，没有则为空文本。", pii=Pii.SENSITIVE)
_text("wechat", "WeChat id", "微信号", "WeChat id that the person left; empty when none.", "用户留下的微信号，没有则为空文本。", pii=Pii.SENSITIVE)
_text("encrypted_mobile", "Encrypted phone", "加密手机号", "Phone of the account's owner, encrypted by the platform; needs a scope of its own.", "平台加密的账号手机号，需单独授权。", pii=Pii.SENSITIVE)
_text("city", "City of a person", "用户城市", "City that the person shows; empty when unknown.", "用户显示的城市，未知时为空文本。", pii=Pii.PERSONAL)
_text("province", "Province of a person", "用户省份", "Province that the person shows; empty when unknown.", "用户显示的省份，未知时为空文本。", pii=Pii.PERSONAL)
_text("country", "Country of a person", "用户国家", "Country that the person shows; empty when unknown.", "用户显示的国家，未知时为空文本。", pii=Pii.PERSONAL)
_code("gender", "Gender", "性别", "0 unknown, 1 male, 2 female.", "0 未知，1 男，2 女。", pii=Pii.PERSONAL)
_field("age", Type.BIGINT, "Age", "年龄", "Age in years; 0 is unknown.", "年龄（岁），0 为未知。", unit="years", pii=Pii.PERSONAL, minimum=0)
_text("account_role", "Enterprise role", "企业号类型", "EAccountM ordinary, EAccountS verified, EAccountK brand; empty for persons.", "EAccountM 普通企业号，EAccountS 认证企业号，EAccountK 品牌企业号；个人为空文本。")
_code("leads_level", "Level of interest", "意向等级", "-1 not interested 没兴趣, 0 aware 了解, 1 interested 有兴趣, 2 willing 有意愿, 10 converted 已转化.", "-1 没兴趣，0 了解，1 有兴趣，2 有意愿，10 已转化。")
_field("is_follow", Type.BOOLEAN, "Follows", "是否关注", "Follows the account.", "是否关注该账号。")
_text("tag_id", "Tag id", "标签 id", "Id of the tag within the account.", "标签在账号内的 id。")
_text("tag_name", "Tag", "标签名称", "Name of the tag.", "标签名称。")
_field("action_at", Type.TIMESTAMP, "Acted at", "互动时间", "When the person acted.", "用户互动的时刻。")
_code("action_type", "Kind of action", "互动类型", "1 private message 私信, 2 component 组件, 3 home page 主页.", "1 私信，2 组件，3 主页。")
_code("action_flag", "Sub-kind of action", "互动子类型", "With action_type: (1,1) phone left in chat, (2,52) landing page form, (2,53) merchant tab form, (3,101) smart phone call; others undisclosed.", "与 action_type 组合：(1,1) 私信留资，(2,52) 落地页表单，(2,53) 商家页表单，(3,101) 智能电话；其余未公布。")
_text("action_source", "Source of the action", "互动来源", "Where the person acted, in the platform's words.", "互动来源（平台原文）。")

# ---- events and messages
_text("event", "Event", "事件", "Name of the webhook event, e.g. im_receive_msg.", "Webhook 事件名，如 im_receive_msg。")
_field("event_at", Type.TIMESTAMP, "Event at", "事件时间", "When it happened.", "事件发生的时刻。")
_text(
    "event_id", "Event id", "事件标识",
    "Key of the event in the inbox: its Msg-Id, or a hash of its body where it had none. Retries of the platform carry the same.",
    "事件在收件箱中的键：Msg-Id，缺失时为内容哈希；平台重试时不变。",
)
_code("conversation_type", "Kind of conversation", "会话类型", "1 private 单聊, 2 group 群聊.", "1 单聊，2 群聊。")
_text("source_app", "Sent by app", "发送应用", "client_key of the app that sent the message; empty when it was sent by hand in Douyin.", "发出消息的应用 client_key；在抖音内手动发送时为空文本。")
_code("scene_type", "Scene number", "场景编号", "Scene of the event; the platform publishes no list of them.", "事件场景编号，平台未公布枚举。")
_text("card_id", "Lead card", "留资卡片 id", "Id of the lead card.", "留资卡片的 id。")
_code("card_status", "State of the card", "卡片状态", "1 is taken for filled in; the platform publishes no list.", "1 视为已提交，平台未公布枚举。")
_text("card_fields", "Card as filled in", "卡片内容", "What the person filled in, as a JSON list of labels and values.", "用户填写的内容，JSON 列表（标签与值）。", pii=Pii.SENSITIVE)
_text("ad_info", "Advertisement", "广告归因", "Which advertisement led to the chat, as JSON text.", "带来会话的广告信息，JSON 文本。")
_text("entry_scene", "Source scene", "来源场景", "Where the chat was opened from, in the older events.", "旧版事件中进入会话的来源场景。")
_text("entry_object", "Source object", "来源对象", "Id within the source scene, in the older events.", "旧版事件中来源场景内的对象 id。")
_code("operation_type", "What was done", "操作类型", "1 allowed; others are undocumented.", "1 授权，其余未公布。")
_code("auth_status", "State of the consent", "授权状态", "1 allowed, anything else not.", "1 已授权，其他为未授权。")
_field("updated_at", Type.TIMESTAMP, "Updated at", "更新时间", "When the consent last changed.", "授权最近变更的时刻。")
_field("expires_at", Type.TIMESTAMP, "Expires at", "到期时间", "When the consent ends.", "授权到期的时刻。")
_text("consent_source", "Source of the consent", "授权来源", "Scope text of the consent as sent.", "授权来源文本（平台原文）。")
_text("extra_text", "Extra", "附加信息", "Further text of the event as sent: where a consent came from, as JSON text.", "事件的附加文本（平台原文）：授权来源，JSON 文本。", pii=Pii.PERSONAL)
_text("log_id", "Trace id", "日志 log_id", "The platform's trace of the event; its support needs it.", "平台推送的追踪标识，排查问题时向平台提供。")
_code("read_index", "Read up to", "已读位置", "Place in the conversation up to which it was read, as the platform numbers it.", "会话中已读到的位置（平台编号）。")
_text("granted_scopes", "Scopes", "权限范围", "Scopes that were given or withdrawn, as a JSON list; private-message scopes are missing there.", "授予或撤回的权限，JSON 列表；不含私信类权限。")
_text("share_id", "Share id", "分享 id", "share_id that the app used.", "应用分享时使用的 share_id。")
_text("group_id", "Group", "群 id", "Id of the fan group.", "粉丝群 id。")
_text("apply_id", "Request to join", "加群申请 id", "Id of the request to join.", "加群申请的 id。")
_code("apply_status", "State of the request", "申请状态", "State of the request to join; 2 was seen, the list is unpublished.", "加群申请状态，见过 2，枚举未公布。")
_code("group_type", "Kind of group", "群类型", "Kind of group; the list is unpublished.", "群类型，枚举未公布。")
_text("created_how", "How the group came about", "建群方式", "How the group was made, as sent.", "建群方式（平台原文）。")
_text("event_content", "Event as sent", "事件原文", "The whole webhook envelope as JSON text; people's words are in it.", "完整的 Webhook 事件 JSON 文本，含用户消息内容。", pii=Pii.SENSITIVE)
_code("event_action", "Action of the event", "事件动作", "action_type of follow and like events; null for others.", "关注与点赞事件的 action_type；其他事件为空。")
_text("message_type", "Message type", "消息类型", "text, image, emoji, video, retain_consult_card, user_local_image, user_local_video or other.", "text、image、emoji、video、retain_consult_card、user_local_image、user_local_video 或 other。")
_text("message_text", "Message text", "消息文本", "Text of a message; null for other kinds.", "文本消息内容；其他类型为空。", pii=Pii.SENSITIVE)
_text("conversation_id", "Conversation", "会话 id", "conversation_short_id of the chat.", "会话的 conversation_short_id。")
_text("message_id", "Message id", "消息 id", "server_message_id of the message.", "消息的 server_message_id。")
_text("media_url", "Media address", "媒体地址", "Temporary address of what a person sent.", "用户所发媒体的临时地址。", pii=Pii.SENSITIVE)
_text("media_kind", "Kind of media", "媒体类型", "image or video.", "image 或 video。")
_text("source_app_id", "App of consent", "授权来源应用", "App in which the person consented.", "用户授权所在的应用。")
_text("data_im_extra", "Pass-through", "透传参数", "Text that the developer passed along.", "开发者透传文本。")
_text("query_text", "Query", "页面参数", "Query of the page on which the person consented.", "用户授权所在页面的参数。")
_text("path_text", "Page", "页面路径", "Page on which the person consented.", "用户授权所在的页面路径。")
_text("enter_from", "Where consent came from", "授权入口", "Where the consent came from, e.g. im_card.", "授权入口，如 im_card。")
_text("from_room_id", "From live room", "来源直播间", "Live session that led to the consent.", "促成授权的直播间。")
_text("from_conversation_id", "From conversation", "来源会话", "Conversation that led to the consent.", "促成授权的会话。")
_text("from_message_id", "From message", "来源消息", "Message that led to the consent.", "促成授权的消息。")
_text("from_group_id", "From group", "来源群", "Group that led to the consent.", "促成授权的群。")
_code("consent_status", "Consent", "授权状态", "Whether the person allows proactive messages: 1 yes, other values no.", "是否授权主动私信：1 为已授权，其他为未授权。")
_code("subscription_status", "Subscription", "订阅状态", "1 subscribed, 0 not.", "1 已订阅，0 未订阅。")

# ---- comments
_text("comment_id", "Comment id", "评论 id", "Encrypted comment id, valid within one app.", "加密的评论 id，仅在本应用内有效。")
_text("reply_id", "Reply id", "回复 id", "Encrypted id of the reply, valid within one app.", "加密的回复 id，仅在本应用内有效。")
_text("reply_to_id", "Answered comment", "被回复的评论 id", "The comment that this one answers, where the platform says so.", "被回复的评论 id（平台给出时）。")
_text("content", "Comment text", "评论内容", "The comment's text.", "评论内容。", pii=Pii.PERSONAL)
_total("reply_count", "Replies", "回复数", "Replies to the comment at the time of observation.", "截至采集时刻的回复数。")
_total("listed_count", "Comments listed", "列出的评论数", "How many comments the listing showed; replies are not among them.", "本次采集列出的评论条数，不含回复。")
_field(
    "is_whole", Type.BOOLEAN, "Read to the end", "是否读完",
    "Whether the listing was read to its end: a comment that was known before and is not in a whole listing has disappeared.",
    "本次是否读到列表末尾：此前已知而完整列表中没有的评论即已消失。",
)
_text("sec_item_id", "Found video", "搜索视频 id", "Id of a found video, for requesting its comments.", "搜索到的视频 id，用于查询其评论。")
_text("anchor_id", "Mounted component", "挂载组件 id", "Id of the component that is mounted on the video; mini-apps only.", "视频挂载的组件 id，仅小程序返回。")
_code("anchor_type", "Kind of component", "挂载组件类型", "Kind of the mounted component; mini-apps only.", "视频挂载的组件类型，仅小程序返回。")

# ---- places
_text("poi_id", "Place id", "门店 POI id", "Douyin's id of the place.", "抖音门店 POI id。")
_text("poi_name", "Place", "门店名称", "Name of the place.", "门店名称。")
_text("amap_id", "AMap id", "高德 POI id", "The place's id at AMap.", "高德地图的 POI id。")
_text("address", "Address", "地址", "Address of the place.", "门店地址。")
_text("location", "Coordinates, as sent", "坐标（原文）", "Longitude and latitude as one text; the coordinate system is undocumented (GCJ-02 assumed).", "经度与纬度的原文；坐标系未公布（推测为 GCJ-02）。")
_field("latitude", Type.DOUBLE, "Latitude", "纬度", "Latitude of the place.", "门店纬度。", unit="degrees", minimum=-90, maximum=90, is_code=True)
_field("longitude", Type.DOUBLE, "Longitude", "经度", "Longitude of the place.", "门店经度。", unit="degrees", minimum=-180, maximum=180, is_code=True)
_text("country_name", "Country of a place", "门店国家", "Country of the place.", "门店所在国家。")
_text("country_code", "Country code", "国家代码", "Country code.", "国家代码。")
_text("province_name", "Province of a place", "门店省份", "Province of the place.", "门店所在省份。")
_text("city_name", "City of a place", "门店城市", "City of the place.", "门店所在城市。")
_text("city_code", "City code", "城市代码", "Administrative division code.", "行政区划代码。")
_text("district", "District", "区县", "District.", "区县。")
_count("detail_views", "Page views", "详情页浏览量", "Views of the place's page on that day.", "当日门店详情页浏览量。")
_count("exposure_uv", "People reached", "曝光人数", "People who saw the services on that day; not additive over days.", "当日服务曝光人数，不可跨日相加。", additive=Additive.NO)
_count("click_uv", "People who clicked", "点击人数", "People who clicked on that day; not additive over days.", "当日服务点击人数，不可跨日相加。", additive=Additive.NO)
_count("order_count", "Orders", "成单数", "Successful orders on that day.", "当日成单数。")
_text("audience", "Audience", "人群", "visitors of the place, or buyers of its services.", "visitors 访客，buyers 成交用户。", allowed=("visitors", "buyers"))
_text("value_raw", "Value, as sent", "数值（原文）", "Share or count as the platform wrote it; the unit is undocumented.", "占比或数量的原文，单位未公布。")
_field("bucket_value", Type.DOUBLE, "Value", "数值", "value_raw as a number; null where it is none.", "value_raw 的数值；不是数字时为空。")
_code("poi_category", "Kind of place", "门店类目", "10 catering 餐饮, 20 scenic spots 景点, 30 lodging 住宿.", "10 餐饮，20 景点，30 住宿。", allowed=(10, 20, 30))
_text("score_raw", "Score, as sent", "热度分（原文）", "Score as the platform wrote it.", "热度分原文。")
_field("score", Type.DOUBLE, "Score", "热度分", "score_raw as a number; null where it is none.", "score_raw 的数值；不是数字时为空。")

# ---- films and series
_code("ent_type", "List", "榜单类型", "1 films 电影榜, 2 series 电视剧榜, 3 variety shows 综艺榜.", "1 电影榜，2 电视剧榜，3 综艺榜。", allowed=(1, 2, 3))
_code("version", "Issue", "榜单版本", "Number of the published week; null while the week is running.", "已发布一周的版本号；进行中的一周为空。")
_field("start_date", Type.DATE, "First day", "开始日期", "First day of the week, a Monday.", "榜单周的第一天（周一）。")
_field("end_date", Type.DATE, "Last day", "结束日期", "Last day of the week.", "榜单周的最后一天。")
_field("published_at", Type.TIMESTAMP, "Published", "发布时刻", "When the final list was published.", "最终榜的发布时刻。")
_text("title_id", "Title id", "影片 id", "Douyin's id of the film, series or show.", "抖音影片 id。")
_text("maoyan_id", "Maoyan id", "猫眼 id", "The title's id at Maoyan; empty when unknown.", "猫眼 id，未知时为空文本。")
_text("title_en", "English title", "英文名", "English title.", "英文片名。")
_field("release_date", Type.DATE, "Released", "上映日期", "Day of release; null where the platform sends none.", "上映日期；平台未给出时为空。")
_text("actors", "Cast", "演员", "Actors in the platform's order, joined by 、.", "演员，按平台顺序，以顿号分隔。")
_text("directors", "Directors", "导演", "Directors, joined by 、.", "导演，以顿号分隔。")
_text("areas", "Regions", "地区", "Regions, joined by 、.", "地区，以顿号分隔。")
_text("tags", "Genres", "题材标签", "Genres, joined by 、.", "题材标签，以顿号分隔。")
_text("poster_url", "Poster", "海报", "Poster address; may expire.", "海报地址，可能失效。")
_index("discussion_hot", "Discussion heat", "讨论热度", "Heat from discussion; scale undocumented.", "讨论热度，量纲未公布。")
_index("influence_hot", "Influence heat", "影响热度", "Heat from influence; scale undocumented.", "影响热度，量纲未公布。")
_index("search_hot", "Search heat", "搜索热度", "Heat from searches; scale undocumented.", "搜索热度，量纲未公布。")
_index("topic_hot", "Topic heat", "话题热度", "Heat from topics; scale undocumented.", "话题热度，量纲未公布。")

# ---- the platform about the app
_text("counted_at_text", "Time bucket", "统计时段", "Time bucket as the platform writes it.", "统计时段原文。")
_text("scope", "Scope", "能力 scope", "Capability that was counted.", "被统计的能力 scope。")
_text("interface", "Path", "接口路径", "Path that was called.", "被调用的接口路径。")
_count("call_count", "Calls", "调用量", "Calls that the platform counted.", "平台统计的调用量。")

for _module in MODULES:
    _FIELDS += getattr(_module, "FIELDS", ())

FIELDS: dict[str, Field] = {f.name: f for f in _FIELDS}
if len(FIELDS) != len(_FIELDS):
    raise ValueError("a field is defined twice in catalog/fields.py and catalog/endpoints")
