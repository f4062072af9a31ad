"""Describe the 39 daily billboards (榜单) over the last 24 hours.

They are produced before 10:00 Beijing and take no date parameter, so a missed day is lost for ever. All are withdrawn
for mobile and web apps since 2024-11-29.
"""

from __future__ import annotations

from catalog.cadences import TWICE_DAILY
from catalog.endpoints._columns import (
    PERCENT,
    POSITION,
    RANK,
    RANK_CHANGE,
    const,
    count,
    index,
    member,
    parent,
)
from catalog.records import Column, EmptyMeaning, Endpoint, Output, Parse, Status, Token

_CREATOR_BOARDS = {
    "sport": {
        "overall": ("Sport overall", "体育总榜"), "basketball": ("Basketball", "篮球榜"), "soccer": ("Soccer", "足球榜"),
        "comprehensive": ("Multi-sport", "综合体育榜"), "fitness": ("Fitness", "运动健身榜"), "outdoors": ("Outdoor sport", "户外运动榜"),
        "table_tennis": ("Billiards (the path says table_tennis)", "台球榜"), "culture": ("Sport culture", "运动文化榜"),
    },
    "amusement": {"overall": ("Comedy overall", "搞笑总榜"), "new": ("Comedy newcomers", "搞笑新势力榜")},
    "game": {"console": ("Console and single-player games", "单机主机榜"), "inf": ("Game news", "游戏资讯榜")},
    "food": {
        "overall": ("Food overall", "美食总榜"), "new": ("Food newcomers", "美食新势力榜"),
        "tutorial": ("Food tutorials", "美食教程榜"), "shop": ("Restaurant visits", "美食探店榜"),
    },
    "drama": {"overall": ("Drama overall", "剧情总榜")},
    "car": {
        "overall": ("Cars overall", "汽车总榜"), "comment": ("Car reviews", "评车榜"), "play": ("Car fun", "玩车榜"),
        "use": ("Car use", "用车榜"), "driver": ("Driving test", "驾考榜"),
    },
    "travel": {"overall": ("Travel overall", "旅游总榜"), "new": ("Travel newcomers", "旅游新势力榜")},
    "cospa": {
        "overall": ("Anime culture overall", "二次元总榜"), "qing_man": ("Light comics", "轻漫榜"), "out_shot": ("Cosplay shooting", "出境拍摄榜"),
        "painting": ("Drawing", "绘画榜"), "voice_control": ("Voice", "声控榜"), "brain_cavity": ("Imagination", "脑洞榜"),
        "new": ("Anime newcomers", "二次元新势力榜"),
    },
}  # fmt: skip

_MUSIC_BOARDS = {
    "hot": ("Hot songs", "热歌榜"),
    "soar": ("Soaring songs", "飙升榜"),
    "original": ("Original songs", "原创榜"),
}


def _billboard(name: str, path: str, scope: str, en: str, zh: str, *outputs: Output) -> Endpoint:
    return Endpoint(
        name=f"billboard_{name}",
        domain="billboard",
        method="GET",
        path=f"/data/extern/billboard/{path}/",
        scope=f"data.external.billboard_{scope}",
        token=Token.CLIENT,
        status=Status.WITHDRAWN,
        en=en,
        zh=zh,
        doc_en=f"{en}: the last 24 hours, produced before 10:00 Beijing. A missed day is lost.",
        doc_zh=f"{zh}：近 24 小时数据，每天 10:00（北京时间）前产出，错过即不可补采。",
        cadence=TWICE_DAILY,
        empty=EmptyMeaning.NOT_READY,
        outputs=outputs,
    )


def _list(table: str, *columns: Column, explode: str | None = None) -> Output:
    return Output(table, "data.list", columns, explode=explode)


def _creator(group: str, board: str, en: str, zh: str) -> Endpoint:
    on_board = const("board", f"{group}_{board}")
    return _billboard(
        f"{group}_{board}", f"{group}/{board}", group, en, zh,
        _list(
            "billboard_creators", on_board, RANK, *RANK_CHANGE, member("nickname"), member("avatar_url", "avatar"),
            count("follower_count"), count("on_billboard_times", "onbillbaord_times"), index("effect_value"),
        ),
        _list(
            "billboard_creator_videos", on_board, parent("rank", parse=Parse.INT), POSITION,
            member("title"), member("cover_url", "item_cover"), member("share_url"),
            explode="video_list",
        ),
    )  # fmt: skip


ENDPOINTS = (
    _billboard(
        "hot_video", "hot_video", "hot_video", "Hot videos", "热门视频榜",
        _list(
            "billboard_videos", RANK, member("title"), member("author"), count("play_count"), count("digg_count"),
            count("comment_count"), member("hot_words"), index("hot_value"), member("cover_url", "item_cover"), member("share_url"),
        ),
    ),
    _billboard(
        "stars", "stars", "stars", "Entertainment stars", "娱乐明星榜",
        _list("billboard_stars", RANK, member("nickname"), member("avatar_url", "avatar"), index("effect_value")),
    ),
    _billboard(
        "live", "live", "live", "Live streams", "直播榜",
        _list("billboard_live", RANK, member("nickname"), member("title"), member("cover_url", "cover"), index("hot_value")),
    ),
    _billboard(
        "topic", "topic", "topic", "Topics", "话题榜",
        _list("billboard_topics", RANK, *RANK_CHANGE, member("title"), index("effect_value")),
    ),
    _billboard(
        "prop", "prop", "prop", "Props and effects", "道具榜",
        _list(
            "billboard_props", RANK, *RANK_CHANGE, member("prop_name", "name"), index("effect_value"),
            count("show_count", "show_cnt"), count("shoot_count", "shoot_cnt"), count("daily_play_count", "daily_play_cnt"),
            count("daily_issue_count", "daily_issue_cnt"), member("daily_issue_ratio", "daily_issue_percent", PERCENT),
            count("daily_collection_count", "daily_collection_cnt"),
        ),
    ),
    *(
        _billboard(
            f"music_{board}", f"music/{board}", "music", en, zh,
            _list(
                "billboard_music", const("board", board), RANK, member("title"), member("author"), member("cover_url", "cover"),
                count("duration_s", "duration"), count("use_count"), member("share_url"),
            ),
        )
        for board, (en, zh) in _MUSIC_BOARDS.items()
    ),
    *(_creator(group, board, en, zh) for group, boards in _CREATOR_BOARDS.items() for board, (en, zh) in boards.items()),
)  # fmt: skip
