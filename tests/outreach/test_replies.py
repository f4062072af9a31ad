"""Replies to people: a greeting within two seconds, and never more messages than a window allows."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from patience import scaled
from receiving import Post, following, receiving, wait_until
from replying import NOON, RULES, account_and_person, answering, outcome, text

from catalog.messages import Scene
from resources.client.client import DouyinClient
from resources.state.chats import get_chat
from resources.state.inbox import Event, content_of
from resources.state.ledger import read_lines
from resources.state.lines import LineState
from resources.state.outbox import NewLine, SendingRules, SendRefusal, claim, write_lines
from resources.state.people import list_opt_outs
from services.outreach.campaigns import Replies
from services.outreach.replies import ReplyWorker, _nickname


def test_a_chat_that_is_opened_gets_its_greeting_within_two_seconds(noon):
    post, worker = noon
    account, _ = account_and_person(post)
    for n in range(3):
        begun = time.monotonic()
        post.person_does(account, "enter", post.people(account)[-1 - n]["person"])
        wait_until(lambda n=n: len(post.messages()) > n)
        assert time.monotonic() - begun < scaled(2)
    assert {m["scene"] for m in post.messages()} == {"im_enter_direct_msg"}
    assert worker.counts.total() <= 3


def test_the_fourth_message_of_an_opened_chat_is_never_tried(make_world):
    """Openings get three messages at once; the same opening has no place for a fourth from any caller."""
    world = make_world(platform={"seed": 13, "accounts": 2, "videos": 12, "most_fans": 300_000})
    world.at(NOON)
    rules = Replies.model_validate(
        {
            "rules": [
                {
                    "name": "three",
                    "on": ["im_enter_direct_msg"],
                    "messages": text("一") + text("二") + text("三"),
                    "again_after": "0s",
                }
            ]
        }
    )
    with answering(world, rules) as (post, worker):
        account, person = account_and_person(post)
        event = post.person_does(account, "enter", person)
        outcome(worker, 1)
        assert [len(m["types"]) for m in post.messages()] == [3]
        assert _one_more(post, account, person, "im_enter_direct_msg") == "the window takes 3 messages, 3 were sent"
        assert event["event"] == "im_enter_direct_msg"
        assert world.calls("im_send_msg") == 1


def _one_more(post: Post, account: int, person: str, scene: str) -> str | None:
    """Claim one more message through the same window; return the reason of a refusal, or None."""
    world, key = post.world, post.world.config.client_key
    line = NewLine(
        "im_send_msg",
        "more",
        key,
        world.accounts[account],
        person,
        {"to_user_id": person},
        f"more/{time.monotonic()}",
        scene=Scene(scene),
    )
    [line_id] = write_lines(world.runtime.state, [line], world.runtime.clock.now())
    outcome = claim(world.runtime.state, line_id, SendingRules(), world.runtime.clock.now())
    return outcome.why if isinstance(outcome, SendRefusal) else None


def test_the_seventh_message_of_an_answer_is_never_tried(noon):
    """Six messages for each message of the person, from all callers together."""
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "write", person, "全部")
    outcome(worker, 1)
    assert [_one_more(post, account, person, "im_reply_msg") for _ in range(3)] == [None] * 3
    assert _one_more(post, account, person, "im_reply_msg") == "the window takes 6 messages, 6 were sent"


def test_a_window_that_closed_is_not_used(noon):
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "enter", person)
    outcome(worker, 1)
    post.world.at("2026-11-16T12:00:28+08:00")
    assert _one_more(post, account, person, "im_enter_direct_msg") == "no window is open"


def test_keywords_choose_the_rule_and_the_first_one_wins(noon):
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "write", person, "请问多少钱？")
    post.person_does(account, "write", person, "今天天气不错")
    assert outcome(worker, 2) == Counter({"sent": 1, "no rule": 1})
    lines = read_lines(post.world.runtime.state, states=[LineState.SENT])
    assert [line.campaign for line in lines] == ["reply:price"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({}, ""),
        ({"user_infos": None}, ""),
        ({"user_infos": []}, ""),
        ({"user_infos": ["p", {"open_id": "other", "nick_name": "乙"}]}, ""),
        ({"user_infos": [{"open_id": "p", "nick_name": None}]}, ""),
        ({"user_infos": [{"open_id": "other", "nick_name": "乙"}, {"open_id": "p", "nick_name": "甲"}]}, "甲"),
    ],
)
def test_a_nickname_is_that_of_the_person_or_none(content: dict, name: str):
    assert _nickname(content, "p") == name


def test_whoever_was_answered_long_ago_is_answered_again(noon):
    post, worker = noon
    account, person = account_and_person(post)
    writes = writing(post, worker, account, "在吗")
    said = []
    for at in ("12:00:00", "12:59:59", "13:00:01"):
        post.world.at(f"2026-11-16T{at}+08:00")
        said.append(writes(person))
    assert said == ["sent", "said lately", "sent"]
    wait_until(lambda: not worker._turns)


def test_a_person_does_not_get_the_same_rule_again_too_soon(noon):
    post, worker = noon
    account, person = account_and_person(post)
    for _ in range(2):
        post.person_does(account, "write", person, "在吗")
        wait_until(lambda: worker.counts.total() > 0)
    assert outcome(worker, 2) == Counter({"sent": 1, "said lately": 1})


def test_whoever_wants_a_person_gets_one_and_the_worker_keeps_quiet(noon):
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "write", person, "转人工")
    outcome(worker, 1)
    wait_until(lambda: _chat(post, account, person).handed_over_until is not None)
    post.person_does(account, "write", person, "多少钱")
    assert outcome(worker, 2) == Counter({"sent": 1, "handed over": 1})


def test_whoever_wants_to_be_left_alone_is(noon):
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "opt_out", person)
    outcome(worker, 1)
    wait_until(lambda: list_opt_outs(post.world.runtime.state, post.world.runtime.app_keys))
    post.person_does(account, "write", person, "多少钱")
    assert outcome(worker, 2) == Counter({"sent": 1, "opted out": 1})
    assert len(post.messages()) == 1, "the answer to the wish, and nothing after it"


def test_the_worker_keeps_quiet_where_a_colleague_wrote_by_hand(noon):
    post, worker = noon
    account, person = account_and_person(post)
    event = post.person_does(account, "write", person, "今天天气不错")
    content = event["content"] if isinstance(event["content"], dict) else json.loads(event["content"])
    hand = {k: content[k] for k in ("conversation_short_id", "conversation_type", "create_time")} | {
        "server_message_id": "by-hand",
        "text": "您好",
        "message_type": "text",
        "source": "",
    }
    post.order("POST", "events", event="im_send_msg", account=post.world.accounts[account], person=person, content=hand)
    wait_until(lambda: _chat(post, account, person).by_hand_at is not None)
    post.person_does(account, "write", person, "多少钱")
    assert outcome(worker, 2)["answered by hand"] == 1
    assert post.messages() == []


def test_our_own_messages_are_never_answered(noon):
    """Not even where their text fits a rule: the worker would talk to itself."""
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "write", person, "多少钱")
    outcome(worker, 1)
    post.settle()
    time.sleep(0.3)
    assert worker.counts == Counter({"sent": 1})
    assert len(post.messages()) == 1


def test_a_sender_who_answers_like_a_machine_is_left_to_a_person(noon):
    post, worker = noon
    account, person = account_and_person(post)
    for n in range(6):
        post.person_does(account, "write", person, "多少钱")
        outcome(worker, n + 1)
    assert worker.counts["sent"] == 4
    assert worker.counts["loop guard"] == 1
    assert _chat(post, account, person).handed_over_until is not None


def writing(post: Post, worker: ReplyWorker, account: int, words: str = "多少钱"):
    """Return a function that lets a person write (by default: ask for the price) and gives the outcome.

    Outcomes are matched by message id, since people also act by themselves as time passes.
    """
    done: dict[str, str] = {}
    answer = worker.answer

    async def noted(event) -> str:
        done[event.content["server_message_id"]] = what = await answer(event)
        return what

    worker.answer = noted

    def writes(person: str) -> str:
        wanted = content_of(post.person_does(account, "write", person, words))["server_message_id"]
        wait_until(lambda: wanted in done)
        return done[wanted]

    return writes


def test_the_loop_guard_counts_one_person_within_one_hour(noon):
    """Four replies and no fifth; other people get replies.

    The guard ends after two hours, and replies older than an hour do not count.
    """
    post, worker = noon
    account, person = account_and_person(post)
    other, writes = post.people(account)[-2]["person"], writing(post, worker, account)
    assert [writes(person) for _ in range(5)] == ["sent"] * 4 + ["loop guard"]
    assert writes(other) == "sent"
    until = _chat(post, account, person).handed_over_until
    assert until == post.world.runtime.clock.now() + RULES.guard_hand_over
    post.world.at("2026-11-16T13:59:59+08:00")
    assert writes(person) == "handed over"
    post.world.at("2026-11-16T14:00:00+08:00")
    assert [writes(person) for _ in range(5)] == ["sent"] * 4 + ["loop guard"]


def test_three_answers_within_the_hour_leave_one(noon):
    """A reply exactly an hour ago counts, an older one does not."""
    post, worker = noon
    account, person = account_and_person(post)
    writes = writing(post, worker, account)
    assert [writes(person) for _ in range(3)] == ["sent"] * 3
    post.world.at("2026-11-16T12:00:01+08:00")
    assert writes(person) == "sent"
    post.world.at("2026-11-16T13:00:01+08:00")
    assert [writes(person) for _ in range(4)] == ["sent"] * 3 + ["loop guard"], (
        "one of the last hour, and three new ones"
    )


def test_a_wish_is_obeyed_where_it_cannot_be_answered(noon):
    """The reply may be blocked by the guard against loops, or because the app may not send any more."""
    post, worker = noon
    state, apps = post.world.runtime.state, post.world.runtime.app_keys
    account, person = account_and_person(post)
    other = post.people(account)[-2]["person"]
    for n in range(5):
        post.person_does(account, "write", person, "多少钱")
        outcome(worker, n + 1)
    assert worker.counts["loop guard"] == 1
    post.world.fault("im_send_msg", "capability_missing", times=None)
    for n, who in enumerate((person, other)):
        post.person_does(account, "opt_out", who)
        outcome(worker, 6 + n)
    wait_until(lambda: {one.person_open_id for one in list_opt_outs(state, apps)} == {person, other})
    assert worker.counts == Counter({"sent": 4, "loop guard": 2, "stopped": 1})


def test_at_night_only_wishes_are_obeyed(noon):
    post, worker = noon
    account, person = account_and_person(post)
    post.world.at("2026-11-16T23:30:00+08:00")
    post.settle()
    before = len(post.messages())
    post.person_does(account, "write", person, "多少钱")
    post.person_does(account, "opt_out", person)
    wait_until(lambda: len(post.messages()) > before and worker.counts["sent"] > 0)
    assert list_opt_outs(post.world.runtime.state, post.world.runtime.app_keys)
    assert worker.counts["quiet hours"] >= 1
    lines = read_lines(post.world.runtime.state, states=[LineState.SENT], person=person)
    assert [line.campaign for line in lines] == ["reply:stop"]


def test_events_of_one_person_are_answered_one_at_a_time(world, monkeypatch):
    """Also one that arrives after a reply to another, while a third waits for its turn."""
    app, at_once, most, others = world.runtime.app_keys[0], 0, 0, []
    worker = ReplyWorker(RULES, world.runtime.state, following(world), [app], {})

    def event(n: int) -> Event:
        envelope = {"event": "im_receive_msg", "to_user_id": "account", "from_user_id": "person"}
        return Event(app, f"event-{n}", "im_receive_msg", world.runtime.clock.now(), b"", envelope)

    async def answer(_: Event) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _ in range(3):
            await asyncio.sleep(0)
        at_once -= 1
        if len(others) < 40:
            others.append(None)
            worker.offer(event(len(others) + 3))
        return "answered"

    async def work() -> None:
        for n in range(3):
            worker.offer(event(n))
        task = asyncio.create_task(worker.run())
        while worker.counts.total() < 43:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()

    monkeypatch.setattr(worker, "answer", answer)
    asyncio.run(asyncio.wait_for(work(), scaled(20)))
    assert most == 1
    assert worker.counts == Counter({"answered": 43})


def test_after_a_restart_unanswered_messages_are_answered_once(make_world):
    world = make_world(platform={"seed": 13, "accounts": 2, "videos": 12, "most_fans": 300_000})
    world.at(NOON)
    with receiving(world) as post:
        post.order("DELETE", "people")
        account, person = account_and_person(post)
        post.person_does(account, "write", person, "多少钱")
        post.settle()
    for _ in range(2):
        clients: dict[str, DouyinClient] = {}
        worker = ReplyWorker(RULES, world.runtime.state, following(world), world.runtime.app_keys, clients)
        _run_until_one(world, worker, clients)
        assert len(world._ok("GET", "messages")) == 1
    assert worker.counts == Counter({"answered before": 1})


def _run_until_one(world, worker: ReplyWorker, clients: dict[str, DouyinClient]) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            for key in world.runtime.app_keys:
                clients[key] = await stack.enter_async_context(
                    DouyinClient(world.runtime.settings.for_app(key), world.runtime.state, following(world))
                )
            task = asyncio.create_task(worker.run())
            while not worker.counts:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            task.cancel()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    thread.join(timeout=scaled(20))
    assert not thread.is_alive()


def _chat(post: Post, account: int, person: str):
    return get_chat(post.world.runtime.state, post.world.config.client_key, post.world.accounts[account], person)
