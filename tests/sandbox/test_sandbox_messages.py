"""Messages pass through the contract's scenes, within their windows, and can be found again."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from people_requests import log
from sandbox_platform import NOW, code_of, problems

START = datetime.fromisoformat(NOW)
CARD = {"msg_type": 10, "applet_card": {"card_template_id": "demo-card"}}
PRIVATE = 2
"""An account that is no enterprise account."""


def text(words: str = "您好") -> dict:
    return {"msg_type": 1, "text": {"text": words}}


def answer_to(event: dict, scene: str = "im_reply_msg", **more) -> dict:
    """Return parameters of a message that replies to an event."""
    content = event["content"]
    ids = {"msg_id": content["server_message_id"], "conversation_id": content["conversation_short_id"]}
    return {"to_user_id": event["from_user_id"], "scene": scene, **ids} | (more or {"content": text()})


# ---- windows


def test_a_message_is_answered_six_times(fresh):
    event = fresh.does("write", text="在吗")
    sent = [fresh.write("im_send_msg", **answer_to(event))["msg_id"] for _ in range(4)]
    assert fresh.refusal("im_send_msg", **answer_to(event, content_list=[text()] * 3)) == 28003080
    body = fresh.write("im_send_msg", **answer_to(event, content_list=[text("一"), text("二")]))
    assert "msg_id" not in body
    sent += body["msg_list"]
    assert len(set(sent)) == 6
    assert fresh.refusal("im_send_msg", **answer_to(event)) == 28003080
    again = fresh.does("write", event["from_user_id"])
    fresh.write("im_send_msg", **answer_to(again))
    calls = fresh.messages()
    assert [m for call in calls[:-1] for m in call["message_ids"]] == sent
    assert [call["types"] for call in calls] == [[1], [1], [1], [1], [1, 1], [1]]
    assert {call["window"] for call in calls} == {e["content"]["server_message_id"] for e in (event, again)}
    assert {(c["account"], c["person"], c["scene"]) for c in calls} == {
        (fresh.open_id(), event["from_user_id"], "im_reply_msg")
    }
    assert {c["at"] for c in calls} == {START.timestamp()}


@pytest.mark.parametrize(
    ("does", "scene", "length", "most"), [("write", "im_reply_msg", 86_400, 6), ("enter", "im_enter_direct_msg", 30, 3)]
)
def test_windows_close(fresh, does, scene, length, most):
    event = fresh.does(does)
    fresh.at(START + timedelta(seconds=length))
    fresh.write("im_send_msg", **answer_to(event, scene))
    fresh.at(START + timedelta(seconds=length + 1))
    assert fresh.refusal("im_send_msg", **answer_to(event, scene)) == 28003081
    fresh.at(START)
    assert fresh.refusal("im_send_msg", **answer_to(event, scene, content_list=[text()] * most)) == 28003080
    fresh.write("im_send_msg", **answer_to(event, scene, content_list=[text()] * (most - 1)))
    assert fresh.refusal("im_send_msg", **answer_to(event, scene)) == 28003080


def test_a_message_of_the_worlds_own_course_can_be_answered(fresh):
    row = [r for r in log(fresh, days=1) if r["event"] == "im_receive_msg"][-1]
    fresh.write("im_send_msg", **answer_to({"from_user_id": row["open_id"], "content": row["body"]}))


def test_the_scene_is_a_reply_unless_said(fresh):
    params = answer_to(fresh.does("write"))
    fresh.write("im_send_msg", **{k: v for k, v in params.items() if k != "scene"})
    assert fresh.messages()[0]["scene"] == "im_reply_msg"


def test_ids_must_fit_the_peer_and_the_scene(fresh):
    wrote, entered = fresh.does("write"), fresh.does("enter")
    person, elsewhere = wrote["from_user_id"], fresh.people()[0]["person"]
    other = fresh.does("write", elsewhere)
    good = answer_to(wrote)
    sent = fresh.write("im_send_msg", **good)["msg_id"]
    for change in (
        {"msg_id": sent},  # an im_send_msg event can never be answered
        {"msg_id": entered["content"]["server_message_id"]},
        {"msg_id": other["content"]["server_message_id"]},
        {"conversation_id": other["content"]["conversation_short_id"]},
        {"msg_id": "@msgnothing"},
        {"to_user_id": elsewhere},
        {"scene": "im_enter_direct_msg"},
    ):
        assert fresh.refusal("im_send_msg", **good | change) == 28003082, change
    own = [r for r in log(fresh, days=1) if r["event"] == "im_send_msg" and r["open_id"] != person][-1]["body"]
    assert fresh.refusal("im_send_msg", **good | {"msg_id": own["server_message_id"]}) == 28003082
    assert len(fresh.messages()) == 1


def test_foreign_people_and_accounts_that_may_not_send(fresh):
    good = answer_to(fresh.does("write"))
    foreign = fresh.people(account=1)[-1]["person"]
    assert fresh.refusal("im_send_msg", **good | {"to_user_id": foreign}) == 2100007
    assert fresh.refusal("im_send_msg", **good | {"to_user_id": "unknown"}) == 2100006
    assert fresh.refusal("im_send_msg", account=PRIVATE, **good) == 2112001
    assert fresh.refusal("im_send_msg", **good | {"scene": "im_b2b_direct_message"}) == 28004020
    assert fresh.messages() == []


# ---- without a window


def test_proactive_messages_need_consent_and_a_card_and_go_once_a_day(fresh):
    person = fresh.people()[-1]["person"]
    fresh.does("withdraw_consent", person)
    good = {"to_user_id": person, "scene": "im_authorize_message", "content_list": [text("上新了"), CARD]}
    assert fresh.refusal("im_send_msg", **good) == 28003095
    fresh.does("consent", person)
    assert fresh.data("im_authorize_status", c_open_id=person)["status"] in (1, "1")
    assert fresh.refusal("im_send_msg", **good | {"content_list": [text()]}) == 28001038
    assert fresh.refusal("im_send_msg", **good | {"content_list": [text(), text(), text(), CARD]}) == 28001038
    assert len(fresh.write("im_send_msg", **good)["msg_list"]) == 2
    assert fresh.refusal("im_send_msg", **good) == 28003080
    fresh.at("2026-11-16T23:59:59+08:00")
    assert fresh.refusal("im_send_msg", **good) == 28003080
    fresh.at("2026-11-17T00:00:00+08:00")
    fresh.write("im_send_msg", **good)
    fresh.does("withdraw_consent", person)
    fresh.at("2026-11-18T00:00:00+08:00")
    assert fresh.refusal("im_send_msg", **good) == 28003095
    assert [c["window"] for c in fresh.messages()] == ["", ""]


def test_the_older_operation_sends_once_for_a_client_msg_id(fresh):
    person = fresh.people()[-1]["person"]
    good = {"to_user_id": person, "message_type": "text", "content": '{"text":"您好"}', "client_msg_id": "a-1"}

    def sent(**params) -> int:
        return int(fresh.write("enterprise_im_message_send", **params)["data"]["server_msg_id"])

    first = sent(**good)
    fresh.at(START + timedelta(days=1))
    assert sent(**good) == first
    assert sent(**good | {"client_msg_id": "a-2"}) != first
    without = {k: v for k, v in good.items() if k != "client_msg_id"}
    assert len({sent(**without) for _ in range(2)}) == 2
    assert [c["client_msg_id"] for c in fresh.messages()] == ["a-1", "a-2", "", ""]
    for change, code in (
        ({"content": "{"}, 28001038),
        ({"content": "[]"}, 28001038),
        ({"content": "{}"}, 28001038),
        ({"message_type": "fax"}, 2100005),
        ({"content": {"text": "x"}}, 2100005),
        ({"to_user_id": "unknown"}, 2100006),
        ({"message_type": "image", "content": '{"media_id":"m"}', "client_msg_id": "a-3"}, 0),
    ):
        assert fresh.refusal("enterprise_im_message_send", **good | {"client_msg_id": "new"} | change) == code, change
    assert fresh.refusal("enterprise_im_message_send", account=PRIVATE, **good) == 2112001


def test_groups_are_sent_to(fresh):
    ids = {fresh.write("im_send_msg_group", group_id="g1", content=text("大家好"))["msg_id"] for _ in range(2)}
    assert len(ids) == 2
    assert {(c["scene"], c["person"]) for c in fresh.messages()} == {("group", "")}
    assert fresh.refusal("im_send_msg_group", group_id="g1", content={"msg_type": 1}) == 28001038
    assert fresh.refusal("im_send_msg_group", group_id="", content=text()) == 28001007
    assert fresh.refusal("im_send_msg_group", account=PRIVATE, group_id="g1", content=text()) == 2112001


def test_messages_are_recalled_by_who_sent_them(fresh):
    event = fresh.does("write")
    params = answer_to(event)
    sent = fresh.write("im_send_msg", **params)["msg_id"]
    good = {"msg_id": sent, "conversation_id": params["conversation_id"], "conversation_type": 1}
    assert fresh.refusal("im_recall_msg", account=1, **good) == 2100006
    for change, code in (
        ({"msg_id": params["msg_id"]}, 2100006),
        ({"conversation_id": "@convelse"}, 2100006),
        ({"conversation_type": 2}, 2100006),
        ({"conversation_type": 3}, 2100005),
        ({"conversation_type": True}, 2100005),
        ({"msg_id": 5}, 2100005),
    ):
        assert fresh.refusal("im_recall_msg", **good | change) == code, change
    assert [c["recalled"] for c in fresh.messages()] == [False]
    fresh.write("im_recall_msg", **good)
    fresh.write("im_recall_msg", **good)
    assert [c["recalled"] for c in fresh.messages()] == [True]
    group = fresh.write("im_send_msg_group", group_id="g1", content=text())["msg_id"]
    fresh.write("im_recall_msg", msg_id=group, conversation_id="@conv", conversation_type=2)


# ---- contents


@pytest.mark.parametrize(
    "content",
    [
        {"msg_type": 2, "image": {"media_id": "m1"}},
        {"msg_type": 3, "video": {"item_id": "@9x"}},
        {"msg_type": 8, "retain_consult_card": {"card_id": "c1"}},
        {"msg_type": 9, "group_invitation": {"group_id": "g", "group_token": "t"}},
        CARD,
        {"msg_type": 11, "applet_coupon": {"activity_id": 1, "coupon_meta_id": 2}},
        {"msg_type": 12, "auth_private_message_card": {}},
        {"msg_type": 12, "auth_private_message_card": {"app_info": {"app_id": "tt1"}}},
    ],
    ids=lambda c: str(c["msg_type"]),
)
def test_every_type_is_sent(fresh, content):
    fresh.write("im_send_msg", **answer_to(fresh.does("write"), content=content))
    assert fresh.messages()[0]["types"] == [content["msg_type"]]
    assert log(fresh, days=1)[-1]["event"] == "im_receive_msg"
    fresh.at(START + timedelta(seconds=1))
    assert log(fresh, days=1)[-1]["event"] == "im_send_msg"


def test_bad_contents_are_refused(fresh):
    event = fresh.does("write")
    for content in (
        {"msg_type": 1},
        {"msg_type": 1, "text": {}},
        {"msg_type": 1, "text": {"text": ""}},
        {"msg_type": 1, "text": {"text": 5}},
        {"msg_type": 1, "text": "您好"},
        {"msg_type": 1, "image": {"media_id": "m"}},
        {**text(), "image": {"media_id": "m"}},
        {"msg_type": 1, "text": {"text": "代开发票"}},
        {"msg_type": 9, "group_invitation": {"group_id": "g"}},
        {"msg_type": 10, "applet_card": {"card_template_id": "c", "path": 5}},
        {"msg_type": 11, "applet_coupon": {"activity_id": "1", "coupon_meta_id": 2}},
        {"msg_type": 11, "applet_coupon": {"activity_id": True, "coupon_meta_id": 2}},
        {"msg_type": 12},
        {"msg_type": 12, "auth_private_message_card": {"app_info": {}}},
        {"msg_type": 12, "auth_private_message_card": {"to_user_info": {"open_id": "o", "app_id": 1}}},
    ):
        assert fresh.refusal("im_send_msg", **answer_to(event, content=content)) == 28001038, content
        assert fresh.refusal("im_send_msg", **answer_to(event, content_list=[text(), content])) == 28001038, content
    for params in (
        {"content": {"msg_type": 4}},
        {"content": {"msg_type": "1"}},
        {"content": {"msg_type": True}},
        {"content": []},
        {"content": {}},
        {"content_list": []},
        {"content_list": {}},
        {"content_list": [text()] * 9},
        {"content": text(), "content_list": [text()]},
        {"content": None},
    ):
        assert fresh.refusal("im_send_msg", **answer_to(event, **params)) == 2100005, params
    for change in (
        {"scene": "by_post"},
        {"scene": ["im_reply_msg"]},
        {"scene": "group"},
        {"msg_id": 5},
        {"msg_id": ""},
        {"conversation_id": []},
        {"to_user_id": {}},
    ):
        assert fresh.refusal("im_send_msg", **answer_to(event) | change) == 2100005, change
    assert fresh.refusal("im_send_msg", content=text()) == 28001007
    assert fresh.messages() == []


# ---- afterwards, and when something breaks


def test_what_was_sent_stands_in_the_log(fresh):
    event = fresh.does("write", text="多少钱")
    sent = fresh.write("im_send_msg", **answer_to(event, content=text("稍等")))["msg_id"]
    fresh.at(START + timedelta(seconds=1))
    rows = [r for r in log(fresh, days=1) if r["open_id"] == event["from_user_id"]][-2:]
    assert [(r["event"], r["body"]["text"]) for r in rows] == [("im_receive_msg", "多少钱"), ("im_send_msg", "稍等")]
    assert rows[1]["body"]["server_message_id"] == sent
    assert rows[1]["body"]["source"] == "sandbox-key"
    assert (rows[1]["webhook"]["from_user_id"], rows[1]["webhook"]["to_user_id"]) == (
        fresh.open_id(),
        event["from_user_id"],
    )


def test_the_world_of_others_goes_on_as_it_would(fresh, make_platform):
    event = fresh.does("write")
    fresh.write("im_send_msg", **answer_to(event))
    quiet = make_platform()
    for platform in (fresh, quiet):
        platform.at(START + timedelta(hours=2))
    others = [r for r in log(fresh, days=2) if r["open_id"] != event["from_user_id"]]
    assert others == [r for r in log(quiet, days=2) if r["open_id"] != event["from_user_id"]]


@pytest.mark.parametrize(
    ("kind", "sent", "error"),
    [
        ("late", 1, httpx.RemoteProtocolError),
        ("timeout", 0, httpx.TimeoutException),
        ("cut", 1, httpx.RemoteProtocolError),
    ],
)
def test_a_lost_answer_does_not_say_whether_it_was_sent(fresh, kind, sent, error):
    params = answer_to(fresh.does("write"))
    fresh.tokens(0)
    fresh.fault("im_send_msg", kind, seconds=5)
    fresh.http.timeout = httpx.Timeout(0.1 if kind == "timeout" else 5)
    with pytest.raises(error):
        fresh.raw("im_send_msg", **params)
    assert len(fresh.messages()) == sent
    fresh.http.timeout = httpx.Timeout(5)
    fresh.write("im_send_msg", **params)
    assert len(fresh.messages()) == sent + 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("too_frequent", 28003018),
        ("capability_missing", 28001018),
        ("quota_used_up", 28003017),
        ("risk_control", 28001052),
    ],
)
def test_ordered_refusals_send_nothing(fresh, kind, code):
    params = answer_to(fresh.does("write"))
    fresh.fault("im_send_msg", kind)
    assert fresh.refusal("im_send_msg", **params) == code
    assert fresh.messages() == []
    reported = fresh.stats()["operations"]["im_send_msg"]
    assert (reported["requests"], reported["codes"], reported["faults"]) == (1, {str(code): 1}, {kind: 1})


def test_tokens_grants_owners_and_quotas_are_checked(make_platform):
    platform = make_platform(per_day=3, lacking=("im.recall_message",))
    params = answer_to(platform.does("write"))
    assert code_of(platform.get("im_send_msg", token="act.nonsense", **params)) in (28001003, 2190002)
    assert platform.refusal("im_send_msg", open_id=platform.open_id(1), **params) == 28001015
    assert platform.refusal("im_recall_msg", msg_id="m", conversation_id="c", conversation_type=1) == 28001018
    some = platform.redeem(platform.accounts(scopes="user_info")[0]["code"])["data"]["access_token"]
    assert platform.refusal("im_send_msg", token=some, **params) == 28001012
    body = platform.get("im_send_msg", **params)
    assert code_of(body) == 28003017
    assert problems("im_send_msg", body, success=False) == []
