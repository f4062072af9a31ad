"""People who ask to be left alone are on the list, whatever the state of the account, and before any rule."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

import pytest
from receiving import Post, receiving
from replying import NOON, RULES, account_and_person, outcome, text

from resources.state.accounts import AccountStatus, set_status
from resources.state.people import list_opt_outs
from resources.state.tables import accounts
from services.outreach.campaigns import Replies
from services.outreach.replies import opt_outs_by

SHADOWED = Replies.model_validate(
    {
        "rules": [
            {"name": "price", "keywords": ["不要"], "messages": text("价格因款式而异。")},
            {"name": "stop", "keywords": ["不要再发"], "opt_out": True},
        ]
    }
)
"""A rule that fits the same text precedes the one that opts out."""


@contextmanager
def obeying(make_world, rules: Replies | None = RULES):
    """Run a receiver without a worker, as ``douyin receive`` does; it sends no replies."""
    world = make_world(platform={"seed": 13, "accounts": 2, "videos": 12, "most_fans": 300_000})
    world.at(NOON)
    with receiving(world, opt_out_of=opt_outs_by(rules)) as post:
        post.order("DELETE", "people")
        yield post


def opted_out(post: Post) -> set[tuple[str, str, str]]:
    return {
        (one.open_id, one.person_open_id, one.how)
        for one in list_opt_outs(post.world.runtime.state, post.world.runtime.app_keys)
    }


@pytest.mark.parametrize("status", ["active", "paused", "stopped", "not stored"])
def test_an_opt_out_is_taken_whatever_the_state_of_the_account(make_world, status: str):
    with obeying(make_world) as post:
        state, key, account = post.world.runtime.state, post.world.config.client_key, post.world.accounts[0]
        if status == "not stored":
            with state.begin() as db:
                db.execute(accounts.delete().where(accounts.c.open_id == account))
        else:
            set_status(state, key, account, AccountStatus(status), "test")
        person = post.people(0)[0]["person"]
        post.person_does(0, "write", person, "多少钱")
        post.person_does(0, "opt_out", person)
        post.settle()
        assert opted_out(post) == {(account, person, "asked for it (rule stop)")}
        assert post.messages() == []


@pytest.mark.parametrize("status", ["paused", "not stored"])
def test_a_worker_takes_them_too(noon, status: str):
    post, worker = noon
    account, person = account_and_person(post)
    with post.world.runtime.state.begin() as db:
        mine = accounts.c.open_id == post.world.accounts[account]
        db.execute(
            accounts.delete().where(mine)
            if status == "not stored"
            else accounts.update().where(mine).values(status=status)
        )
    post.person_does(account, "opt_out", person)
    assert outcome(worker, 1) == Counter({"account not active": 1})
    assert opted_out(post) == {(post.world.accounts[account], person, "asked for it (rule stop)")}


@pytest.mark.parametrize(
    ("rules", "words", "how"),
    [
        (SHADOWED, "不要再发了", "asked for it (rule stop)"),
        (SHADOWED, "我要退订", "asked for it (退订)"),
        (None, "退订", "asked for it (退订)"),
        (SHADOWED, "不要", None),
    ],
    ids=["behind another rule", "a word of no rule", "without rules", "no opt-out"],
)
def test_an_opt_out_comes_before_any_rule(make_world, rules: Replies | None, words: str, how: str | None):
    with obeying(make_world, rules) as post:
        person = post.people(0)[0]["person"]
        post.person_does(0, "write", person, words)
        post.settle()
        assert opted_out(post) == ({(post.world.accounts[0], person, how)} if how else set())


def test_our_own_words_opt_no_person_out(make_world):
    """A campaign's text may contain the keyword, and its recipient may be one of our accounts."""
    with obeying(make_world) as post:
        content = {
            "server_message_id": "m",
            "conversation_short_id": "c",
            "message_type": "text",
            "text": "回复退订即可",
            "source": post.world.config.client_key,
        }
        post.order(
            "POST",
            "events",
            event="im_receive_msg",
            account=post.world.accounts[0],
            person=post.people(0)[0]["person"],
            content=content,
        )
        post.settle()
        assert post.received() > 0
        assert opted_out(post) == set()


def test_the_answer_to_an_opt_out_is_the_last_message(noon):
    """It may be sent although its person is on the list already; a second one may not."""
    post, worker = noon
    account, person = account_and_person(post)
    post.person_does(account, "opt_out", person)
    outcome(worker, 1)
    post.world.at("2026-11-16T12:00:01+08:00")
    post.person_does(account, "opt_out", person)
    assert outcome(worker, 2) == Counter({"sent": 1, "opted out": 1})
    assert len(post.messages()) == 1
