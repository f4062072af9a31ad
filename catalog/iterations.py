"""Define what each endpoint is requested once for: a graph from accounts over videos and comments to replies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IterateBy(StrEnum):
    """The subjects that an endpoint is called once for."""

    NOTHING = "nothing"
    CHOICES = "choices"  # each value that a parameter may take
    ACCOUNTS = "accounts"
    VIDEOS = "videos"
    KNOWN_VIDEOS = "known_videos"
    SENTENCES = "sentences"
    LEADS = "leads"
    TAGS = "tags"
    PEOPLE = "people"
    MESSAGES = "messages"
    POIS = "pois"
    POI_WORDS = "poi_words"
    AMAP_IDS = "amap_ids"
    VERSIONS = "versions"
    COMMENTED_VIDEOS = "commented_videos"
    COMMENTS = "comments"
    KEYWORDS = "keywords"
    FOUND_VIDEOS = "found_videos"
    FOUND_COMMENTS = "found_comments"
    INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class SubjectSource:
    """Where the subjects of an :class:`IterateBy` come from.

    ``table`` is the table whose newest rows are iterated over. ``columns`` maps its columns to request parameters;
    ``at_least`` and ``among`` keep only rows with such values. ``by_day`` supplies subjects for past days, too, from
    the table's partition of that day. ``watch`` names the watch list (``douyin watch``) with subjects that no table
    contains. ``en`` completes the sentence "requested once for ...".
    """

    en: str
    zh: str
    table: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    per_account: bool = True
    at_least: tuple[str, int] | None = None
    among: tuple[str, tuple[str, ...]] | None = None
    watch: str | None = None
    by_day: bool = False


ITERATIONS: dict[IterateBy, SubjectSource] = {
    IterateBy.NOTHING: SubjectSource("the app", "应用", per_account=False),
    IterateBy.CHOICES: SubjectSource("each kind", "各类别", per_account=False),
    IterateBy.ACCOUNTS: SubjectSource("each account", "各授权账号"),
    IterateBy.VIDEOS: SubjectSource("each young video of each account", "各账号近期发布的视频", table="videos"),
    IterateBy.KNOWN_VIDEOS: SubjectSource(
        "each video that is watched, or was listed before and is not now", "关注的视频，以及曾在列表中而现已不在的视频", table="videos", watch="video"
    ),
    IterateBy.SENTENCES: SubjectSource("each word of the newest hot word list", "最新热点词榜中的各词", table="hot_words", per_account=False),
    IterateBy.LEADS: SubjectSource("each lead of the day's list", "当日意向用户列表中的每个用户", table="lead_ids", columns=(("user_id", "lead_open_id"),), by_day=True),
    IterateBy.TAGS: SubjectSource("each tag of each account", "各账号的标签", table="lead_tags", columns=(("tag_id", "tag_id"),)),
    IterateBy.PEOPLE: SubjectSource("each person who acted lately", "近期有互动的用户", table="lead_events", columns=(("c_open_id", "actor_open_id"),)),
    IterateBy.MESSAGES: SubjectSource(
        "each picture or video that a user sent", "用户发送的图片与视频消息", table="lead_events",
        columns=(("conversation_id", "conversation_id"), ("message_id", "message_id")),
        among=("message_type", ("user_local_image", "user_local_video")),
    ),
    IterateBy.INBOX: SubjectSource("nothing: the platform pushes it", "无需请求：由平台推送", per_account=False),
    IterateBy.POIS: SubjectSource("each place that is claimed or watched", "认领或关注的门店", table="poi_claims", columns=(("poi_id", "poi_id"),), per_account=False, watch="poi"),
    IterateBy.POI_WORDS: SubjectSource("each watched word for places", "关注的门店关键词", per_account=False, watch="poi-keyword"),
    IterateBy.AMAP_IDS: SubjectSource("each watched AMap id", "关注的高德 POI id", per_account=False, watch="amap"),
    IterateBy.VERSIONS: SubjectSource("each list and week", "各榜单的各周", table="ent_rank_versions", per_account=False),
    IterateBy.COMMENTED_VIDEOS: SubjectSource("each video with comments that may have changed", "评论可能有变化的视频", table="video_totals"),
    IterateBy.COMMENTS: SubjectSource(
        "each comment with replies", "有回复的评论", table="comments", columns=(("item_id", "item_id"), ("comment_id", "comment_id")), at_least=("reply_count", 1)
    ),
    IterateBy.KEYWORDS: SubjectSource("each watched keyword", "关注的搜索词", watch="keyword"),
    IterateBy.FOUND_VIDEOS: SubjectSource("each video that a search found", "搜索到的视频", table="search_videos", columns=(("sec_item_id", "sec_item_id"),)),
    IterateBy.FOUND_COMMENTS: SubjectSource(
        "each found comment with replies", "搜索到的有回复的评论", table="search_comments",
        columns=(("sec_item_id", "sec_item_id"), ("comment_id", "comment_id")), at_least=("reply_count", 1),
    ),
}  # fmt: skip
