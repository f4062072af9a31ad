"""How lines of the ledger without a known outcome end, on the state database: what counts and what is free again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from catalog.messages import Scene
from resources.state import State
from resources.state import outbox as ledger
from resources.state.accounts import add_account
from resources.state.chats import said, write_notes
from resources.state.ledger import get_line
from resources.state.lines import LineState
from resources.state.outbox import (
    ClaimedLine,
    NewLine,
    SendingRules,
    SendRefusal,
    claim,
    finish,
    look,
    postpone,
    release,
    write_lines,
)
from resources.state.plans import create_plan
from resources.state.resolving import recover, settle, settle_plan
from resources.state.sealing import new_key

APP, ACCOUNT, PERSON = "app", "account", "person"
NOW = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path}/state.db", new_key())
    add_account(made, APP, ACCOUNT, name=None, now=NOW)
    with made.begin() as db:
        write_notes(db, [said(APP, ACCOUNT, PERSON, NOW.timestamp(), "window", "c")])
    yield made
    made.close()


def line(
    state: State, key: str = "k", operation: str = "im_send_msg", plan_id: int | None = None, messages: int = 1
) -> int:
    scene = Scene.REPLY if operation == "im_send_msg" else None
    new = NewLine(
        operation,
        "campaign",
        APP,
        ACCOUNT,
        PERSON,
        {"to_user_id": PERSON},
        key,
        scene=scene,
        plan_id=plan_id,
        messages=messages,
    )
    [number] = write_lines(state, [new], NOW)
    return number


def claimed(state: State, key: str = "k", at: datetime = NOW, **more) -> int:
    number = line(state, key, **more)
    assert isinstance(claim(state, number, SendingRules(), at), ClaimedLine)
    return number


def unknown(state: State, key: str = "k", **more) -> int:
    number = claimed(state, key, **more)
    finish(state, number, LineState.UNKNOWN, LATER, code=10001, why="time-out")
    return number


def test_an_unknown_line_has_its_end_its_reason_and_its_place(state):
    """It counts in its window, and no message of the same key is sent beside it."""
    number = unknown(state, messages=6)
    found = get_line(state, number)
    assert (found.state, found.ended_at, found.code, found.why, found.claimed_at) == (
        LineState.UNKNOWN,
        LATER,
        10001,
        "time-out",
        NOW,
    )
    assert claim(state, line(state), SendingRules(), LATER) == SendRefusal(
        "already sent (a line with the same key is unknown)"
    )
    assert claim(state, line(state, "another"), SendingRules(), LATER) == SendRefusal(
        "the window takes 6 messages, 6 were sent"
    )


@pytest.mark.parametrize("outcome", [LineState.SENT, LineState.UNKNOWN, LineState.FAILED])
def test_a_sender_that_was_only_slow(state, monkeypatch, outcome: LineState):
    """It was taken for dead: a late report of success is accepted, any other leaves the line unknown."""
    number = claimed(state)
    monkeypatch.setattr("resources.state.resolving.is_dead", lambda _: True)
    assert [one.state for one in recover(state, LATER)] == [LineState.UNKNOWN]
    assert get_line(state, number).ended_at == LATER
    if outcome is LineState.SENT:
        finish(state, number, outcome, LATER + timedelta(seconds=1), message_ids=["m1"])
        assert (get_line(state, number).state, get_line(state, number).message_ids) == (LineState.SENT, ("m1",))
    else:
        with pytest.raises(ValueError, match="is unknown, not claimed"):
            finish(state, number, outcome, LATER)
        assert get_line(state, number).state is LineState.UNKNOWN
    assert isinstance(claim(state, line(state), SendingRules(), LATER), SendRefusal)


def test_a_dead_sender_of_what_may_be_done_twice_leaves_its_line_planned(state, monkeypatch):
    number = claimed(state, operation="leads_tag_delete")
    monkeypatch.setattr("resources.state.resolving.is_dead", lambda _: True)
    recover(state, LATER)
    found = get_line(state, number)
    assert (found.state, found.claimed_at, found.ended_at) == (LineState.PLANNED, None, None)
    assert isinstance(claim(state, number, SendingRules(), LATER), ClaimedLine)


def test_lines_of_senders_that_live_are_left_alone(state):
    number = claimed(state)
    assert recover(state, LATER) == []
    assert get_line(state, number).state is LineState.CLAIMED


@pytest.mark.parametrize("was_sent", [True, False])
def test_what_a_person_saw_ends_an_unknown_line(state, was_sent: bool):
    number = unknown(state)
    end = LATER + timedelta(hours=1)
    settle(state, number, was_sent=was_sent, by="an operator", now=end)
    found = get_line(state, number)
    assert (found.state, found.resolved_by, found.ended_at) == (
        LineState.SENT if was_sent else LineState.NOT_SENT,
        "an operator",
        end,
    )
    assert isinstance(claim(state, line(state), SendingRules(), LATER), SendRefusal if was_sent else ClaimedLine), (
        "whoever did not get it may get it now"
    )
    with pytest.raises(LookupError, match=f"line {number} is .*, not unknown"):
        settle(state, number, was_sent=was_sent, by="an operator", now=end)


def test_a_whole_plan_is_settled_and_nothing_beside_it(state):
    """Unknown lines of this plan whose call was made before the instant: not later ones, other states, other plans."""
    plans = [
        create_plan(state, "messages", name, "once", [], SendingRules(), NOW, NOW + timedelta(hours=3)).id
        for name in ("a", "b")
    ]
    with state.begin() as db:
        db.exec_driver_sql("UPDATE plans SET state = 'approved'")
    early = {p: unknown(state, f"early {p}", plan_id=p) for p in plans}
    late = unknown(state, "late", plan_id=plans[0], at=LATER)
    going = claimed(state, "going", plan_id=plans[0])
    assert settle_plan(state, plans[0], was_sent=False, by="x", now=LATER, called_before=LATER) == [early[plans[0]]]
    states = [get_line(state, one).state for one in (early[plans[0]], late, going, early[plans[1]])]
    assert states == [LineState.NOT_SENT, LineState.UNKNOWN, LineState.CLAIMED, LineState.UNKNOWN]


def test_looking_takes_nothing(state):
    number = line(state)
    seen = look(state, number, SendingRules(), NOW)
    assert isinstance(seen, ClaimedLine)
    assert seen.params["msg_id"] == "window"
    assert (get_line(state, number).state, get_line(state, number).claimed_at) == (LineState.PLANNED, None)
    assert look(state, number, SendingRules(), NOW + timedelta(days=2)) == SendRefusal("no window is open")
    assert get_line(state, number).state is LineState.BLOCKED


def test_a_reason_to_wait_is_noted_on_planned_lines_only(state, monkeypatch):
    number = line(state)
    postpone(state, number, "too frequent")
    assert (get_line(state, number).why, get_line(state, number).state) == ("too frequent", LineState.PLANNED)
    assert isinstance(claim(state, number, SendingRules(), NOW), ClaimedLine)
    postpone(state, number, "another sender waits")
    assert (get_line(state, number).why, get_line(state, number).state) == (None, LineState.CLAIMED)
    release(state, number, "it did nothing")
    assert get_line(state, number).state is LineState.PLANNED


@pytest.mark.parametrize(("since", "about"), list(product([-1, 0], ["", ACCOUNT])))
def test_only_the_opt_out_that_is_answered_does_not_forbid_its_answer(state, since: int, about: str):
    from resources.state.people import add_opt_out

    add_opt_out(state, APP, about, PERSON, "asked for it", NOW + timedelta(seconds=since))
    number = line(state)
    assert look(state, line(state, "campaign"), SendingRules(), NOW) == SendRefusal("opted out")
    answer = ledger.claim(state, number, SendingRules(opt_out_at=NOW), NOW)
    assert answer == SendRefusal("opted out") if since < 0 else isinstance(answer, ClaimedLine)
