"""Annotate columns with their names in the platform's documentation and with known differences of their numbers.

All of it comes from the contract (``contract/GUIDE.md``, ``contract/openapi.yaml``); nothing was compared with a live
page. Names on 创作者服务平台 and in the Douyin app are therefore unknown. Reasons why a number differs from what they show go
only as far as the contract does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one column beyond its definition.

    ``platform_name`` is the Chinese label of the platform's documentation, word for word; None if the contract has
    none. ``differs_*`` explain which similar number this one must not be confused with, or why the two differ.
    """

    platform_name: str | None = None
    differs_en: str | None = None
    differs_zh: str | None = None


_SERIES = (
    "Known the day after (T+1, about 10:00 Beijing); an empty answer before that is not yet, not zero. Whether the platform corrects its series is not documented: the last three days are read again every day, the whole window on Mondays.",
    "次日（T+1，约北京时间 10:00）产出；此前为空表示尚未产出，不是 0。平台是否事后修正未说明：最近三天每天重读，整个窗口每周一重读。",
)
_OF_VIDEO = (
    f"{_SERIES[0]} Only videos of the account that were created within the last 30 days have a series, so its sum is no lifetime total.",
    f"{_SERIES[1]}仅发布 30 天内的本账号视频有序列，其合计不是累计总量。",
)
_OF_ACCOUNT = (
    f"{_SERIES[0]} Counts all videos of the account, so it is more than the sum of the series of videos, which are of young videos only. Complete only from the day after the first consent.",
    f"{_SERIES[1]}统计账号全部视频，因此大于各视频序列之和（后者只含发布 30 天内的视频）。首次授权次日起才完整。",
)
_TOTAL = (
    "Lifetime total at the instant of the call. May fall: contents are deleted, made private, or taken away by the platform.",
    "调用时刻的累计值；内容被删除、转私密或被平台核减时会下降。",
)
_ROLLING = (
    "A rolling sum of the last 30 days: it falls when a good day leaves the window. Neither a lifetime total (video_totals) nor to be differenced day by day.",
    "近 30 天滚动合计，高峰日移出窗口时会下降；既不是累计总量（见 video_totals），也不能逐日做差分。",
)
_HEAT = (
    "Scale undocumented; compare within one list only, never over lists or days.",
    "量纲未公布，只能在同一份榜单内比较，不能跨榜单或跨日比较。",
)
_BOARD_DAY = (
    "Of the last 24 hours, produced before 10:00 Beijing; the list has no date parameter, so a day is the day of observation.",
    "近 24 小时口径，北京时间 10:00 前产出；榜单没有日期参数，日期为采集日。",
)
_BY_VISITORS = (
    "Distinct people of one day: the sum over days or places counts people again.",
    "当日去重人数：跨日或跨门店相加会重复计人。",
)
_POI = (
    "Documentation of 2021–2024 only; the newest official SDK has no such operation.",
    "仅见于 2021–2024 年的文档，最新官方 SDK 中已无此接口。",
)
_UNIT = (
    "Share or count: the documentation does not say which. Raw text beside it.",
    "占比还是数量，文档未说明；原文另存。",
)
_CENSUS = (
    "Distributions cover the fans whose bucket the platform knows; their sum need not reach all_fans_num. Each dimension counts the same fans again.",
    "分布只含平台已知区间的粉丝，合计不一定等于 all_fans_num；各维度重复计入同一批粉丝。",
)
_REMOVED = (
    "Operations of leads were removed by the platform (notice of 2023-05-31); shown for who still has them.",
    "意向用户接口已被平台下线（2023-05-31 公告），仅供仍拥有该能力的应用使用。",
)

NOTES: Mapping[tuple[str, str], Note] = {
    # ---- hot words
    ("", "sentence"): Note("热点词"),
    ("", "hot_level"): Note(
        "热度",
        "Composite of likes, comments and reposts; formula and scale undocumented. The list is refreshed about every two hours, so two observations may show the same list.",
        "由点赞、评论、转发综合得出，公式与量纲未公布。榜单约两小时刷新一次，两次采集可能是同一份榜单。",
    ),
    ("hot_words_rising", "hot_level"): Note(
        "热度",
        "Same word and heat as in the hot word list, another list: a rising word need not be on the list of hot words. Pages may shift while the list is refreshed.",
        "与热点词榜同口径，但为另一份榜单：上升词不一定在热点词榜上。翻页期间榜单刷新会造成错位。",
    ),
    ("", "label"): Note("标签"),
    ("hot_words", "rank"): Note(None, "The platform sends no rank: it is the order of the list.", "平台不返回名次，按列表顺序编号。"),
    ("hot_words_rising", "rank"): Note(None, "The platform sends no rank: it is the order over all pages.", "平台不返回名次，按各页合并后的顺序编号。"),
    ("hot_word_videos", "rank"): Note(None, "Order within the word; the platform sends no rank.", "词内顺序，平台不返回名次。"),
    # ---- billboards
    ("", "effect_value"): Note("影响力指数", "Scale undocumented; may be fractional; compare within one billboard only.", "量纲未公布，可能带小数，只能在同一榜单内比较。"),
    ("", "hot_value"): Note("热度指数", *_HEAT),
    ("billboard_live", "hot_value"): Note(None, *_HEAT),
    ("ent_ranks", "hot_value"): Note(
        "热度值",
        "Total heat; sent as text in exponent form (1.361e+06) too, so its last digits may be rounded by the platform. The list of the running week changes daily between 12:00 and 24:00; only the issue of Monday 12:00 is final.",
        "总热度；平台也会以指数形式文本返回（1.361e+06），末位可能已被舍入。进行中一周的榜单每天 12:00–24:00 更新，周一 12:00 发布的才是终榜。",
    ),
    ("fans_interests", "hot_value"): Note(None, "Heat index of a keyword; scale undocumented. Threshold 10,000 fans (page of the API) or 3,000 (page of the capability): the two disagree.", "关键词热度指数，量纲未公布。门槛在接口页为 1 万粉丝、在能力页为 3 千，两处不一致。"),
    ("fans_comment_words", "hot_value"): Note(None, "Heat index of a keyword; scale undocumented. No list below 3,000 fans.", "关键词热度指数，量纲未公布；不足 3 千粉丝时无列表。"),
    ("fans_comment_words", "keyword"): Note("热评词", "Keywords with a heat, not texts of comments (those are in comments).", "带热度的关键词，不是评论原文（原文见 comments）。"),
    ("", "rank_change"): Note("排名变化", "Text of the platform against its list before; marts.billboard_moves compares the lists that were observed, and may differ.", "平台相对上一期的文本；marts.billboard_moves 按实际采集的榜单比较，二者可能不同。"),
    ("", "rank_delta"): Note("排名变化", "The platform's own change as a number; see rank_change.", "平台给出的变化转为数值，见 rank_change。"),
    ("", "follower_count"): Note("粉丝数", "As shown with the list; the definition (with Douyin Lite and Huoshan or without) is not documented.", "随榜单返回；是否含极速版与火山版未说明。"),
    ("", "on_billboard_times"): Note("上榜次数", "Counted by the platform over a period that it does not name; days_on_board of marts.billboard_moves counts observed days.", "平台统计，周期未说明；marts.billboard_moves 的 days_on_board 按采集到的天数计。"),
    ("billboard_videos", "play_count"): Note(None, "As shown with the list of the last 24 hours; the documentation does not say whether it is a total or of those hours.", "随近 24 小时榜单返回，文档未说明是累计值还是 24 小时值。"),
    ("billboard_videos", "digg_count"): Note(None, "As play_count of this list.", "口径同本榜单的 play_count。"),
    ("billboard_videos", "comment_count"): Note(None, "As play_count of this list.", "口径同本榜单的 play_count。"),
    ("billboard_videos", "hot_words"): Note("视频热词"),
    ("billboard_videos", "author"): Note("发布者昵称"),
    ("billboard_creators", "nickname"): Note("昵称", "No billboard gives a stable creator id: people of one name cannot be distinguished, and who changes the name counts as a new person.", "榜单不返回稳定的创作者 id：同名无法区分，改名即视为新人。"),
    ("billboard_stars", "nickname"): Note("明星昵称"),
    ("billboard_live", "nickname"): Note("主播昵称"),
    ("billboard_topics", "title"): Note("话题"),
    ("billboard_music", "title"): Note("歌名"),
    ("billboard_music", "author"): Note("歌手"),
    ("billboard_props", "prop_name"): Note("道具名"),
    ("", "show_count"): Note("展现量", "Period undocumented.", "统计周期未说明。"),
    ("", "shoot_count"): Note("拍摄量", "Period undocumented.", "统计周期未说明。"),
    ("", "use_count"): Note("使用量"),
    ("", "duration_s"): Note("时长"),
    ("", "daily_play_count"): Note(None, *_BOARD_DAY),
    ("", "daily_issue_count"): Note("日投稿量", *_BOARD_DAY),
    ("", "daily_issue_ratio"): Note("日投稿率", "Sent as percent text; its base is undocumented.", "以百分比文本返回，分母未说明。"),
    ("", "daily_collection_count"): Note("日收藏量", *_BOARD_DAY),
    # ---- films and series
    ("ent_ranks", "title"): Note("片名"),
    ("", "title_id"): Note("影片 id"),
    ("", "maoyan_id"): Note("猫眼 id"),
    ("", "release_date"): Note("上映时间"),
    ("", "version"): Note("榜单版本"),
    ("", "published_at"): Note("榜单生成时间"),
    ("", "discussion_hot"): Note("讨论热度", *_HEAT),
    ("", "influence_hot"): Note("影响力", *_HEAT),
    ("", "search_hot"): Note("搜索指数", *_HEAT),
    ("", "topic_hot"): Note("话题热度值", *_HEAT),
    ("hot_words", "active_at"): Note("刷新时间"),
    ("ent_ranks", "active_at"): Note(None, "Live answers were seen with the day alone: then it is null and active_date holds the day.", "线上返回曾只有日期：此时为空，日期见 active_date。"),
    # ---- fans
    ("", "all_fans_num"): Note(
        "粉丝总数",
        "Includes fans of Douyin Lite and Huoshan (抖音极速版、火山版), T+1, so it differs from total_fans of user_fans, whose coverage the documentation does not state. No row at 100 fans or fewer.",
        "含抖音极速版与火山版粉丝，T+1；与 user_fans 的 total_fans 不同（后者的统计范围文档未说明）。粉丝数不超过 100 时无数据行。",
    ),
    ("", "fans"): Note(None, *_CENSUS),
    ("", "bucket_raw"): Note(None, "Edges and separators of buckets changed over time (24~29, 31-40, 20+); provinces lack 省/市.", "区间边界与分隔符随时间变化（24~29、31-40、20+）；省份不带“省/市”。"),
    ("", "fans_sum"): Note(None, "What fans contributed; over which period is undocumented. vv are plays.", "由粉丝贡献的部分，统计周期未说明；vv 即播放。"),
    ("", "all_sum"): Note(None, "Over which period is undocumented; it need not equal the sum of the daily series.", "统计周期未说明，不必等于每日序列之和。"),
    ("", "flow"): Note("流量贡献"),
    ("", "fan_source"): Note("来源"),
    ("fans_sources", "share_ratio"): Note(None, "Of the fans of the last 30 days, not of all fans; sent as percent text with two decimals, so shares need not add up to 1.", "近 30 天的粉丝来源，不是全部粉丝；平台以两位小数百分比返回，合计不一定为 1。"),
    # ---- videos
    ("", "item_id"): Note("视频 id", "Valid within one app: the same video has another id in another app.", "仅在本应用内有效：同一视频在不同应用中的 id 不同。"),
    ("", "video_id"): Note("视频真实 id"),
    ("", "cover_url"): Note("封面"),
    ("", "created_at"): Note("创建时间", "0 of the platform (the video became private) is null here.", "平台返回 0（视频转私密）时此处为空。"),
    ("", "is_reviewed"): Note("审核是否结束"),
    ("", "is_top"): Note("置顶"),
    ("", "video_status"): Note("视频状态"),
    ("", "play_count"): Note(
        "播放数",
        f"{_TOTAL[0]} 0 after a public video was made private, with created_at null: that is no loss of plays. Plays are 播放数; vv of fans_flow counts the same kind of thing over another period.",
        f"{_TOTAL[1]}公开视频转私密后返回 0，且 created_at 为空，并非播放减少。fans_flow 的 vv 也是播放，但周期不同。",
    ),
    ("", "digg_count"): Note("点赞数", *_TOTAL),
    ("", "comment_count"): Note(
        "评论数",
        f"{_TOTAL[0]} Whether replies are in it is undocumented; comments lists only what is visible now and without replies, so fewer rows than this are normal.",
        f"{_TOTAL[1]}是否含回复未说明；comments 只列出当前可见的评论且不含回复，行数少于此值属正常。",
    ),
    ("", "download_count"): Note("下载数", *_TOTAL),
    ("", "forward_count"): Note("转发数", f"{_TOTAL[0]} Reposts within Douyin; shares are share_count.", f"{_TOTAL[1]}为转发；分享见 share_count。"),
    ("", "share_count"): Note("分享数", f"{_TOTAL[0]} Shares; reposts are forward_count.", f"{_TOTAL[1]}为分享；转发见 forward_count。"),
    ("comments", "digg_count"): Note(None, "Likes of the comment, not of the video.", "评论的点赞，不是视频的点赞。"),
    ("search_videos", "play_count"): Note(
        None,
        "As sent for a found video; the documentation calls plays meaningful for the author only, so plays of other people's videos may be 0.",
        "随搜索结果返回；文档称播放数仅对作者有意义，他人视频的播放数可能为 0。",
    ),
    ("hot_word_videos", "play_count"): Note(
        None,
        "As sent for a video of others; the documentation calls plays meaningful for the author only, so it may be 0.",
        "为他人视频；文档称播放数仅对作者有意义，因此可能为 0。",
    ),
    # ---- series of videos and accounts
    ("", "plays"): Note("每日播放数", *_OF_VIDEO),
    ("", "likes"): Note("每日点赞数", *_OF_VIDEO),
    ("", "comments"): Note("每日评论数", f"{_OF_VIDEO[0]} A number: texts are in the table comments.", f"{_OF_VIDEO[1]}只是数量，评论内容见 comments 表。"),
    ("", "shares"): Note("每日分享数", *_OF_VIDEO),
    ("", "plays_30d"): Note(None, *_ROLLING),
    ("", "likes_30d"): Note(None, *_ROLLING),
    ("", "comments_30d"): Note(None, *_ROLLING),
    ("", "shares_30d"): Note(None, *_ROLLING),
    ("", "avg_play_duration_s"): Note("平均播放时长", "Over the last 30 days. To average videos, weight by plays_30d.", "近 30 天口径；跨视频平均时应按 plays_30d 加权。"),
    ("", "new_issue"): Note("每日发布内容数", *_SERIES),
    ("", "total_issue"): Note("每日内容总数", f"{_SERIES[0]} Contents, not rows of videos: whether private ones are in it is undocumented.", f"{_SERIES[1]}为内容总数，是否含私密内容未说明，不必等于 videos 的行数。"),
    ("", "new_play"): Note("每天新增视频播放", *_OF_ACCOUNT),
    ("", "new_like"): Note("新增点赞", *_OF_ACCOUNT),
    ("", "new_comment"): Note("新增评论", *_OF_ACCOUNT),
    ("", "new_share"): Note("新增分享", *_OF_ACCOUNT),
    ("", "new_fans"): Note(
        "每天新粉丝数",
        "May be net (gained less lost) and negative; unconfirmed. net_fans of marts.account_daily is the difference of total_fans of two days, is net for certain, and may differ from it. T+1.",
        "可能是净增（新增减取关），可能为负，未经确认。marts.account_daily 的 net_fans 由两日 total_fans 相减，必为净增，二者可能不同。T+1。",
    ),
    ("", "total_fans"): Note(
        "每日总粉丝数",
        "At the end of the day, T+1. Whether Douyin Lite and Huoshan are in it is undocumented; all_fans_num of fans_profile includes them.",
        "当日末值，T+1。是否含极速版与火山版未说明；fans_profile 的 all_fans_num 含。",
    ),
    ("", "profile_uv"): Note("当日个人主页访问人数", *_BY_VISITORS),
    # ---- comments
    ("", "comment_id"): Note("评论 id"),
    ("", "content"): Note("评论内容"),
    ("", "commenter_open_id"): Note("评论者 open_id"),
    ("", "reply_count"): Note("回复数", "May be more than comment_replies has: replies are read of comments that changed, and deleted ones vanish silently.", "可能多于 comment_replies 的行数：只读取有变化的评论的回复，已删除的回复不会返回。"),
    ("", "listed_count"): Note(None, "Comments visible now, without replies: fewer than comment_count where some were deleted, are under review or hidden.", "当前可见的评论数，不含回复；评论被删除、审核中或隐藏时少于 comment_count。"),
    # ---- leads
    ("", "telephone"): Note("手机号", *_REMOVED),
    ("", "wechat"): Note(None, *_REMOVED),
    ("", "lead_open_id"): Note("意向用户 open_id"),
    ("", "is_follow"): Note("是否关注"),
    ("", "leads_level"): Note(None, *_REMOVED),
    ("", "age"): Note(None, "0 is unknown: leave it out of averages.", "0 表示未知，求平均时应排除。"),
    ("", "tag_id"): Note("标签 id"),
    ("lead_actions", "action_at"): Note(None, "How far back the platform reports is undocumented.", "平台可回溯的时间未说明。"),
    # ---- places
    ("", "detail_views"): Note("详情页 PV", f"Page views, not visitors. {_POI[0]}", f"为浏览次数，不是人数。{_POI[1]}"),
    ("", "exposure_uv"): Note("曝光 UV", f"{_BY_VISITORS[0]} {_POI[0]}", f"{_BY_VISITORS[1]}{_POI[1]}"),
    ("", "click_uv"): Note("点击 UV", f"{_BY_VISITORS[0]} {_POI[0]}", f"{_BY_VISITORS[1]}{_POI[1]}"),
    ("", "order_count"): Note("成交次数", f"Successful bookings; whether refunds are taken off is undocumented. {_POI[0]}", f"成交次数，是否扣除退款未说明。{_POI[1]}"),
    ("", "bucket_value"): Note(None, *_UNIT),
    ("", "value_raw"): Note(None, *_UNIT),
    ("", "score"): Note(None, f"Of the last 30 days; scale undocumented. {_POI[0]}", f"近 30 天口径，量纲未公布。{_POI[1]}"),
    ("", "location"): Note(None, "Longitude first; the coordinate system is undocumented, GCJ-02 is assumed: WGS-84 maps show it hundreds of metres off.", "经度在前；坐标系未说明，推测为 GCJ-02，在 WGS-84 地图上会偏移数百米。"),
    # ---- the platform about the app
    ("", "call_count"): Note(None, "The platform's own count (old operation, unverified); meta.quotas has the calls that the pipeline made itself.", "平台自身的统计（旧接口，未核实）；流水线自己发出的调用见 meta.quotas。"),
    # ---- marts: what is made of several numbers
    ("account_daily", "net_fans"): Note(None, "Difference of total_fans of two days; new_fans is the platform's own number and may count gains only.", "由两日 total_fans 相减；new_fans 为平台自报，可能只计新增。"),
    ("account_daily", "engagement_ratio"): Note(None, "Likes, comments and shares of the day over plays of the day, whatever day those who liked had watched. No operation gives saves (收藏) of videos, so tools that count them show higher rates, as do those that divide by other plays or over another period.", "当日点赞、评论、分享之和除以当日播放。平台接口不提供视频收藏数，因此低于计入收藏的工具；分母或周期不同的工具也会不同。"),
    ("account_daily", "interactions"): Note(None, "Without saves (收藏) of videos: no operation gives them.", "不含视频收藏：平台接口未提供。"),
    ("video_daily", "play_delta"): Note(None, "From delta_since to totals_at, not a calendar day: it differs from plays, which the platform counts from midnight to midnight and one day later.", "为 delta_since 至 totals_at 的增量，不是自然日；与 plays（平台按自然日统计、T+1）不同。"),
    ("video_performance", "is_low_play"): Note(None, "A comparison with the account's own videos. The platform does not report whether it limits a video: there may be other reasons.", "仅与账号自身视频比较。平台不会告知是否限流，也可能是其他原因。"),
    ("video_performance", "play_count"): Note(None, "The sum of a series and a lifetime total differ; play_basis says which it is, and only videos of the same basis are compared.", "序列合计与累计值口径不同；play_basis 标明来源，只比较同来源的视频。"),
    ("fan_portrait", "share_ratio"): Note(None, *_CENSUS),
    ("comment_needs", "comments"): Note(None, "May be summed over days and accounts, not over needs: a comment may have several.", "可跨日、跨账号求和，不可跨需求类别求和：一条评论可有多类需求。"),
    ("comment_needs", "questions"): Note(None, "As comments: not over needs.", "同 comments：不可跨需求类别求和。"),
    ("comment_needs", "likes_of_comments"): Note(None, "As comments: not over needs. As they were when the day was made.", "同 comments：不可跨需求类别求和；为计算时的点赞数。"),
    ("comment_needs", "sentiment_mean"): Note(None, "A small lexicon counts words; irony and context are lost on it. A tendency, no measurement.", "小词典计分，不识别反讽与语境，只反映倾向。"),
    ("comment_words", "comments"): Note(None, "May be summed over days and accounts, not over words: a comment has many.", "可跨日、跨账号求和，不可跨词求和。"),
    ("comment_words", "day_comments"): Note(None, "The same number stands beside every word of the day: take it once a day.", "同一天每个词旁均为同一数值，每天只取一次。"),
    ("lead_funnel", "people"): Note(None, "Distinct people of one row; over rows and days people count again.", "为单行内去重人数，跨行或跨日会重复计人。"),
    ("billboard_moves", "days_on_board"): Note(None, "Days that were observed; the platform's own count is on_billboard_times of billboard_creators.", "按采集到的天数计；平台自身的统计见 billboard_creators 的 on_billboard_times。"),
    ("billboard_moves", "rank_change"): Note(None, "From two observed lists, positive is up; the platform's own text is rank_change of billboard_creators.", "由两次采集的榜单比较，正数为上升；平台自身的文本见 billboard_creators 的 rank_change。"),
    ("campaign_effect", "uplift"): Note(None, "Only as good as the control group is big: where its interval holds 0, nothing is shown.", "取决于对照组规模；区间包含 0 即未见效果。"),
}  # fmt: skip
"""(table, column) -> note. An empty table stands for every core table that has the column; marts have their plain
names.
"""


def note_of(table: str, column: str) -> Note:
    """Return the note of a core table's column; a note of the table itself precedes one of all tables."""
    own, general = NOTES.get((table, column), _NONE), NOTES.get(("", column), _NONE)
    return Note(
        own.platform_name or general.platform_name,
        own.differs_en or general.differs_en,
        own.differs_zh or general.differs_zh,
    )


_NONE = Note()
