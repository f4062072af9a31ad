"""Leads: lists, actions, tags and the interaction log agree with each other as time passes."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest
from people_requests import ENTERPRISE, leads, log, pages, shown, window
from sandbox_platform import NOW, code_of

START = datetime.fromisoformat(NOW)


def detail(platform, person, account=0):
    return platform.data("leads_user_detail", account, user_id=person)


def actions(platform, person, account=0, **params):
    found = pages(platform, "leads_user_action_list", account, user_id=person, count=20, **params)
    return [a for page in found for a in page["list"] or ()]


def tags(row):
    return {int(t["tag_id"]) for t in row["tag_list"] or ()}


def fresh(platform, account=0):
    """Fetch new tokens after the clock moved."""
    platform._tokens.clear()
    platform.tokens(account)


@pytest.mark.parametrize("account", ENTERPRISE)
def test_actions_and_the_log_agree(platform, account):
    """Messages and follows are in both; forms and calls only among the actions.

    Likes and group messages are only in the log.
    """
    since = START.timestamp() - 3 * 86_400
    reported = Counter(
        (r["open_id"], int(r["event_time"]) // 1_000, 1 if r["event"] == "im_receive_msg" else 3)
        for r in log(platform, account)
        if r["event"] in ("im_receive_msg", "new_follow_action")
    )
    listed = Counter(
        (a["user_id"], a["create_time"], a["action_type"])
        for person in leads(platform, account, days=3)
        for a in actions(platform, person, account)
        if a["create_time"] >= since and a["action_flag"] in (1, 2, 102)
    )
    assert reported == listed
    assert sum(reported.values()) > 15


def test_list_holds_who_did_something_within_the_window(platform):
    everybody = leads(platform, 0, days=7)
    assert len(set(everybody)) == len(everybody) > 15
    since = START.timestamp() - 7 * 86_400
    newest = [actions(platform, p)[0]["create_time"] for p in everybody]
    assert newest == sorted(newest, reverse=True)
    assert min(newest) >= since
    for kind in (1, 2, 3):
        did = {p for p in everybody if any(a["create_time"] >= since for a in actions(platform, p, action_type=kind))}
        assert did == set(leads(platform, 0, days=7, action_type=kind))
        assert did


def test_levels(platform):
    everybody = leads(platform, 0, days=30)
    levels = {p: detail(platform, p)["leads_level"] for p in everybody}
    assert set(levels.values()) == {-1, 0, 1, 2, 10}
    for level in (-1, 0, 1, 2, 10):
        assert set(leads(platform, 0, days=30, leads_level=level)) == {p for p, n in levels.items() if n == level}


def test_users_are_the_details_and_sometimes_missing(platform):
    reported = Counter()
    for second in range(24):
        platform.at(START + timedelta(seconds=second))
        data = platform.data("leads_user_list", 0, count=5, action_type=0, **window(platform))
        reported[data["users"] is None] += 1
        assert len(data["list"]) == 5
        if data["users"] is not None:
            assert [u["open_id"] for u in data["users"]] == data["list"]
            user, single = data["users"][0], detail(platform, data["list"][0])
            assert all(user[m] == single[m] for m in ("nickname", "telephone", "wechat", "leads_level", "is_follow"))
            assert tags(user) == tags(single)
    assert reported[True] > 0 < reported[False]


def test_numbers_are_known_from_when_they_were_left_and_look_invented(platform):
    people = [detail(platform, p) for p in leads(platform, 0, days=30)]
    phones = [d["telephone"] for d in people if d["telephone"]]
    assert len(people) / 5 < len(phones) < len(people)
    assert all(re.fullmatch(r"1380000\d{4}", p) for p in phones)
    assert any(d["wechat"] for d in people)
    assert all(re.fullmatch(r"demo_wx_\d{6}|", d["wechat"]) for d in people)
    assert {d["gender"] for d in people} == {0, 1, 2}
    assert 0 in {d["age"] for d in people} != {0}
    left = next(r for r in log(platform, 0, days=14) if r["event"] == "im_receive_msg" and "1380000" in r["content"])
    when = datetime.fromtimestamp(int(left["event_time"]) / 1_000, START.tzinfo)
    assert detail(platform, left["open_id"])["telephone"] in left["content"]
    platform.at(when - timedelta(seconds=1))
    fresh(platform)
    before = platform.get("leads_user_detail", 0, user_id=left["open_id"])
    assert code_of(before) in (0, 2100006)
    assert before["data"].get("telephone", "") == ""


def test_the_log_reports_following(platform):
    follow = log(platform, 0, days=3, event="new_follow_action")[-1]
    assert follow["body"]["action_time"] == int(follow["event_time"]) // 1_000
    assert detail(platform, follow["open_id"])["is_follow"] is True


def test_tags(platform):
    own = [t for page in pages(platform, "leads_tag_list", 0, count=4) for t in page["list"]]
    ids = [int(t["tag_id"]) for t in own]
    assert len(ids) == len(set(ids)) > 4
    people = {
        t: {p for page in pages(platform, "leads_tag_user_list", 0, tag_id=t, count=50) for p in page["list"] or ()}
        for t in ids
    }
    assert all(people.values())
    recent = {p: tags(detail(platform, p)) for p in leads(platform, 0, days=14)}
    assert all((p in people[t]) == (t in carried) for p, carried in recent.items() for t in ids)
    assert max(map(len, recent.values())) <= 5
    platform.at(START + timedelta(days=10))
    after = {
        p for page in pages(platform, "leads_tag_user_list", 0, tag_id=ids[0], count=50) for p in page["list"] or ()
    }
    assert after - people[ids[0]]
    assert people[ids[0]] - after
    assert code_of(platform.get("leads_tag_user_list", 0, tag_id=999, count=10)) == 2100006
    assert code_of(platform.get("leads_tag_user_list", 0, tag_id="x", count=10)) == 2100005


def test_the_log_in_seconds_and_milliseconds_and_other_page_sizes_is_the_same(platform):
    rows = log(platform, 0)
    times = [int(r["event_time"]) for r in rows]
    assert times == sorted(times)
    assert min(times) >= (START.timestamp() - 3 * 86_400) * 1_000
    assert max(times) < START.timestamp() * 1_000
    for params in ({"count": 7}, window(platform, 3, 1_000)):
        assert [(r["event"], r["open_id"], int(r["event_time"])) for r in log(platform, 0, **params)] == [
            (r["event"], r["open_id"], int(r["event_time"])) for r in rows
        ]


def test_contents_are_the_webhooks(platform):
    rows = [r for account in (0, 1, 4) for r in log(platform, account, days=20)]
    events = {r["event"] for r in rows}
    assert events == {
        "im_receive_msg",
        "im_send_msg",
        "im_enter_direct_msg",
        "new_follow_action",
        "new_video_digg",
        "im_group_receive_msg",
    }
    assert all(r["webhook"]["event"] == r["event"] and r["webhook"]["client_key"] == "sandbox-key" for r in rows)
    messages = [r for r in rows if r["event"] == "im_receive_msg"]
    assert {type(r["webhook"]["content"]) for r in messages} == {dict, str}
    assert {r["body"]["message_type"] for r in messages} == {
        "text",
        "emoji",
        "image",
        "user_local_image",
        "user_local_video",
        "retain_consult_card",
    }
    assert all(r["body"]["create_time"] == int(r["event_time"]) for r in messages)
    assert all(r["webhook"]["from_user_id"] == r["open_id"] for r in rows if r["event"] != "im_send_msg")
    assert all(r["webhook"]["to_user_id"] == r["open_id"] for r in rows if r["event"] == "im_send_msg")
    ids = [r["body"]["server_message_id"] for r in rows if "server_message_id" in r["body"]]
    assert len(set(ids)) == len(ids)
    talk = Counter(
        r["body"]["conversation_short_id"] for r in rows if r["event"].startswith("im_") and "group" not in r["event"]
    )
    assert max(talk.values()) > 3
    own = {v["item_id"] for account in (0, 1, 4) for v in platform.videos(account)}
    liked = [r["body"]["item_id"] for r in rows if r["event"] == "new_video_digg"]
    assert own & set(liked)
    assert any(i == shown(platform, 0)[0]["item_id"] or i in own for i in liked)


def test_events_can_be_filtered_and_sessions_belong_to_their_question(platform):
    rows = log(platform, 0, days=7, event="im_enter_direct_msg", count=5)
    assert {r["event"] for r in rows} == {"im_enter_direct_msg"}
    assert len(rows) == sum(r["event"] == "im_enter_direct_msg" for r in log(platform, 0, days=7))
    first = platform.data("intention_log_list", 0, count=5, **window(platform))
    assert set("@/+=") <= set(first["query_session"])
    for params in (
        {**window(platform, 5), "query_session": first["query_session"]},
        {**window(platform), "query_session": "@x"},
    ):
        assert code_of(platform.get("intention_log_list", 0, count=5, **params)) == 2100005


def test_time_goes_on(platform):
    before = log(platform, 0)
    platform.at(START + timedelta(days=1))
    after = log(platform, 0, days=4)
    assert [r["content"] for r in after[: len(before)]] == [r["content"] for r in before]
    assert len(after) > len(before)
    assert set(leads(platform, 0, days=1)) - {r["open_id"] for r in before}


def test_small_accounts_have_fewer_events(platform):
    sizes = [len(log(platform, account, days=20)) for account in range(5)]
    assert sizes[4] > sizes[1] > sizes[2] > sizes[3]
    assert sizes[3] > 0


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("leads_user_list", {"action_type": 4}, 2100005),
        ("leads_user_list", {"action_type": None}, 28001007),
        ("leads_user_list", {"start_time": None}, 28001007),
        ("leads_user_list", {"start_time": 9_000_000_000}, 2100005),
        ("leads_user_list", {"leads_level": 5}, 2100005),
        ("leads_user_list", {"count": 0}, 2100005),
        ("leads_user_list", {"end_time": "soon"}, 2100005),
        ("leads_user_detail", {"user_id": "unknown"}, 2100006),
        ("leads_user_detail", {"user_id": None}, 28001007),
        ("leads_user_action_list", {"action_type": 7}, 2100005),
        ("leads_user_action_list", {"cursor": "!!"}, 2100005),
        ("intention_log_list", {"event": "no_such_event"}, 2100005),
        ("intention_log_list", {"start_time": "x"}, 2100005),
        ("intention_log_list", {"end_time": None}, 28001007),
    ],
)
def test_wrong_requests_are_refused(platform, name, change, code):
    requested = {"count": 10}
    if name.startswith("leads_user_list"):
        requested |= {"action_type": 0}
    if name in ("leads_user_list", "intention_log_list"):
        requested |= window(platform)
    else:
        requested["user_id"] = leads(platform)[0]
    assert code_of(platform.get(name, 0, **requested)) == 0
    assert code_of(platform.get(name, 0, **(requested | change))) == code


def test_leads_of_others_and_other_accounts_are_refused(platform):
    assert code_of(platform.get("leads_user_detail", 1, user_id=leads(platform, 0)[0])) == 2100007
    for name, params in (("leads_tag_list", {}), ("leads_user_list", {"action_type": 0, **window(platform)})):
        assert code_of(platform.get(name, 2, count=10, **params)) == 2112001
