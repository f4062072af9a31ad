"""Describe the endpoints of hot words (热点词).

They belong to the app, not to an account, and are refreshed about every two hours. They are withdrawn for mobile and
web apps since 2024-11-29.
"""

from __future__ import annotations

from catalog.cadences import HOURLY
from catalog.endpoints._columns import (
    CURSOR,
    RANK_BY_ORDER,
    VIDEO_COLUMNS,
    VIDEO_TOTAL_COLUMNS,
    body,
    count,
    member,
    page_size,
    param,
)
from catalog.iterations import IterateBy
from catalog.records import EmptyMeaning, Endpoint, Output, Parse, Status, Token
from catalog.requests import Paging, Param, ParamSource

ENDPOINTS = (
    Endpoint(
        name="hotsearch_sentences", domain="hotsearch", method="GET", path="/hotsearch/sentences/",
        scope="hotsearch", token=Token.CLIENT, status=Status.WITHDRAWN,
        en="Hot words now", zh="获取实时热点词",
        doc_en="Current hot words. The list carries no rank: its order is the rank.",
        doc_zh="当前热点词榜，无名次字段，以列表顺序为名次。",
        cadence=HOURLY, empty=EmptyMeaning.NOT_READY,
        outputs=(
            Output("hot_words", "data.list", (
                RANK_BY_ORDER, member("sentence"), count("hot_level"),
                body("active_date", "data.active_time", Parse.BEIJING_DATE),
                body("active_at", "data.active_time", Parse.BEIJING_INSTANT),
            )),
        ),
    ),
    Endpoint(
        name="hotsearch_trending_sentences", domain="hotsearch", method="GET", path="/hotsearch/trending/sentences/",
        scope="hotsearch", token=Token.CLIENT, status=Status.WITHDRAWN,
        en="Rising words", zh="获取上升词",
        doc_en="Rising words, paged. Pages may shift while the list refreshes: one observation takes all pages and stamps one time.",
        doc_zh="上升词，分页返回。翻页期间榜单可能刷新：一次采集取完所有页并使用同一时刻。",
        cadence=HOURLY, empty=EmptyMeaning.NOT_READY, params=(CURSOR, page_size(20)), paging=Paging(),
        outputs=(
            Output("hot_words_rising", "data.list", (
                RANK_BY_ORDER, member("sentence"), count("hot_level"), count("label"),
            )),
        ),
    ),
    Endpoint(
        name="hotsearch_videos", domain="hotsearch", method="GET", path="/hotsearch/videos/",
        scope="hotsearch", token=Token.CLIENT, status=Status.WITHDRAWN,
        en="Videos of a hot word", zh="获取热点词聚合的视频",
        doc_en="Videos grouped under one hot word, requested for each word of the newest list.",
        doc_zh="某热点词聚合的视频，对最新榜单中的每个词各请求一次。",
        cadence=HOURLY, over=IterateBy.SENTENCES, params=(Param("hot_sentence", ParamSource.SUBJECT),),
        outputs=(
            Output("hot_word_videos", "data.list", (
                param("sentence", "hot_sentence"), RANK_BY_ORDER, member("item_id"), *VIDEO_COLUMNS, *VIDEO_TOTAL_COLUMNS,
            )),
        ),
    ),
)  # fmt: skip
