"""Webhooks are signed and delivered at least once, in no certain order, to slow, faulty or absent receivers."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest
from contract_reading import contract
from jsonschema import Draft202012Validator
from people_requests import log
from sandbox_platform import NOW, seal
from sandbox_receiver import wait_until

START = datetime.fromisoformat(NOW)
EVENTS = tuple(contract()["webhooks"])
WITH_CONTENT = tuple(e for e in EVENTS if e not in ("dial_phone", "website_contact", "personal_tab_contact"))


@cache
def _validator(schema: str) -> Draft202012Validator:
    components = {"schemas": seal(contract()["components"]["schemas"])}
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": components})


def departures(body: dict) -> list[str]:
    """Where an event departs from its schema of the contract, its content included where it is JSON text."""
    schema = contract()["webhooks"][body["event"]]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "$ref"
    ].split("/")[-1]
    found = list(_validator(schema).iter_errors(body))
    if isinstance(body.get("content"), str):
        found += _validator(f"{schema}Content").iter_errors(json.loads(body["content"]))
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:160]}" for e in found]


@pytest.fixture
def deliver(receiver):
    """Let a sandbox deliver to the receiver, with quick retries by default."""

    def begin(platform, **how):
        reported = platform.order("PUT", "webhooks", **{"url": receiver.url, "retry_s": 0.01, **how})
        assert reported["verified"]
        return receiver

    return begin


def counts(platform) -> dict[str, int]:
    return platform.order("GET", "webhooks")["counts"]


def settle(platform) -> dict[str, int]:
    """Wait until no delivery is pending; return the counts."""
    wait_until(lambda: platform.order("GET", "webhooks")["pending"] == 0)
    found = counts(platform)
    assert found.get("events", 0) + found.get("duplicates", 0) == found.get("acknowledged", 0) + found.get(
        "given up", 0
    )
    return found


def subscribe(platform, **events: int) -> None:
    platform.write("event_status_update", list=[{"event": e, "status": s} for e, s in events.items()])


def status(platform) -> dict[str, int]:
    return {row["event"]: int(row["status"]) for row in platform.data("event_status_list")["list"]}


# ---- the contract


def test_the_contract_has_24_events(fresh):
    assert len(EVENTS) == 24
    assert set(status(fresh)) == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_keeps_the_contract_in_both_forms(platform, event):
    for account in (0, 2):
        for as_text in (None, False, True):
            body = platform.order("POST", "events", event=event, account=platform.open_id(account), as_text=as_text)
            assert body["event"] == event
            assert departures(body) == []
            assert ("content" in body) == (event in WITH_CONTENT)
            if event in WITH_CONTENT:
                documented = (
                    "as JSON text"
                    in contract()["components"]["schemas"]["Event" + "".join(p.title() for p in event.split("_"))][
                        "properties"
                    ]["content"]["description"]
                )
                assert isinstance(body["content"], str) == (documented if as_text is None else as_text)


def test_invented_content_is_replaced(platform):
    body = platform.order("POST", "events", event="group_fans_event", person="a person", content={"im_group_id": "g7"})
    assert body["from_user_id"] == "a person"
    assert json.loads(body["content"])["im_group_id"] == "g7"
    assert departures(body) == []
    assert platform.order("POST", "events", event="dial_phone") != platform.order("POST", "events", event="dial_phone")


def test_the_worlds_own_events_keep_the_contract(fresh, deliver):
    receiver = deliver(fresh)
    fresh.at(START + timedelta(days=2))
    settle(fresh)
    found = Counter(p.event for p in receiver.posts)
    assert set(found) == {
        "im_receive_msg",
        "im_send_msg",
        "im_enter_direct_msg",
        "im_group_receive_msg",
        "new_follow_action",
        "new_video_digg",
    }
    assert [d for p in receiver.posts for d in departures(p.body)] == []
    forms = {type(p.body["content"]) for p in receiver.posts if p.event == "im_receive_msg"}
    assert forms == {str, dict}


# ---- signatures and ids


def test_posts_are_signed_and_carry_an_id(fresh, deliver):
    receiver = deliver(fresh)
    event = fresh.does("write", text="在吗")
    settle(fresh)
    (post,) = receiver.posts
    assert post.genuine
    assert post.body | {"content": post.content} == event
    fresh.does("write", event["from_user_id"], text="在吗")
    settle(fresh)
    assert len({p.message_id for p in receiver.posts}) == 2


def test_the_address_is_verified(fresh, receiver):
    assert fresh.order("PUT", "webhooks", url=receiver.url)["verified"]
    (challenge,) = receiver.challenges
    assert challenge.genuine
    assert departures(challenge.body) == []
    assert challenge.body["client_key"] == "sandbox-key"
    receiver.mute = True
    assert not fresh.order("PUT", "webhooks", url=receiver.url)["verified"]
    assert not fresh.order("PUT", "webhooks", url="http://127.0.0.1:1/hook")["verified"]
    assert not fresh.order("PUT", "webhooks", url="")["verified"]


def test_failures_are_tried_again_with_the_same_id(fresh, deliver):
    receiver = deliver(fresh)
    receiver.answer = lambda post: 500 if len(receiver.posts) < 3 else 200
    fresh.does("write")
    found = settle(fresh)
    assert len({(p.message_id, p.raw, p.signature) for p in receiver.posts}) == 1
    assert found == {"events": 1, "duplicates": 0, "posts": 3, "retries": 2, "acknowledged": 1}


def test_three_retries_and_it_is_lost(fresh, deliver):
    receiver = deliver(fresh)
    receiver.answer = lambda post: 503
    fresh.does("write")
    assert settle(fresh) == {"events": 1, "duplicates": 0, "posts": 4, "retries": 3, "given up": 1}
    assert len(receiver.posts) == 4


def test_an_answer_that_comes_too_late_is_none(fresh, deliver):
    receiver, goes_on = deliver(fresh, timeout_s=0.2, retries=1), threading.Event()

    def slow_at_first(post) -> int:
        if len(receiver.posts) == 1:
            goes_on.wait(10)
        return 200

    receiver.answer = slow_at_first
    fresh.does("write")  # there is no receiver
    assert not goes_on.is_set()
    wait_until(lambda: len(receiver.posts) > 1)
    goes_on.set()
    assert settle(fresh)["retries"] == 1
    assert len({p.message_id for p in receiver.posts}) == 1


# ---- what can go wrong


def test_duplicates_come_with_the_same_id(fresh, deliver):
    receiver = deliver(fresh, duplicates=1)
    for _ in range(3):
        fresh.does("like")
    assert settle(fresh)["duplicates"] == 3
    assert sorted(Counter(p.message_id for p in receiver.posts).values()) == [2, 2, 2]


def test_forged_posts_have_wrong_signatures(fresh, deliver):
    receiver = deliver(fresh, bad_signatures=1)
    receiver.answer = lambda post: 200 if post.genuine else 401
    fresh.does("write")
    found = settle(fresh)
    assert (found["forged"], found["acknowledged"], found.get("retries", 0)) == (1, 1, 0)
    assert Counter(p.genuine for p in receiver.posts) == {True: 1, False: 1}
    assert len(next(p.signature for p in receiver.posts if not p.genuine)) == 40


def test_events_come_out_of_order(fresh, deliver):
    receiver = deliver(fresh, disorder=0.5)
    sent = [fresh.does("write", text=str(n))["content"]["text"] for n in range(12)]
    settle(fresh)
    came = [p.content["text"] for p in receiver.posts]
    assert sorted(came) == sorted(sent)
    assert came != sent


def test_rates_follow_from_seed_and_event(make_platform, deliver):
    found = []
    for _ in range(2):
        platform = make_platform()
        receiver = deliver(platform, duplicates=0.3, bad_signatures=0.3)
        receiver.posts.clear()
        for n in range(20):
            platform.does("write", text=str(n))
        settle(platform)
        found.append(Counter((p.content["text"], p.genuine) for p in receiver.posts))
    assert found[0] == found[1]
    assert {1, 2} <= set(found[0].values())
    assert any(not genuine for _, genuine in found[0])


def test_a_receiver_that_is_dead_is_unsubscribed_until_it_subscribes_again(fresh, deliver):
    receiver = deliver(fresh, give_up_after=3, retries=0)
    receiver.answer = lambda post: 500
    for _ in range(3):
        fresh.does("write")
        settle(fresh)
    assert set(status(fresh).values()) == {0}
    fresh.does("write")
    assert settle(fresh)["not subscribed"] == 1
    assert counts(fresh)["unsubscribed"] == 1
    receiver.posts.clear()
    receiver.answer = lambda post: 200
    subscribe(fresh, im_receive_msg=1, im_enter_direct_msg=1)
    assert status(fresh)["im_receive_msg"] == 1
    fresh.does("write")
    fresh.does("follow")
    settle(fresh)
    assert receiver.events() == ["im_receive_msg"]


def test_one_success_begins_the_count_again(fresh, deliver):
    receiver = deliver(fresh, give_up_after=2, retries=0)
    for answer in (500, 200, 500, 200):
        receiver.answer = lambda post, answer=answer: answer
        fresh.does("write")
        settle(fresh)
    assert "unsubscribed" not in counts(fresh)
    assert status(fresh)["im_receive_msg"] == 1


# ---- subscriptions


def test_what_is_not_subscribed_is_not_delivered(fresh, deliver):
    receiver = deliver(fresh)
    assert status(fresh)["enter_im"] == 0
    subscribe(fresh, enter_im=1, new_follow_action=0)
    assert (status(fresh)["enter_im"], status(fresh)["new_follow_action"]) == (1, 0)
    fresh.does("follow")
    fresh.order("POST", "events", event="enter_im")
    fresh.order("POST", "events", event="receive_msg")
    assert settle(fresh)["not subscribed"] == 2
    assert receiver.events() == ["enter_im"]


def test_what_the_platform_cancelled_is_not_delivered(fresh, deliver):
    receiver = deliver(fresh)
    days = (START + timedelta(days=n) for n in range(40))
    for day in days:
        fresh.order("PUT", "webhooks", url="")
        fresh.at(day)
        if cancelled := [
            e
            for e, s in status(fresh).items()
            if not s and e not in ("receive_msg", "enter_im", "dial_phone", "website_contact", "personal_tab_contact")
        ]:
            break
    deliver(fresh)
    fresh.order("POST", "events", event=cancelled[0])
    settle(fresh)
    assert receiver.posts == []
    subscribe(fresh, **{cancelled[0]: 1})
    fresh.order("POST", "events", event=cancelled[0])
    settle(fresh)
    assert receiver.events() == cancelled


@pytest.mark.parametrize(
    "requested",
    [
        [],
        {},
        "im_receive_msg",
        [{"event": "nothing", "status": 1}],
        [{"event": "im_receive_msg", "status": 2}],
        [{"event": "im_receive_msg", "status": True}],
        [{"event": "im_receive_msg", "status": "1"}],
        [{"event": "im_receive_msg"}],
        [{"event": "im_receive_msg", "status": 0}, {"event": ["x"], "status": 0}],
        [5],
    ],
    ids=str,
)
def test_wrong_subscriptions_change_nothing(platform, requested):
    before = status(platform)
    assert platform.refusal("event_status_update", list=requested) == 2100005
    assert status(platform) == before


# ---- the world


def test_events_of_the_world_are_delivered_when_the_clock_moves(fresh, deliver):
    fresh.at(START - timedelta(days=1))
    receiver = deliver(fresh)
    fresh.at(START)
    settle(fresh)
    expected = Counter()
    for account in (0, 1, 2, 3, 4):
        expected.update(
            r["body"].get("server_message_id") or r["content"] for r in log(fresh, account, days=1) if r["event_time"]
        )
    came = Counter(p.content.get("server_message_id") or p.raw.decode() for p in receiver.posts)
    assert came == expected
    assert sum(came.values()) > 20
    receiver.posts.clear()
    fresh.at(START)
    fresh.at(START - timedelta(hours=1))
    settle(fresh)
    assert receiver.posts == []


def test_without_an_address_nothing_is_kept_for_later(fresh, deliver):
    fresh.does("write")
    fresh.at(START + timedelta(days=1))
    receiver = deliver(fresh)
    settle(fresh)
    assert receiver.posts == []
    fresh.order("PUT", "webhooks", url="")
    fresh.does("write")
    fresh.at(START + timedelta(days=2))
    settle(fresh)
    assert receiver.posts == []


def test_the_real_clock_delivers_events(make_platform, deliver, monkeypatch):
    platform = make_platform(now=None)
    world = platform.app.world
    account, now = world.accounts[0], time.time()
    event = next(e for e in world.leads.foreseen(account, now - 30 * 86_400, now) if e.happening == "im_receive_msg")
    requested = []

    def foreseen(of, start: float, end: float):
        """Return one event, a moment after the world's first request; the next real one would be hours away."""
        if of is not account:
            return ()
        requested.append((start, end))
        return (replace(event, at_ms=int(requested[0][0] * 1_000) + 300),)

    monkeypatch.setattr(world.leads, "foreseen", foreseen)
    subscribe(platform, im_receive_msg=1)  # today may be a day on which the platform cancelled it
    receiver = deliver(platform)
    wait_until(lambda: receiver.posts)
    settle(platform)
    (post,) = receiver.posts
    assert post.content["server_message_id"] == world.leads.message_id(event)
    assert len(requested) == 1
    assert requested[0][1] - requested[0][0] > 600  # worked out well ahead


def test_each_app_has_an_address_of_its_own(make_platform, receiver):
    platform = make_platform(apps=(("other", "secret-2"),))
    platform.order("PUT", "webhooks", url=receiver.url, client_key="other")
    platform.does("write")
    platform.order("POST", "people", client_key="other", does="write")
    wait_until(lambda: platform.order("GET", "webhooks?client_key=other")["counts"].get("acknowledged"))
    (post,) = receiver.posts
    assert post.body["client_key"] == "other"
    assert not post.genuine  # signed with the other secret
    assert platform.order("GET", "webhooks")["counts"] == {}


@pytest.mark.parametrize(
    "order",
    [
        {"url": "ftp://x"},
        {"url": "http://"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": 5},
        {"duplicates": 2},
        {"disorder": -1},
        {"bad_signatures": "x"},
        {"retries": -1},
        {"retries": 1.5},
        {"timeout_s": 0},
        {"give_up_after": 0},
        {"colour": "red"},
        {"client_key": "unknown"},
        {"client_key": []},
        {"duplicates": True},
    ],
    ids=str,
)
def test_wrong_deliveries_change_nothing(platform, order):
    before = platform.order("GET", "webhooks")["delivery"]
    assert platform.order("PUT", "webhooks", 400, **order)["error"]
    assert platform.order("GET", "webhooks")["delivery"] == before
