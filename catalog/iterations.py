"""What is asked for once for what: a graph from accounts over videos and comments to replies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Over(StrEnum):
    """What an endpoint is called once for."""

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
class Iteration:
    """Where the subjects of an :class:`Over` come from.

    ``table`` is the table whose newest rows are iterated over, with ``columns`` giving a request parameter from a column;
    ``at_least`` and ``among`` keep only rows with such values; ``by_day`` has subjects for past days, too: those of the table's partition of that day. ``watch`` names the watch list (``douyin watch``) that adds
    subjects which no table knows. ``en`` ends the sentence "asked once for ...".
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


ITERATIONS: dict[Over, Iteration] = {
    Over.NOTHING: Iteration("the app", "应用", per_account=False),
    Over.CHOICES: Iteration("each kind", "各类别", per_account=False),
    Over.ACCOUNTS: Iteration("each account", "各授权账号"),
    Over.VIDEOS: Iteration("each young video of each account", "各账号近期发布的视频", table="videos"),
    Over.KNOWN_VIDEOS: Iteration(
        "each video that is watched, or was listed before and is not now", "关注的视频，以及曾在列表中而现已不在的视频", table="videos", watch="video"
    ),
    Over.SENTENCES: Iteration("each word of the newest hot word list", "最新热点词榜中的各词", table="hot_words", per_account=False),
    Over.LEADS: Iteration("each lead of the day's list", "当日意向用户列表中的每个用户", table="lead_ids", columns=(("user_id", "lead_open_id"),), by_day=True),
    Over.TAGS: Iteration("each tag of each account", "各账号的标签", table="lead_tags", columns=(("tag_id", "tag_id"),)),
    Over.PEOPLE: Iteration("each person who acted lately", "近期有互动的用户", table="lead_events", columns=(("c_open_id", "actor_open_id"),)),
    Over.MESSAGES: Iteration(
        "each picture or video that somebody sent", "用户发送的图片与视频消息", table="lead_events",
        columns=(("conversation_id", "conversation_id"), ("message_id", "message_id")),
        among=("message_type", ("user_local_image", "user_local_video")),
    ),
    Over.INBOX: Iteration("nothing: the platform pushes it", "无需请求：由平台推送", per_account=False),
    Over.POIS: Iteration("each place that is claimed or watched", "认领或关注的门店", table="poi_claims", columns=(("poi_id", "poi_id"),), per_account=False, watch="poi"),
    Over.POI_WORDS: Iteration("each watched word for places", "关注的门店关键词", per_account=False, watch="poi-keyword"),
    Over.AMAP_IDS: Iteration("each watched AMap id", "关注的高德 POI id", per_account=False, watch="amap"),
    Over.VERSIONS: Iteration("each list and week", "各榜单的各周", table="ent_rank_versions", per_account=False),
    Over.COMMENTED_VIDEOS: Iteration("each video with comments that may have changed", "评论可能有变化的视频", table="video_totals"),
    Over.COMMENTS: Iteration(
        "each comment with replies", "有回复的评论", table="comments", columns=(("item_id", "item_id"), ("comment_id", "comment_id")), at_least=("reply_count", 1)
    ),
    Over.KEYWORDS: Iteration("each watched keyword", "关注的搜索词", watch="keyword"),
    Over.FOUND_VIDEOS: Iteration("each video that a search found", "搜索到的视频", table="search_videos", columns=(("sec_item_id", "sec_item_id"),)),
    Over.FOUND_COMMENTS: Iteration(
        "each found comment with replies", "搜索到的有回复的评论", table="search_comments",
        columns=(("sec_item_id", "sec_item_id"), ("comment_id", "comment_id")), at_least=("reply_count", 1),
    ),
}  # fmt: skip
