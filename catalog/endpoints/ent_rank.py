"""Describe the weekly lists of films, series and variety shows (影视综榜单).

They are withdrawn for mobile and web apps since 2024-11-29.
"""

from __future__ import annotations

from catalog.cadences import DAILY_SNAPSHOT, RANK_WEEKS
from catalog.endpoints._columns import CURSOR, RANK_BY_ORDER, body, count, index, member, page_size, param
from catalog.iterations import IterateBy
from catalog.records import Column, EmptyMeaning, Endpoint, Output, Parse, Status, Token
from catalog.requests import Paging, Param, ParamSource

_TYPE = Param("type", ParamSource.SUBJECT, choices=(1, 2, 3))
_ACTIVE = (
    body("active_date", "data.active_time", Parse.BEIJING_DATE),
    body("active_at", "data.active_time", Parse.BEIJING_INSTANT),
)


def _words(field: str) -> Column:
    return member(field, parse=Parse.WORDS)


ENDPOINTS = (
    Endpoint(
        name="ent_rank_version", domain="ent_rank", method="GET", path="/discovery/ent/rank/version/",
        scope="discovery.ent", token=Token.CLIENT, status=Status.WITHDRAWN,
        en="Weeks of the film and series lists", zh="获取抖音影视综榜单版本",
        doc_en="The published weeks of each list, newest first.", doc_zh="各榜单已发布的周，新到旧。",
        cadence=DAILY_SNAPSHOT, over=IterateBy.CHOICES, params=(_TYPE, CURSOR, page_size(50)), paging=Paging(),
        outputs=(
            Output(
                "ent_rank_versions", "data.list",
                (
                    count("ent_type", "type"), count("version"), member("start_date", "start_time", Parse.BEIJING_DATE),
                    member("end_date", "end_time", Parse.BEIJING_DATE), member("published_at", "active_time", Parse.BEIJING_INSTANT),
                ),
            ),
        ),
    ),
    Endpoint(
        name="ent_rank_item", domain="ent_rank", method="GET", path="/discovery/ent/rank/item/",
        scope="discovery.ent", token=Token.CLIENT, status=Status.WITHDRAWN,
        en="Film, series and variety lists", zh="抖音电影榜、电视剧榜、综艺榜",
        doc_en="The list of a week: the running one, refreshed once a day between 12:00 and 24:00, or the final one of any published week.",
        doc_zh="某一周的榜单：进行中的一周每天 12:00–24:00 更新一次，已发布的任意一周为最终榜。",
        cadence=RANK_WEEKS, over=IterateBy.VERSIONS, params=(_TYPE, Param("version", ParamSource.SUBJECT, required=False)), empty=EmptyMeaning.NOT_READY,
        outputs=(
            Output(
                "ent_ranks", "data.list",
                (
                    count("ent_type", "type"), param("version", parse=Parse.INT), RANK_BY_ORDER, member("title_id", "id"), member("maoyan_id"),
                    member("title", "name"), member("title_en", "name_en"), member("release_date", parse=Parse.DATE_OR_NULL),
                    _words("actors"), _words("directors"), _words("areas"), _words("tags"), member("poster_url", "poster"),
                    index("hot_value", "hot"), index("discussion_hot"), index("influence_hot"), index("search_hot"), index("topic_hot"), *_ACTIVE,
                ),
            ),
        ),
    ),
)  # fmt: skip
