"""The ledger under every order of events.

Events are plans, claims, responses, time-outs, deaths, webhooks in any order, and manual checks. The platform is a list
of the messages that really arrived. In every order no key is on it twice, no window is overfull, and in the end ledger
and list agree.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from patience import tries

from catalog.messages import Scene, content_of
from resources.state import State, resolving
from resources.state import outbox as ledger
from resources.state.accounts import add_account
from resources.state.inbox import fingerprint, make_event, store
from resources.state.ledger import read_lines
from resources.state.lines import LineState, set_line
from resources.state.outbox import ClaimedLine, NewLine, SendingRules, claim, finish, release
from resources.state.people import add_opt_out
from resources.state.plans import NotApproved, approve, check_approved, create_plan, list_plans
from resources.state.resolving import recover, resolve, settle
from resources.state.sealing import new_key

APP, ACCOUNT = "app", "account"
PEOPLE = ("p1", "p2", "p3", "p4", "p5")
TEXTS = ("甲", "乙")
START = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)
KEY = new_key()
LONGEST_CALL = timedelta(minutes=5)
"""A line is claimed when its call is made, and time-outs are shorter."""
MEMORY = "/dev/shm"
"""Thousands of durable commits: not to a disk, where there is another place."""
SEEN: Counter[str] = Counter()
"""Totals over all examples: a machine that never makes progress proves nothing."""


class Ledger(RuleBasedStateMachine):
    """Two processes send; ``doomed`` are those that died."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="douyin-ledger-", dir=MEMORY if os.path.isdir(MEMORY) else None)
        self.state = State(f"sqlite:///{self.folder}/state.db", KEY)
        self.now = START
        self.process = 0
        self.dead: set[str] = set()
        self.arrived: list[dict] = []
        self.undelivered: list[dict] = []
        self.plans: list[int] = []
        self.flights: dict[int, dict] = {}
        self.numbers = 0
        self._patches = [
            patch.object(ledger, "this_process", lambda: f"process-{self.process}"),
            patch.object(resolving, "is_dead", lambda name: name in self.dead),
        ]
        for one in self._patches:
            one.start()

    def teardown(self) -> None:
        self.the_end()
        for one in self._patches:
            one.stop()
        self.state.close()
        shutil.rmtree(self.folder)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    @initialize()
    def an_account(self) -> None:
        add_account(self.state, APP, ACCOUNT, name=None, now=self.now)
        for person in PEOPLE:
            self.person_writes(person)
        for name in ("one", "two"):  # the same texts to the same people: only ids distinguish their events
            self.plan(set(PEOPLE), TEXTS[0], name, 1, True)

    @rule(seconds=st.sampled_from([1, 20, 60, 400, 3_600]))
    def time_goes_by(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # ---- people and plans

    @rule(person=st.sampled_from(PEOPLE))
    def person_writes(self, person: str) -> None:
        n = self.number()
        self._event(
            "im_receive_msg",
            person,
            ACCOUNT,
            {
                "server_message_id": f"in{n}",
                "conversation_short_id": f"c-{person}",
                "message_type": "text",
                "text": "?",
            },
        )

    @rule()
    def person_opts_out(self) -> None:
        add_opt_out(self.state, APP, "", PEOPLE[-1], "test", self.now)

    @rule(
        people=st.sets(st.sampled_from(PEOPLE), min_size=1),
        text=st.sampled_from(TEXTS),
        name=st.sampled_from(["one", "two"]),
        messages=st.integers(1, 3),
        at_once=st.booleans(),
    )
    def plan(self, people: set[str], text: str, name: str, messages: int, at_once: bool) -> None:
        content = content_of({"type": "text", "text": text})
        lines = [
            NewLine(
                "im_send_msg",
                name,
                APP,
                ACCOUNT,
                person,
                {"to_user_id": person, "content_list": [content] * messages},
                f"{name}/{person}",
                "test",
                Scene.REPLY,
                messages,
                ",".join([fingerprint(1, text)] * messages),
            )
            for person in sorted(people)
        ]
        self.plans.append(
            create_plan(
                self.state, "messages", name, "x", lines, SendingRules(), self.now, self.now + timedelta(hours=12)
            ).id
        )
        if at_once:
            approve(self.state, self.plans[-1], "an operator", self.now)

    @precondition(lambda self: self.plans)
    @rule(data=st.data())
    def approve(self, data) -> None:
        with suppress(NotApproved):
            approve(self.state, data.draw(st.sampled_from(self.plans)), "an operator", self.now)

    # ---- sending

    def _claimable(self) -> list[int]:
        approved = {p.id for p in list_plans(self.state, ["approved"])}
        return [one.id for one in read_lines(self.state, states=[LineState.PLANNED]) if one.plan_id in approved]

    @precondition(lambda self: self._claimable())
    @rule(data=st.data(), process=st.integers(1, 2), arrives=st.booleans())
    def claim(self, data, process: int, arrives: bool) -> None:
        for line in data.draw(st.lists(st.sampled_from(self._claimable()), min_size=1, max_size=3, unique=True)):
            self._claim(line, process)
            if arrives and line in self.flights:
                self._arrive(self.flights[line])

    def _claim(self, line: int, process: int) -> None:
        self.process = process
        taken = claim(self.state, line, SendingRules(), self.now)
        if not isinstance(taken, ClaimedLine):
            return
        check_approved(self.state, taken.line.plan_id, self.now)
        assert taken.line.id not in self.flights
        self.flights[taken.line.id] = {
            "process": f"process-{process}",
            "params": taken.params,
            "line": taken.line,
            "arrived": None,
        }

    def _flight(self, data, arrived: bool | None = None) -> dict | None:
        """Return a call in flight, on request one that did or did not arrive yet."""
        chosen = [f for f in self.flights.values() if arrived is None or (f["arrived"] is not None) == arrived]
        return data.draw(st.sampled_from(chosen)) if chosen else None

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def it_arrives(self, data) -> None:
        """The platform accepts the message; its response has not arrived yet."""
        flight = self._flight(data, arrived=False)
        if flight is None or self.now - flight["line"].claimed_at > LONGEST_CALL:
            return
        self._arrive(flight)

    def _arrive(self, flight: dict) -> None:
        ids = []
        for content in flight["params"]["content_list"]:
            message = {
                "id": f"out{self.number()}",
                "key": flight["line"].key,
                "window": flight["params"]["msg_id"],
                "person": flight["line"].person_open_id,
            }
            message |= {"text": content["text"]["text"], "at": self.now, "line": flight["line"].id}
            self.arrived.append(message)
            self.undelivered.append(message)
            ids.append(message["id"])
        flight["arrived"] = ids

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def the_answer_comes(self, data) -> None:
        if (flight := self._flight(data, arrived=True)) is not None:
            finish(self.state, flight["line"].id, LineState.SENT, self.now, message_ids=flight["arrived"])
            del self.flights[flight["line"].id]

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def the_answer_is_lost(self, data) -> None:
        flight = self._flight(data)
        finish(self.state, flight["line"].id, LineState.UNKNOWN, self.now, why="time-out")
        del self.flights[flight["line"].id]

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), later=st.sampled_from([False, False, True]))
    def the_platform_refuses(self, data, later: bool) -> None:
        if (flight := self._flight(data, arrived=False)) is None:
            return
        if later:
            release(self.state, flight["line"].id, "too frequent")
        else:
            finish(self.state, flight["line"].id, LineState.FAILED, self.now, code=28001038)
        del self.flights[flight["line"].id]

    @rule(process=st.integers(1, 2))
    def a_process_dies(self, process: int) -> None:
        """Lines that it claimed stay claimed until the next check; its successor has another name."""
        name = f"process-{process}"
        doomed = f"{name}-dead-{self.number()}"
        for line, flight in list(self.flights.items()):
            if flight["process"] == name:
                with self.state.begin() as db:
                    set_line(db, line, claimed_by=doomed)
                del self.flights[line]
        self.dead.add(doomed)

    @rule()
    def dead_processes_are_recovered(self) -> None:
        recover(self.state, self.now)

    # ---- events and people who look

    @precondition(lambda self: self.undelivered)
    @rule(data=st.data(), again=st.booleans())
    def an_event_is_delivered(self, data, again: bool) -> None:
        message = data.draw(st.sampled_from(self.undelivered))
        self._deliver(message)
        if not again:
            self.undelivered.remove(message)

    @rule()
    def events_are_looked_through(self) -> None:
        resolve(self.state, self.now)

    @rule(data=st.data())
    def a_person_looks(self, data) -> None:
        """A person looks into the chat, which shows the messages that arrived, once the call is long over."""
        unknown = [one for one in read_lines(self.state, states=[LineState.UNKNOWN]) if one.id not in self.flights]
        if unknown:
            line = data.draw(st.sampled_from([one.id for one in unknown]))
            settle(
                self.state, line, was_sent=any(m["line"] == line for m in self.arrived), by="an operator", now=self.now
            )

    def _deliver(self, message: dict) -> None:
        content = {
            "server_message_id": message["id"],
            "conversation_short_id": f"c-{message['person']}",
            "message_type": "text",
            "text": message["text"],
            "source": APP,
        }
        self._event(
            "im_send_msg",
            ACCOUNT,
            message["person"],
            content | {"create_time": int(message["at"].timestamp() * 1000)},
            message["id"],
        )

    def _event(self, name: str, sender: str, receiver: str, content: dict, message_id: str | None = None) -> None:
        content = {"create_time": int(self.now.timestamp() * 1000), **content}
        envelope = {
            "event": name,
            "client_key": APP,
            "from_user_id": sender,
            "to_user_id": receiver,
            "content": content,
        }
        store(self.state, [make_event(APP, orjson.dumps(envelope), envelope, message_id, self.now)])

    # ---- what always holds

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        lines_of_key: dict[str, set[int]] = {}
        for message in self.arrived:
            lines_of_key.setdefault(message["key"], set()).add(message["line"])
        assert all(len(lines) == 1 for lines in lines_of_key.values()), lines_of_key

    @invariant()
    def no_window_is_overfull(self) -> None:
        assert max(Counter(m["window"] for m in self.arrived).values(), default=0) <= 6

    @invariant()
    def every_line_is_accounted_for(self) -> None:
        arrived = {m["line"] for m in self.arrived}
        for line in read_lines(self.state):
            if line.state in (LineState.PLANNED, LineState.BLOCKED, LineState.FAILED, LineState.NOT_SENT):
                assert line.id not in arrived, line

    def the_end(self) -> None:
        """All responses are lost, all events arrive, the rest is checked: then ledger and platform agree."""
        for line in list(self.flights):
            finish(self.state, line, LineState.UNKNOWN, self.now, why="the end")
            del self.flights[line]
        recover(self.state, self.now)
        for message in self.undelivered:
            self._deliver(message)
        resolve(self.state, self.now)
        for line in read_lines(self.state, states=[LineState.UNKNOWN]):
            settle(
                self.state,
                line.id,
                was_sent=any(m["line"] == line.id for m in self.arrived),
                by="an operator",
                now=self.now,
            )
        lines = read_lines(self.state)
        SEEN["arrived"] += len(self.arrived)
        SEEN.update(str(one.state) for one in lines)
        SEEN.update(f"resolved by {one.resolved_by}" for one in lines if one.resolved_by)
        sent = Counter(one.key for one in lines if one.state is LineState.SENT)
        assert set(sent) == {m["key"] for m in self.arrived}
        assert max(sent.values(), default=0) <= 1
        assert {one.state for one in lines} <= {
            LineState.PLANNED,
            LineState.BLOCKED,
            LineState.SENT,
            LineState.FAILED,
            LineState.NOT_SENT,
        }


def _tried(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


Ledger.TestCase.settings = _tried(tries(60))
TestLedger = Ledger.TestCase


@pytest.mark.slow
def test_the_ledger_at_length():
    """With proof that the machine got everywhere."""
    run_state_machine_as_test(Ledger, settings=_tried(200))
    assert all(
        SEEN[what] >= 3
        for what in ("arrived", "sent", "failed", "not_sent", "blocked", "resolved by event", "resolved by an operator")
    ), SEEN
