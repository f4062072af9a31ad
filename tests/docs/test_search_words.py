"""Words of the trade lead to the table that answers them, or to the list of metrics that no column has."""

from __future__ import annotations

import pytest

from catalog.search_words import NOT_AVAILABLE, SYNONYMS
from resources.warehouse.mart_files import load_marts
from services.marts.binding import bind
from services.reporting.dictionary import dictionary, joins, not_available

NONE = "meta.not_available"
WORDS = [
    ("完播", NONE),
    ("对标", NONE),
    ("收藏", NONE),
    ("GMV", NONE),
    ("投放", NONE),
    ("直播", NONE),
    ("曝光", NONE),
    ("涨粉", "marts.account_daily"),
    ("掉粉", "marts.account_daily"),
    ("环比", "marts.account_daily"),
    ("环比", "marts.account_weekly"),
    ("月环比", "marts.account_monthly"),
    ("同比", "marts.account_weekly"),
    ("year on year", "marts.account_monthly"),
    ("weekly growth", "marts.account_weekly"),
    ("互动率", "marts.account_daily"),
    ("播放量", "marts.account_daily"),
    ("回复率", "marts.conversations"),
    ("垂类", "marts.dim_accounts"),
    ("腰部", "marts.dim_accounts"),
    ("调休", "marts.dim_date"),
    ("大促", "marts.dim_date"),
    ("hashtag", "marts.video_tags"),
    ("爆款", "marts.video_performance"),
    ("限流", "marts.video_performance"),
    ("黄金时段", "marts.publishing_rhythm"),
    ("留资", "marts.lead_funnel"),
    ("转化率", "marts.lead_funnel"),
    ("漏斗阶段", "marts.conversion_funnel"),
    ("同期群", "marts.conversion_funnel_weekly"),
    ("去重人数", "marts.lead_funnel_weekly"),
    ("需求周报", "marts.comment_needs_weekly"),
    ("问价", "marts.comment_needs"),
    ("差评", "marts.comment_labels"),
    ("粉丝画像", "marts.fan_portrait"),
    ("选题", "marts.topic_opportunity"),
    ("掉榜", "marts.billboard_moves"),
    ("engagement rate", "marts.account_daily"),
    ("follower growth", "marts.account_daily"),
    ("completion rate", NONE),
    ("watch time", NONE),
    ("best time to post", "marts.publishing_rhythm"),
    ("trending", "marts.hot_words_now"),
    ("response time", "marts.conversations"),
    ("audience demographics", "marts.fan_portrait"),
]


@pytest.fixture(scope="module")
def bound():
    return bind(load_marts())


@pytest.fixture(scope="module")
def found_by(bound) -> dict[str, str]:
    texts: dict[str, str] = {NONE: " ".join(row["words"] for row in not_available().to_pylist()).lower()}
    for x in dictionary(bound).to_pylist():
        place = f"{x['table_schema']}.{x['table_name']}"
        texts[place] = f"{texts.get(place, '')} {x['synonyms'] or ''}".lower()
    return texts


@pytest.mark.parametrize(("word", "place"), WORDS)
def test_words_of_the_trade_find_the_table(found_by, word, place):
    assert word.lower() in found_by[place]
    if place == NONE:
        assert not [p for p, text in found_by.items() if p != NONE and word.lower() in text], "the answer must be one"


def test_synonyms_and_nearest_figures_name_columns_that_exist(bound):
    lines = dictionary(bound).to_pylist()
    columns = {(x["table_name"], x["column_name"]) for x in lines}
    assert SYNONYMS.keys() <= columns
    places = {f"{x['table_schema']}.{x['table_name']}" for x in lines}
    places |= {f"{x['table_schema']}.{x['table_name']}.{x['column_name']}" for x in lines}
    for metric in NOT_AVAILABLE:
        for nearest in metric.nearest.split(" joined")[0].split(", "):
            assert nearest in places, metric.metric_en


def test_tables_and_marts_have_titles_views_of_listings_too(bound):
    titles = {x["table_name"]: (x["title_en"], x["title_zh"]) for x in dictionary(bound).to_pylist()}
    assert titles["videos_latest"] == titles["videos"] == ("Videos", "视频")
    assert titles["account_daily"] == ("Accounts day by day", "账号日报")


def test_joins_are_by_whole_keys_of_dimensions(bound):
    found = {(x["from_table"], x["to_table"]): (x["columns"], x["cardinality"]) for x in joins(bound).to_pylist()}
    assert found["marts.account_daily", "marts.dim_accounts"] == ("client_key, open_id", "n:1")
    assert found["main.videos", "marts.dim_videos"] == ("client_key, open_id, item_id", "1:1")
    assert found["main.billboard_creators", "marts.dim_boards"] == ("board", "n:1")
    assert ("main.billboard_music", "marts.dim_boards") not in found, "its boards have other names"
    assert found["marts.account_daily", "marts.dim_date"] == ("dt", "n:1")
