"""Values of the samples of leads, comments, messages, places and weekly lists.

They include texts inside texts, lists of texts, and rows given once.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import orjson
import pytest
from parsed_samples import parse, rows, sample

from catalog import ENDPOINTS
from services.ingest.parse import parse_body

FIRST, SECOND, THIRD = (
    "7c1f0d2e-0a11-4b6e-9d55-3f2a90c1d001",
    "2b8e4a60-5c77-4f0d-8a3b-61d9b7e4d002",
    "e95d1b34-98af-4c21-b7d6-0c4f8e2ad003",
)
"""The people of the samples, by their open_id."""


def changed(name: str, old: str, new: str) -> bytes:
    """Return a sample with one piece of text replaced, wherever it occurs."""
    body = sample(name).decode()
    assert old in body
    return body.replace(old, new).encode()


# --------------------------------------------------------------------------- leads


def test_leads_come_with_what_they_left_and_their_tags():
    parsed = parse("leads_user_list", open_id="account")
    leads = {r["lead_open_id"]: r for r in rows(parsed, "leads")}
    assert leads[FIRST] == {
        "open_id": "account",
        "lead_open_id": FIRST,
        "nickname": "示例意向客户",
        "avatar_url": "https://p1-sample.example.cn/avatar/u-a1.jpeg",
        "telephone": "13800000000",
        "wechat": "",
        "city": "杭州",
        "gender": 2,
        "age": 31,
        "leads_level": 1,
        "is_follow": True,
    }
    assert (
        leads[SECOND]["telephone"],
        leads[SECOND]["wechat"],
        leads[SECOND]["leads_level"],
        leads[SECOND]["is_follow"],
    ) == ("", "demo_wx_01", -1, False)
    taggings = {(r["lead_open_id"], r["tag_id"]): r["tag_name"] for r in rows(parsed, "lead_taggings")}
    assert taggings == {
        (FIRST, "101"): "高意向",
        (FIRST, "102"): "已到店",
        (SECOND, "101"): "高意向",
        (SECOND, "102"): "已到店",
    }


def test_a_lead_that_stands_in_one_list_only_is_known_all_the_same():
    body = orjson.loads(sample("leads_user_list"))
    body["data"]["list"] = [FIRST, THIRD]
    found = rows(parse_body(ENDPOINTS["leads_user_list"], orjson.dumps(body)), "lead_ids")
    assert [r["lead_open_id"] for r in found] == sorted([FIRST, SECOND, THIRD])


@pytest.mark.parametrize("missing", ["list", "users"])
def test_either_list_of_leads_may_be_missing(missing: str):
    body = orjson.loads(sample("leads_user_list"))
    for empty in (None, [], ...):
        if empty is ...:
            del body["data"][missing]
        else:
            body["data"][missing] = empty
        parsed = parse_body(ENDPOINTS["leads_user_list"], orjson.dumps(body))
        assert parsed.quarantined == 0
        assert len(rows(parsed, "lead_ids")) == 2
        assert len(rows(parsed, "leads")) == (0 if missing == "users" else 2)


def test_an_id_that_is_no_text_goes_to_quarantine():
    body = orjson.loads(sample("leads_tag_user_list"))
    body["data"]["list"].append({"open_id": FIRST})
    parsed = parse_body(ENDPOINTS["leads_tag_user_list"], orjson.dumps(body), {"tag_id": "101"})
    (bad,) = parsed.partitions[0].quarantine.to_pylist()
    assert bad["reason"] == "the row is OBJECT, not a text"
    assert {(r["tag_id"], r["lead_open_id"]) for r in rows(parsed, "lead_tag_people")} == {
        ("101", FIRST),
        ("101", THIRD),
    }


def test_detail_of_a_lead_fills_the_tables_of_the_list():
    parsed = parse("leads_user_detail", open_id="account", user_id=FIRST)
    assert rows(parsed, "leads") == [
        r for r in rows(parse("leads_user_list", open_id="account"), "leads") if r["lead_open_id"] == FIRST
    ]
    assert {(r["lead_open_id"], r["tag_id"]) for r in rows(parsed, "lead_taggings")} == {(FIRST, "101"), (FIRST, "102")}


def test_actions_are_instants_of_people():
    found = rows(parse("leads_user_action_list", open_id="account", user_id=FIRST), "lead_actions")
    by_person = {(r["lead_open_id"], r["action_type"], r["action_flag"]): r["action_at"] for r in found}
    assert by_person[FIRST, 1, 1] == datetime(2024, 5, 20, 3, 25, 1, tzinfo=UTC)
    assert by_person[SECOND, 2, 52] == datetime(2024, 5, 19, 3, 25, 1, tzinfo=UTC)


# --------------------------------------------------------------------------- events: text inside text


def test_events_are_read_through_text_inside_text():
    message, follow = sorted(
        rows(parse("intention_log_list", open_id="account"), "lead_events"), key=lambda r: r["event_at"]
    )
    kept = orjson.loads(message.pop("event_content"))
    assert kept["content"]["text"] == "价格多少"
    assert message == {
        "open_id": "account",
        "event": "im_receive_msg",
        "actor_open_id": FIRST,
        "event_at": datetime(2024, 5, 20, 3, 25, 1, 123000, tzinfo=UTC),
        "from_user_id": FIRST,
        "to_user_id": SECOND,
        "message_type": "text",
        "message_text": "价格多少",
        "conversation_id": None,
        "message_id": None,
        "event_action": None,
    }
    assert follow["to_user_id"] == FIRST
    assert (follow["event"], follow["event_action"], follow["message_text"]) == ("new_follow_action", 1, None), (
        "its content is text, and so is the content's"
    )


def event(content: object) -> bytes:
    body = orjson.loads(sample("intention_log_list"))
    body["data"]["intention_log_infos"] = [
        {"event": "im_receive_msg", "open_id": FIRST, "event_time": "1716175501123", "content": content}
    ]
    return orjson.dumps(body)


@pytest.mark.parametrize("as_text", [True, False])
def test_the_inner_content_may_be_an_object_or_text(as_text: bool):
    inner = {
        "message_type": "text",
        "text": '她说："好" {"a": [1]}',
        "conversation_short_id": "@c==",
        "server_message_id": "@m==",
    }
    content = {"from_user_id": FIRST, "content": orjson.dumps(inner).decode() if as_text else inner}
    (found,) = rows(parse_body(ENDPOINTS["intention_log_list"], event(orjson.dumps(content).decode())), "lead_events")
    assert (found["message_text"], found["conversation_id"], found["message_id"]) == (inner["text"], "@c==", "@m==")


def test_an_inner_content_that_is_no_json_leaves_the_event():
    (found,) = rows(
        parse_body(ENDPOINTS["intention_log_list"], event('{"from_user_id": "x", "content": "not JSON"}')),
        "lead_events",
    )
    assert (found["from_user_id"], found["message_text"]) == ("x", None)


@pytest.mark.parametrize("content", ["not JSON", "", None, 7, "[1]"])
def test_an_event_that_is_no_json_goes_to_quarantine(content: object):
    parsed = parse_body(ENDPOINTS["intention_log_list"], event(content))
    (bad,) = parsed.partitions[0].quarantine.to_pylist()
    assert bad["reason"] == "content: expected an object as JSON text"
    assert rows(parsed, "lead_events") == []


# --------------------------------------------------------------------------- comments


@pytest.mark.parametrize("operation", ["item_comment_list", "video_comment_list", "item_comment_list_apps_v1"])
def test_comments_and_how_far_they_were_read(operation: str):
    parsed = parse(operation, open_id="account", item_id="@v==")
    found = {r["comment_id"]: r for r in rows(parsed, "comments")}
    pinned = found["@cm01Zt/demo+Comment8sVqXyLwPb3RkTn=="]
    assert (pinned["content"], pinned["is_top"], pinned["reply_count"], pinned["commenter_open_id"]) == (
        "拍得真好，求路线",
        True,
        2,
        FIRST,
    )
    assert pinned["created_at"] == datetime(2024, 5, 20, 3, 25, 1, tzinfo=UTC)
    assert {(r["open_id"], r["item_id"]) for r in found.values()} == {("account", "@v==")}
    assert rows(parsed, "comment_reads") == [
        {"open_id": "account", "item_id": "@v==", "listed_count": len(found), "is_whole": False}
    ], "there is a next page"


@pytest.mark.parametrize(("operation", "inner"), [("item_comment_list", False), ("item_comment_list_apps_v1", True)])
def test_a_video_without_comments_was_read_to_its_end(operation: str, inner: bool):
    """No comments is a fact; `comment_reads` distinguishes it from a video that was not read."""
    body = orjson.loads(sample(operation))
    (body["data"]["data"] if inner else body["data"]).update(list=None, has_more=False)
    parsed = parse_body(ENDPOINTS[operation], orjson.dumps(body), {"item_id": "@v=="})
    assert rows(parsed, "comments") == []
    assert [(r["listed_count"], r["is_whole"]) for r in rows(parsed, "comment_reads")] == [(0, True)]


def test_replies_carry_the_requested_comment():
    found = rows(
        parse("video_search_comment_reply_list", sec_item_id="@s==", comment_id="@c=="), "search_comment_replies"
    )
    assert {(r["sec_item_id"], r["comment_id"]) for r in found} == {("@s==", "@c==")}
    assert len({r["reply_id"] for r in found}) == len(found)


# --------------------------------------------------------------------------- weekly lists: lists of texts


def test_a_list_of_texts_may_be_one_text_in_brackets():
    first, second = rows(parse("ent_rank_item", type="1"), "ent_ranks")
    assert (first["actors"], first["directors"], first["areas"], first["tags"]) == (
        "演员甲、演员乙",
        "导演甲",
        "中国",
        "喜剧、剧情",
    )
    assert (second["actors"], second["directors"], second["areas"], second["tags"]) == (
        "演员丙、演员丁",
        None,
        None,
        None,
    )
    assert (first["release_date"], second["release_date"]) == (date(2024, 5, 1), None)
    assert [r["hot_value"] for r in (first, second)] == [12655001.0, 1361000.0]
    assert (first["active_date"], first["active_at"]) == (date(2024, 5, 21), None)


@pytest.mark.parametrize(("version", "stored"), [(None, None), ("231", 231)])
def test_the_version_is_the_requested_one(version: str | None, stored: int | None):
    found = rows(parse("ent_rank_item", **({"version": version} if version else {})), "ent_ranks")
    assert [(r["version"], r["ent_type"], r["rank"]) for r in found] == [(stored, 1, 1), (stored, 1, 2)]


@pytest.mark.parametrize("names", ['{"a": 1}', "7", "true"])
def test_what_is_neither_a_list_nor_text_goes_to_quarantine(names: str):
    parsed = parse_body(
        ENDPOINTS["ent_rank_item"], changed("ent_rank_item", '"directors": null', f'"directors": {names}')
    )
    (bad,) = parsed.partitions[0].quarantine.to_pylist()
    assert bad["reason"].startswith("directors: expected a list of texts, got ")
    assert bad["column_name"] == "directors"
    assert json.loads(bad["value"]) == json.loads(names)
    assert [r["directors"] for r in rows(parsed, "ent_ranks")].count(None) >= 1
    assert len(rows(parsed, "ent_ranks")) == 2


def test_weeks_begin_on_monday():
    found = rows(parse("ent_rank_version"), "ent_rank_versions")
    assert [(r["version"], r["start_date"], r["end_date"]) for r in found] == [
        (230, date(2024, 5, 13), date(2024, 5, 19)),
        (231, date(2024, 5, 20), date(2024, 5, 26)),
    ]
    assert {r["start_date"].weekday() for r in found} == {0}
    assert found[0]["published_at"] == datetime(2024, 5, 20, 4, 0, tzinfo=UTC)


# --------------------------------------------------------------------------- places


def test_an_audience_keeps_the_text_beside_the_number():
    body = changed("poi_user", '"0.18"', '"<10"')
    found = rows(parse_body(ENDPOINTS["poi_user"], body, {"poi_id": "6601"}), "poi_audience")
    values = {(r["dimension"], r["bucket_raw"]): (r["value_raw"], r["bucket_value"]) for r in found}
    assert values["age", "18-23"] == ("<10", None)
    assert values["age", "24-30"] == ("0.31", 0.31)
    assert {(r["poi_id"], r["audience"]) for r in found} == {("6601", "visitors")}
    assert {r["audience"] for r in rows(parse("poi_service_user"), "poi_audience")} == {"buyers"}


@pytest.mark.parametrize(("kind", "stored"), [("10", 10), ("30", 30)])
def test_the_kind_of_a_heat_list_is_the_requested_one(kind: str, stored: int):
    found = rows(parse("poi_billboard", billboard_type=kind), "poi_billboard")
    assert {r["poi_category"] for r in found} == {stored}
    assert (found[0]["rank"], found[0]["score_raw"], found[0]["score"]) == (1, "98.7", 98.7)


def test_days_of_a_place_stand_in_their_partitions():
    parsed = parse("poi_base", poi_id="6601")
    assert {p.dt: [r["detail_views"] for r in p.rows.to_pylist()] for p in parsed.partitions} == {
        date(2024, 5, 18): [200],
        date(2024, 5, 19): [351],
        date(2024, 5, 20): [0],
    }


def test_both_ways_to_a_place_give_the_same_row():
    assert rows(parse("poi_query"), "poi_amap") == rows(parse("poi_base_query_amap"), "poi_amap")
    (place,) = rows(parse("poi_query"), "poi_amap")
    assert (place["city_name"], place["latitude"], place["longitude"]) == ("杭州市", 30.2453, 120.1412)


# --------------------------------------------------------------------------- messages and the app itself


def test_where_a_consent_came_from():
    found = {r["target_open_id"]: r for r in rows(parse("im_authorize_user_list", open_id="account"), "im_consents")}
    assert (found[FIRST]["data_im_extra"], found[FIRST]["query_text"], found[FIRST]["from_room_id"]) == (
        "store=42",
        "from=card",
        "730001",
    )
    (status,) = rows(parse("im_authorize_status", open_id="account", c_open_id=FIRST), "im_consent_status")
    assert (status["target_open_id"], status["consent_status"], status["path_text"]) == (FIRST, 1, "pages/index/index")


def test_media_carry_the_message_that_they_belong_to():
    (found,) = rows(parse("im_message_resources", conversation_id="@c==", message_id="@m=="), "im_media")
    assert (found["conversation_id"], found["message_id"], found["media_kind"]) == ("@c==", "@m==", "image")


def test_calls_that_the_platform_counted_are_distinguished_by_their_place():
    """Scope and path may be missing, and the texts of the time bucket are undocumented: only the place differs."""
    found = rows(parse("devtool_monitor_call"), "platform_calls")
    assert [(r["position"], r["counted_at_text"], r["call_count"]) for r in found] == [
        (1, "2024-05-20", 48),
        (2, "2024-05-21", 47),
    ]
    bare = changed("devtool_monitor_call", '"scope": "hotsearch",', "")
    assert [r["scope"] for r in rows(parse_body(ENDPOINTS["devtool_monitor_call"], bare), "platform_calls")] == [
        None,
        None,
    ]


# --------------------------------------------------------------------------- sources


def test_videos_through_each_endpoint():
    listed = {r["item_id"]: r for r in rows(parse("video_list"), "videos")}
    by_id = {r["item_id"]: r for r in rows(parse("video_data"), "videos")}
    mini = {r["item_id"]: r for r in rows(parse("video_query_apps_v1"), "videos")}
    basic = {r["item_id"]: r for r in rows(parse("video_basic_info"), "videos")}
    assert listed.keys() == by_id.keys() == mini.keys() == basic.keys()
    for item, video in listed.items():
        assert by_id[item] == video
        assert mini[item] == {**video, "anchor_id": "anchor-9001", "anchor_type": 1}
        assert (basic[item]["title"], basic[item]["is_top"], basic[item]["share_url"]) == (video["title"], None, None)
    assert rows(parse("video_data"), "video_totals") == rows(parse("video_query_apps_v1"), "video_totals") != []
