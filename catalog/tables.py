"""Define the core tables.

Tables come before endpoints: all creator billboards share one row shape, so they are one table with a ``board``
column.
"""

from __future__ import annotations

from catalog.endpoints import MODULES
from catalog.fields import FIELDS
from catalog.records import History, Table

_SNAPSHOT, _WINDOW, _LISTING, _VERSION, _EVENT = (
    History.SNAPSHOT,
    History.WINDOW,
    History.LISTING,
    History.VERSION,
    History.EVENT,
)

_VIDEO = (
    "video_id", "title", "cover_url", "created_at", "is_reviewed", "is_top", "share_url", "video_status", "media_type",
)  # fmt: skip
VIDEO_TOTALS = ("comment_count", "digg_count", "download_count", "forward_count", "play_count", "share_count")

_COMMENT = (
    "commenter_open_id", "content", "created_at", "is_top", "digg_count", "reply_count", "avatar_url", "nickname", "reply_to_id",
)  # fmt: skip
_WHENCE = (
    "data_im_extra", "query_text", "path_text", "enter_from", "from_room_id", "from_anchor_id", "from_att_uid", "from_conversation_id",
    "from_message_id", "from_group_id", "from_author_id",
)  # fmt: skip

_WHO = ("event_id", "open_id", "person_open_id")
_CHAT = ("conversation_id", "message_id", "conversation_type", "event_at")

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
    # ---- films and series 影视综榜单
    Table(
        "ent_rank_versions", "ent_rank", "Weeks of the film and series lists", "影视综榜单版本",
        "Published weeks of the film, series and variety lists.", "电影榜、电视剧榜、综艺榜已发布的各周。",
        _LISTING, ("ent_type", "version", "start_date", "end_date", "published_at"), ("ent_type", "version"),
    ),
    Table(
        "ent_ranks", "ent_rank", "Film and series lists", "影视综榜单",
        "The lists of a week, which begins on the Monday dt: each observation of the running week, and the final list (version is not null). rank is the order of the list.",
        "某一周（dt 为周一）的榜单：进行中一周的每次采集，以及最终榜（version 非空）；名次为列表顺序。",
        _VERSION,
        (
            "ent_type", "version", "rank", "title_id", "maoyan_id", "title", "title_en", "release_date", "actors", "directors", "areas", "tags",
            "poster_url", "hot_value", "discussion_hot", "influence_hot", "search_hot", "topic_hot", "active_date", "active_at",
        ),
        ("ent_type", "rank"),
    ),
    # ---- accounts 账号
    Table(
        "account_profiles", "account", "Profiles of accounts", "账号资料",
        "The public profile of each account as observed.", "各授权账号的公开资料。",
        _SNAPSHOT,
        (
            "open_id", "union_id", "nickname", "avatar_url", "gender", "city", "province", "country", "account_role", "encrypted_mobile",
        ),
        ("open_id",),
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
        _LISTING, ("open_id", "item_id", *_VIDEO, "anchor_id", "anchor_type"), ("open_id", "item_id"),
    ),
    Table(
        "video_totals", "video", "Video totals", "视频累计数据",
        "Lifetime totals of each video at the instant of observation; difference them with care, they may fall.",
        "各视频在采集时刻的累计数据；做差分时注意可能下降。",
        _SNAPSHOT, ("open_id", "item_id", *VIDEO_TOTALS), ("open_id", "item_id"),
    ),
    Table(
        "search_videos", "video", "Found videos", "搜索到的视频",
        "Videos that a watched keyword found, with their totals at that instant; open_id is the requesting account.",
        "关注的搜索词所搜到的视频及其当时的累计数据；open_id 为代为搜索的账号。",
        _SNAPSHOT,
        ("open_id", "keyword", "rank", "item_id", *_VIDEO, *VIDEO_TOTALS, "sec_item_id", "author_open_id", "nickname", "avatar_url"),
        ("open_id", "keyword", "item_id"),
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
    # ---- comments 评论
    Table(
        "comments", "comment", "Comments", "评论",
        "Comments of the accounts' videos as they were when last seen on the day. With comment_reads they show edits and disappearances.",
        "账号视频的评论，按当日最后一次采集的状态；与 comment_reads 一起可看出修改与消失。",
        _LISTING, ("open_id", "item_id", "comment_id", *_COMMENT), ("open_id", "item_id", "comment_id"),
    ),
    Table(
        "comment_reads", "comment", "Readings of comments", "评论采集记录",
        "For each video whose comments were read: how many were listed, and whether the list was read to its end.",
        "每个被采集评论的视频：列出的评论条数，以及是否读到列表末尾。",
        _LISTING, ("open_id", "item_id", "listed_count", "is_whole"), ("open_id", "item_id"),
    ),
    Table(
        "comment_replies", "comment", "Replies", "评论回复",
        "Replies to comments of the accounts' videos as they were when last seen on the day.",
        "账号视频评论的回复，按当日最后一次采集的状态。",
        _LISTING, ("open_id", "item_id", "comment_id", "reply_id", *_COMMENT), ("open_id", "item_id", "comment_id", "reply_id"),
    ),
    Table(
        "search_comments", "comment", "Comments of found videos", "搜索视频的评论",
        "Comments of videos that a watched keyword found; open_id is the requesting account.",
        "关注的搜索词所搜到视频的评论；open_id 为代为查询的账号。",
        _LISTING, ("open_id", "sec_item_id", "comment_id", *_COMMENT), ("open_id", "sec_item_id", "comment_id"),
    ),
    Table(
        "search_comment_replies", "comment", "Replies under found videos", "搜索视频的评论回复",
        "Replies to comments of found videos; open_id is the requesting account.",
        "关注的搜索词所搜到视频的评论回复；open_id 为代为查询的账号。",
        _LISTING, ("open_id", "sec_item_id", "comment_id", "reply_id", *_COMMENT), ("open_id", "sec_item_id", "comment_id", "reply_id"),
    ),
    # ---- leads 意向用户
    Table(
        "lead_ids", "lead", "Ids of leads", "意向用户 id",
        "The people on each account's list of leads; the list may name people whose details it does not send.",
        "各账号意向用户列表中的用户 id；列表可能只给 id 不给详情。",
        _LISTING, ("open_id", "lead_open_id"), ("open_id", "lead_open_id"),
    ),
    Table(
        "leads", "lead", "Leads", "意向用户",
        "Interested people of each account as they were when last seen on the day.",
        "各账号的意向用户，按当日最后一次采集的状态。",
        _LISTING,
        (
            "open_id", "lead_open_id", "nickname", "avatar_url", "telephone", "wechat", "city", "gender", "age", "leads_level", "is_follow",
        ),
        ("open_id", "lead_open_id"),
    ),
    Table(
        "lead_taggings", "lead", "Tags of leads", "意向用户的标签",
        "Which lead carries which tag, as the leads themselves say.", "意向用户身上的标签（按用户返回）。",
        _LISTING, ("open_id", "lead_open_id", "tag_id", "tag_name"), ("open_id", "lead_open_id", "tag_id"),
    ),
    Table(
        "lead_actions", "lead", "Actions of leads", "意向用户互动记录",
        "What each lead did, as far back as the platform reports.", "意向用户的互动记录，回溯深度由平台决定。",
        _LISTING, ("open_id", "lead_open_id", "action_at", "action_type", "action_flag", "action_source"),
        ("open_id", "lead_open_id", "action_at", "action_type"),
    ),
    Table(
        "lead_tags", "lead", "Tags", "意向用户标签",
        "The tags that each account made.", "各账号建立的标签。",
        _LISTING, ("open_id", "tag_id", "tag_name"), ("open_id", "tag_id"),
    ),
    Table(
        "lead_tag_people", "lead", "People of tags", "标签下的用户",
        "Which people carry a tag, as the tags say.", "各标签下的用户（按标签返回）。",
        _LISTING, ("open_id", "tag_id", "lead_open_id"), ("open_id", "tag_id", "lead_open_id"),
    ),
    Table(
        "lead_events", "lead", "Interaction log", "意向用户互动日志",
        "Events between people and the account within the three days before they were requested, or since the last run; days that a backfill filled have their own. The same event is seen on several days, `lead_events_latest` has each once.",
        "采集前三天（或上次采集以来）用户与账号的互动事件；补采的日期为当日的事件。同一事件会在多日出现，视图 lead_events_latest 中每个事件一行。",
        _LISTING,
        (
            "open_id", "event", "actor_open_id", "event_at", "from_user_id", "to_user_id", "message_type", "message_text", "conversation_id",
            "message_id", "event_action", "event_content",
        ),
        ("open_id", "event", "actor_open_id", "event_at"),
    ),
    # ---- private messages 私信
    Table(
        "im_consents", "im", "Consents to messages", "主动私信授权",
        "People who allow proactive messages, with where their consent came from.", "授权主动私信的用户及授权来源。",
        _LISTING, ("open_id", "target_open_id", "source_app_id", *_WHENCE), ("open_id", "target_open_id"),
    ),
    Table(
        "im_consent_status", "im", "State of consents", "主动私信授权状态",
        "Whether people who acted lately allow proactive messages.", "近期有互动的用户是否授权主动私信。",
        _SNAPSHOT, ("open_id", "target_open_id", "consent_status", *_WHENCE), ("open_id", "target_open_id"),
    ),
    Table(
        "im_media", "im", "Media of messages", "私信多媒体",
        "Temporary addresses of pictures and videos that people sent.", "用户在私信中发送的图片与视频的临时地址。",
        _SNAPSHOT, ("open_id", "conversation_id", "message_id", "media_url", "media_kind"), ("open_id", "conversation_id", "message_id"),
    ),
    # ---- webhook events 事件
    Table(
        "webhook_events", "ops", "Webhook events", "Webhook 事件",
        "Every event received on the day, once, of names that the catalogue does not know, too; the tables beside it hold what each kind says. The body as sent is in the archive.",
        "当日收到的每个事件各一行，包括目录未收录的事件；内容见各事件表，原文在归档中。",
        _EVENT, ("event_id", "event", "from_user_id", "to_user_id", "log_id"), ("event_id",),
    ),
    Table(
        "im_messages", "im", "Private messages", "私信消息",
        "Messages received and sent, of private chats and groups; event says which (im_receive_msg, im_send_msg …).",
        "收到与发出的单聊及群聊消息，event 列标明方向（im_receive_msg、im_send_msg 等）。",
        _EVENT,
        (
            *_WHO, "event", *_CHAT, "message_type", "message_text", "source_app", "scene_type", "item_id", "media_url", "card_id", "card_status",
            "card_fields", "owner_open_id",
        ),
        ("event_id",),
    ),
    Table(
        "im_entries", "im", "Chats opened", "进入私信会话",
        "Each time a user opened the chat with an account, and where from.", "用户每次进入私信会话及其来源。",
        _EVENT,
        (
            *_WHO, "event", *_CHAT, "scene_type", "item_id", "data_im_extra", "query_text", "path_text", "ad_info", "entry_scene", "entry_object",
        ),
        ("event_id",),
    ),
    Table(
        "im_recalls", "im", "Messages recalled", "私信撤回",
        "Messages that were recalled.", "被撤回的私信。", _EVENT, (*_WHO, *_CHAT), ("event_id",),
    ),
    Table(
        "im_reads", "im", "Messages read", "私信已读",
        "Each time a user read a conversation, and up to where.", "用户每次已读会话及读到的位置。",
        _EVENT, (*_WHO, "conversation_id", "conversation_type", "reader_open_id", "read_index"), ("event_id",),
    ),
    Table(
        "im_people", "im", "People in chats", "私信用户",
        "Names and pictures that the events of chats gave of both sides, as they were last that day; person_open_id joins the other tables of chats. An account stands there as its own person.",
        "私信事件携带的双方昵称与头像，按当日最后一次；以 person_open_id 关联各私信表。账号本身也有一行。",
        _EVENT, ("open_id", "person_open_id", "nickname", "avatar_url"), ("open_id", "person_open_id"),
    ),
    Table(
        "im_consent_events", "im", "Changes of consent to messages", "主动私信授权变更",
        "Each time a user allowed proactive messages, or withdrew that.", "用户每次授权或撤回主动私信。",
        _EVENT,
        (
            *_WHO, "operation_type", "auth_status", "event_at", "updated_at", "expires_at", "consent_source", "extra_text", "data_im_extra",
            "query_text", "path_text", "log_id", *_WHENCE[3:],
        ),
        ("event_id",),
    ),
    Table(
        "grant_events", "ops", "Changes of consent to the app", "授权变更",
        "Each time an account's owner authorised the app or withdrew that; for all of it or as a business.", "账号所有者授权或解除授权（含经营关系）的事件。",
        _EVENT, ("event_id", "open_id", "event", "granted_scopes"), ("event_id",),
    ),
    Table(
        "comment_events", "comment", "Comments as they came", "评论事件",
        "Comments on the accounts' videos as the platform pushed them.", "平台推送的账号视频评论。",
        _EVENT,
        (
            *_WHO, "event_at", "item_id", "comment_id", "commenter_open_id", "content", "digg_count", "reply_count", "reply_to_id", "at_user_id",
        ),
        ("event_id",),
    ),
    Table(
        "interactions", "ops", "Interactions", "互动事件",
        "Follows, likes, shares, calls and leads left, as the platform pushed them.", "平台推送的关注、点赞、分享、拨打电话与留资事件。",
        _EVENT, (*_WHO, "event", "event_action", "event_at", "item_id", "share_id"), ("event_id",),
    ),
    Table(
        "group_joins", "ops", "Joining groups", "加群事件",
        "Requests to join fan groups, and people who joined.", "加群申请与加群成功。",
        _EVENT,
        (
            *_WHO, "event", "group_id", "event_at", "apply_id", "apply_status", "member_open_id", "group_type", "created_how",
        ),
        ("event_id",),
    ),
    # ---- places 门店
    Table(
        "poi_claims", "poi", "Claimed places", "认领门店",
        "Places that each account claimed.", "各账号认领的门店。",
        _LISTING, ("open_id", "poi_id", "poi_name", "address"), ("open_id", "poi_id"),
    ),
    Table(
        "poi_views", "poi", "Page views of places per day", "门店每日浏览量",
        "Views of each place's page per day; known the day after (T+1).", "门店详情页每日浏览量，次日产出（T+1）。",
        _WINDOW, ("poi_id", "stat_date", "detail_views"), ("poi_id", "stat_date"),
    ),
    Table(
        "poi_services", "poi", "Services of places per day", "门店每日服务数据",
        "Exposures, clicks and orders of each place's services per day; known the day after (T+1).", "门店服务每日曝光、点击与成单，次日产出（T+1）。",
        _WINDOW, ("poi_id", "stat_date", "exposure_uv", "click_uv", "order_count"), ("poi_id", "stat_date"),
    ),
    Table(
        "poi_audience", "poi", "Audience of places", "门店人群分布",
        "Gender, age and city of visitors and buyers over the last 30 days; the unit of the values is undocumented.",
        "近 30 天门店访客与成交用户的性别、年龄、城市分布；数值单位未公布。",
        _SNAPSHOT, ("poi_id", "audience", "dimension", "bucket_raw", "bucket", "value_raw", "bucket_value"), ("poi_id", "audience", "dimension", "bucket_raw"),
    ),
    Table(
        "poi_billboard", "poi", "Heat list of places", "门店热度榜",
        "The hottest places of the last 30 days by kind.", "近 30 天各类目门店热度榜。",
        _SNAPSHOT, ("poi_category", "rank", "poi_id", "poi_name", "score_raw", "score"), ("poi_category", "rank"),
    ),
    Table(
        "poi_places", "poi", "Places by keyword", "关键词门店",
        "Places that a watched word finds.", "关注的关键词所查到的门店。",
        _LISTING,
        (
            "keyword", "poi_id", "poi_name", "location", "country_name", "country_code", "province_name", "city_name", "city_code", "district", "address",
        ),
        ("keyword", "poi_id"),
    ),
    Table(
        "poi_amap", "poi", "Places by AMap id", "高德门店对应",
        "The place that belongs to each watched AMap id.", "关注的高德 POI id 对应的抖音门店。",
        _LISTING, ("amap_id", "poi_id", "poi_name", "address", "city_name", "latitude", "longitude"), ("amap_id",),
    ),
    # ---- the platform about the app 运维
    Table(
        "event_subscriptions", "ops", "Webhook subscriptions", "事件订阅状态",
        "Which webhook events the app is subscribed to.", "应用的 Webhook 事件订阅状态。",
        _SNAPSHOT, ("event", "subscription_status"), ("event",),
    ),
    Table(
        "platform_calls", "ops", "Calls that the platform counted", "平台统计的调用量",
        "Calls per scope and path as the platform counted them.", "平台统计的各能力与接口调用量。",
        _SNAPSHOT, ("position", "counted_at_text", "scope", "interface", "call_count"), ("position",),
    ),
)  # fmt: skip

_ALL: tuple[Table, ...] = (*_TABLES, *(t for module in MODULES for t in getattr(module, "TABLES", ())))

TABLES: dict[str, Table] = {t.name: t for t in _ALL}
if len(TABLES) != len(_ALL):
    raise ValueError("a table is recorded twice in catalog/tables.py and catalog/endpoints")

for _table in _ALL:
    _unknown = set(_table.columns) - FIELDS.keys()
    if _unknown:
        raise ValueError(f"table {_table.name} names unknown fields: {sorted(_unknown)}")
