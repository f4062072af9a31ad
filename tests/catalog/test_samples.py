"""The contract's samples go through the code of a run: exact rows and values, and errors to their action."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson
import pytest
from contract_reading import SAMPLES, operations
from parsed_samples import parse, rows, sample

from catalog import ENDPOINTS, TABLES
from catalog.envelopes import MalformedBody, read_envelope
from catalog.errors import Action, error_for
from catalog.records import Envelope, History
from services.ingest.parse import parse_body

GOOD = sorted(name for name in ENDPOINTS)
VARIANTS = sorted(p.stem for p in SAMPLES.glob("*__*.json") if p.stem.split("__")[0] in ENDPOINTS)

NOTHING = {
    "billboard_topic__not_ready",
    "fans_comment__below_threshold",
    "fans_data__below_threshold",
    "item_like__empty_window",
    "video_list__last_page",
}
"""Successful responses without rows."""

ACTIONS = {
    "billboard_hot_video__param_error": (2100005, Action.ALERT),
    "hotsearch_sentences__api_offline": (28001056, Action.DISABLE),
    "item_play__token_expired": (28001008, Action.REFRESH),
    "user_fans__quota_used_up": (2190001, Action.QUOTA),
    "item_like_apps_v1__invalid_token": (28001003, Action.REFRESH),
}


REPEATED = {"leads_user_list": {"lead_ids": 2}}
"""Rows that a sample contains twice on purpose: a list of ids beside the people themselves."""


# --------------------------------------------------------------------------- all of them


def test_every_sample_of_a_covered_operation_is_tried_here():
    of_the_contract = {name for name in GOOD if ENDPOINTS[name].twin_of is None}
    assert {p.stem for p in SAMPLES.glob("*.json") if p.stem.split("__")[0] in ENDPOINTS} == {
        *of_the_contract,
        *VARIANTS,
    }
    assert set(VARIANTS) == NOTHING | set(ACTIONS)


@pytest.mark.parametrize("name", GOOD)
def test_good_sample_lands_wholly(name: str):
    parsed = parse(name)
    assert (parsed.verdict.code, parsed.error.action) == (0, Action.ACCEPT)
    assert parsed.quarantined == 0
    assert [r for p in parsed.partitions for r in p.drift.to_pylist()] == []
    landed = {p.table.name: 0 for p in parsed.partitions}
    for p in parsed.partitions:
        assert p.duplicates == REPEATED.get(name, {}).get(p.table.name, 0)
        landed[p.table.name] += p.rows.num_rows
        assert set(p.rows["source"].to_pylist()) == {name}
        assert set(p.rows["dt"].to_pylist()) == {p.dt}
    assert set(landed) == set(ENDPOINTS[name].tables)
    assert all(landed.values())


@pytest.mark.parametrize("name", GOOD)
def test_no_element_of_a_good_sample_is_lost(name: str):
    parsed, body = parse(name), orjson.loads(sample(name))
    for table in ENDPOINTS[name].tables:
        expected = 0
        for output in (o for o in ENDPOINTS[name].outputs if o.table == table):
            value = body
            for step in output.rows.split("."):
                value = value[step]
            elements = [value] if output.single or output.once else value
            expected += sum(len(e.get(output.explode) or ()) for e in elements) if output.explode else len(elements)
        assert len(rows(parsed, table)) == expected - REPEATED.get(name, {}).get(table, 0) > 0


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_error_sample_gives_its_action(name: str):
    parsed = parse(name)
    assert (parsed.verdict.code, parsed.error.action) == ACTIONS[name]
    assert parsed.verdict.logid
    assert parsed.verdict.description
    assert parsed.error.advice
    assert parsed.partitions == []


@pytest.mark.parametrize(
    ("name", "kind", "code", "action"),
    [
        ("oauth_refresh_token__refresh_expired", Envelope.OAUTH, 10010, Action.RECONSENT),
        ("item_like_apps_v1__invalid_token", Envelope.MINI_APP, 28001003, Action.REFRESH),
        ("oauth_access_token", Envelope.OAUTH, 0, Action.ACCEPT),
        ("oauth_client_token", Envelope.OAUTH, 0, Action.ACCEPT),
        ("oauth_stable_client_token", Envelope.OAUTH, 0, Action.ACCEPT),
        ("oauth_refresh_token", Envelope.OAUTH, 0, Action.ACCEPT),
        ("oauth_renew_refresh_token", Envelope.OAUTH, 0, Action.ACCEPT),
        ("oauth_business_token", Envelope.BUSINESS, 0, Action.ACCEPT),
        ("oauth_refresh_biz_token", Envelope.BUSINESS, 0, Action.ACCEPT),
        ("item_like_apps_v1", Envelope.MINI_APP, 0, Action.ACCEPT),
        ("user_fans_apps_v1", Envelope.MINI_APP, 0, Action.ACCEPT),
    ],
)
def test_samples_in_other_envelopes(name: str, kind: Envelope, code: int, action: Action):
    verdict = read_envelope(kind, orjson.loads(sample(name)))
    assert (verdict.code, error_for(verdict.code).action) == (code, action)


def test_every_error_sample_of_the_contract_is_tried_here():
    tried = {*NOTHING, *ACTIONS, "oauth_refresh_token__refresh_expired", "item_like_apps_v1__invalid_token"}
    assert {p.stem for p in SAMPLES.glob("*__*.json") if not p.stem.startswith("webhook.")} == tried
    assert {name.split("__")[0] for name in tried} <= set(operations())


# --------------------------------------------------------------------------- responses without rows


def test_a_list_that_is_not_produced_yet_says_nothing_about_its_day():
    assert parse("billboard_topic__not_ready").partitions == []


def test_an_empty_window_says_nothing_about_its_days():
    assert parse("item_like__empty_window").partitions == []


@pytest.mark.parametrize(
    "name", ["fans_data__below_threshold", "fans_comment__below_threshold", "video_list__last_page"]
)
def test_a_settled_answer_without_rows_is_an_empty_day(name: str):
    parsed = parse(name)
    assert {p.table.name for p in parsed.partitions} == set(ENDPOINTS[name.split("__")[0]].tables)
    assert {(p.rows.num_rows, p.quarantine.num_rows, p.drift.num_rows) for p in parsed.partitions} == {(0, 0, 0)}


# --------------------------------------------------------------------------- values


def test_hot_words_take_their_rank_from_the_order_and_their_time_from_beijing():
    found = rows(parse("hotsearch_sentences"), "hot_words")
    assert found[0] == {
        "rank": 1,
        "sentence": "示例城市初雪",
        "hot_level": 11987654,
        "active_date": date(2024, 5, 21),
        "active_at": datetime(2024, 5, 21, 3, 0, 37, tzinfo=UTC),
    }
    assert [(r["rank"], r["hot_level"]) for r in found] == [(1, 11987654), (2, 9876543), (3, 8765432)]


def test_a_refresh_time_may_be_a_day_only():
    body = sample("hotsearch_sentences").replace(b"2024-05-21 11:00:37", b"2024-05-21")
    found = rows(parse_body(ENDPOINTS["hotsearch_sentences"], body), "hot_words")
    assert {(r["active_date"], r["active_at"]) for r in found} == {(date(2024, 5, 21), None)}


def test_a_refresh_time_before_eight_belongs_to_the_day_in_beijing():
    body = sample("hotsearch_sentences").replace(b"2024-05-21 11:00:37", b"2024-05-21 00:30:00")
    found = rows(parse_body(ENDPOINTS["hotsearch_sentences"], body), "hot_words")[0]
    assert (found["active_date"], found["active_at"]) == (date(2024, 5, 21), datetime(2024, 5, 20, 16, 30, tzinfo=UTC))


def test_rising_words_and_their_labels():
    found = rows(parse("hotsearch_trending_sentences"), "hot_words_rising")
    assert sorted((r["rank"], r["sentence"], r["hot_level"], r["label"]) for r in found) == [
        (1, "示例城市初雪", 11987654, 3),
        (2, "高考志愿填报指南", 9876543, 1),
        (3, "新能源车新品发布", 8765432, 0),
    ]


def test_videos_hide_what_the_platform_hides():
    parsed = parse("video_list")
    shown, private = sorted(rows(parsed, "videos"), key=lambda r: r["item_id"])
    assert shown == {
        "open_id": "<open_id>",
        "item_id": "@9aXkQ0rT+demo/Item01hW2pZbV7mN4cYxKfGs8LJ3dRtUoE5iA==",
        "video_id": "7301122334455667788",
        "title": "周末骑行记录 #城市骑行",
        "cover_url": "https://p1-sample.example.cn/obj/demo/cover-a1.jpeg",
        "created_at": datetime(2024, 5, 20, 2, 40, tzinfo=UTC),
        "is_reviewed": True,
        "is_top": False,
        "share_url": "https://www.iesdouyin.example.cn/share/video/demo-a1/?region=CN",
        "video_status": 5,
        "media_type": 4,
        "anchor_id": None,
        "anchor_type": None,
    }
    assert (private["created_at"], private["video_id"], private["video_status"], private["is_top"]) == (
        None,
        None,
        7,
        True,
    )
    totals = {r["item_id"]: r for r in rows(parsed, "video_totals")}
    assert totals[private["item_id"]] == {
        "open_id": "<open_id>",
        "item_id": private["item_id"],
        "comment_count": 4096,
        "digg_count": 88012,
        "download_count": 0,
        "forward_count": 213,
        "play_count": 0,
        "share_count": 1502,
    }
    assert totals[shown["item_id"]]["play_count"] == 50321


def test_videos_of_a_hot_word_carry_the_requested_word():
    parsed = parse_body(ENDPOINTS["hotsearch_videos"], sample("hotsearch_videos"), {"hot_sentence": "示例城市初雪"})
    found = rows(parsed, "hot_word_videos")
    assert [(r["sentence"], r["rank"], r["play_count"]) for r in sorted(found, key=lambda r: r["rank"])] == [
        ("示例城市初雪", 1, 50321),
        ("示例城市初雪", 2, 0),
    ]


def test_percent_becomes_a_ratio():
    found = {r["fan_source"]: r["share_ratio"] for r in rows(parse("fans_source"), "fans_sources")}
    assert found == pytest.approx({"视频": 0.6132, "主页": 0.3011, "搜索": 0.0857})
    assert sum(found.values()) == pytest.approx(1)
    props = rows(parse("billboard_prop"), "billboard_props")
    assert [r["daily_issue_ratio"] for r in props] == pytest.approx([0.3061, 0.0, 0.075])
    assert [(r["rank_change"], r["rank_delta"]) for r in props] == [("1", 1), ("0", 0), ("-2", -2)]
    assert props[0]["prop_name"] == "星空滤镜"


def test_buckets_get_equal_separators_and_unknown_ones_none():
    parsed = parse("fans_data")
    found = {(r["dimension"], r["bucket_raw"]): (r["bucket"], r["fans"]) for r in rows(parsed, "fans_distributions")}
    assert found["age", "18-23"] == ("18-23", 2100)
    assert found["age", "24~29"] == ("24-29", 7100)
    assert found["active_days", "20+"] == ("20+", 14870)
    assert found["province", "<nil>"] == (None, 12)
    assert found["device", ""] == (None, 44)
    assert found["gender", "2"] == ("2", 14811)
    assert rows(parsed, "fans_profile") == [{"open_id": "<open_id>", "all_fans_num": 20280}]
    assert {r["flow"]: (r["fans_sum"], r["all_sum"]) for r in rows(parsed, "fans_flow")} == {
        "vv": (1200, 90000),
        "like_cnt": (300, 1500),
        "comment_cnt": (20, 110),
        "share_video_cnt": (5, 40),
    }


def test_creators_and_their_videos():
    parsed = parse("billboard_sport_overall")
    second = rows(parsed, "billboard_creators")[1]
    assert second == {
        "board": "sport_overall",
        "rank": 2,
        "rank_change": "-3",
        "rank_delta": -3,
        "nickname": "示例达人二",
        "avatar_url": "https://p2-sample.example.cn/avatar/u-b2.jpeg",
        "follower_count": 987654,
        "on_billboard_times": 3,
        "effect_value": 87654.5,
    }
    videos = rows(parsed, "billboard_creator_videos")
    assert [(r["rank"], r["position"], r["title"]) for r in videos] == [
        (1, 1, "三步学会番茄炒蛋 #美食"),
        (1, 2, None),
        (2, 1, None),
        (2, 2, "冠军挑战 #示例"),
        (3, 1, "冠军挑战 #示例"),
        (3, 2, "三步学会番茄炒蛋 #美食"),
    ]


def test_a_series_gives_one_row_a_day_in_the_days_partition():
    parsed = parse("user_item")
    by_day = {p.dt: p.rows.to_pylist() for p in parsed.partitions}
    assert sorted(by_day) == [date(2024, 5, d) for d in range(14, 21)]
    assert all(len(found) == 1 and found[0]["stat_date"] == found[0]["dt"] == day for day, found in by_day.items())
    assert [by_day[date(2024, 5, d)][0]["new_play"] for d in range(14, 21)] == [53210, 48778, 0, 53249, 48817, 0, 53288]


def test_totals_of_thirty_days_are_numbers():
    assert rows(parse("item_base"), "item_base") == [
        {
            "open_id": "<open_id>",
            "item_id": "<item_id>",
            "plays_30d": 50321,
            "likes_30d": 2201,
            "comments_30d": 128,
            "shares_30d": 33,
            "avg_play_duration_s": 12.7,
        }
    ]


def test_heat_may_be_fractional_and_titles_missing():
    found = rows(parse("billboard_hot_video"), "billboard_videos")
    assert [r["hot_value"] for r in found] == [10982345.0, 9871234.5, 8760123.0]
    assert (found[1]["title"], found[1]["hot_words"]) == (None, None)


# --------------------------------------------------------------------------- bodies that do not fit


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b'{"data": {"list": [', b"[]", b"null", b'{"message": "?"}', b"\xff\xfe"]
)
def test_what_is_no_answer_of_the_platform(body: bytes):
    with pytest.raises(MalformedBody):
        parse_body(ENDPOINTS["billboard_stars"], body)


def test_one_bad_row_goes_to_quarantine_and_the_others_land():
    body = sample("billboard_prop").replace(b'"rank": 2', b'"rank": "two"')
    assert body != sample("billboard_prop")
    parsed = parse_body(ENDPOINTS["billboard_prop"], body)
    assert [r["rank"] for r in rows(parsed, "billboard_props")] == [1, 3]
    (bad,) = parsed.partitions[0].quarantine.to_pylist()
    assert (bad["position"], bad["reason"]) == (2, "rank: expected a 64-bit integer: 'two'")


def test_one_bad_value_goes_to_quarantine_and_its_row_lands():
    body = sample("billboard_prop").replace(b'"show_cnt": 200456', b'"show_cnt": "many"')
    assert body != sample("billboard_prop")
    parsed = parse_body(ENDPOINTS["billboard_prop"], body)
    assert [(r["rank"], r["show_count"]) for r in rows(parsed, "billboard_props")] == [
        (1, 300123),
        (2, None),
        (3, 99801),
    ]
    (bad,) = parsed.partitions[0].quarantine.to_pylist()
    assert (bad["position"], bad["column_name"], bad["value"], bad["reason"]) == (
        2,
        "show_count",
        "many",
        "show_cnt: expected a 64-bit integer",
    )


@pytest.mark.parametrize("day", ['"abc"', "null", '"2024-13-40"'])
def test_one_unreadable_day_of_a_series_leaves_the_other_days_alone(day: str):
    body = sample("user_item").replace(b'"2024-05-15"', day.encode())
    assert body != sample("user_item")
    parsed = parse_body(ENDPOINTS["user_item"], body)
    assert sorted(r["stat_date"].day for r in rows(parsed, "user_item")) == [14, 16, 17, 18, 19, 20]
    assert parsed.quarantined == 1


def test_a_series_without_any_readable_day_is_quarantined_not_lost():
    body = orjson.dumps({"data": {"result_list": [{"date": "abc", "new_fans": 1}, {"new_fans": 2}]}})
    parsed = parse_body(ENDPOINTS["user_fans"], body)
    assert rows(parsed, "user_fans") == []
    assert parsed.quarantined == 2


def test_unknown_members_are_reported_with_their_rows():
    body = (
        sample("billboard_stars")
        .replace(b'"rank":', b'"rank_new": 1, "rank":')
        .replace(b'"list":', b'"generated_by": "x", "list":')
    )
    parsed = parse_body(ENDPOINTS["billboard_stars"], body)
    elements = len(orjson.loads(body)["data"]["list"])
    assert parsed.quarantined == 0
    assert {r["member"]: r["rows"] for p in parsed.partitions for r in p.drift.to_pylist()} == {
        "data.list.rank_new": elements,
        "data.generated_by": 1,
    }


def test_tables_of_the_samples_cover_the_warehouse():
    assert {t for name in GOOD for t in ENDPOINTS[name].tables} == {
        t.name for t in TABLES.values() if t.history is not History.EVENT
    }
