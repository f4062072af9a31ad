"""kill -9 of a sending process at any instant.

No person gets a message twice, no line is forgotten, and only lines of calls in flight are unknown. The sandbox counts.
The rate is the limit, as it is on the platform: a sender waits for a permit most of the time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from patience import scaled
from receiving import Post, receiving, wait_until

from apps.cli.develop import environment
from catalog.messages import Scene, content_of
from resources.state.inbox import fingerprint
from resources.state.ledger import read_lines
from resources.state.lines import LineState
from resources.state.outbox import NewLine, SendingRules
from resources.state.plans import approve, create_plan, get_plan
from resources.state.resolving import recover, resolve

ROOT = Path(__file__).parents[2]
TEXT = {"type": "text", "text": "您好，订单收到了吗？"}
EVENING = "2026-11-16T20:00:00+08:00"


QPS = 20
UNDER_WAY = 2
"""Calls that had their permit when the kill came, and did not get to the sandbox."""


class Senders:
    """Sending processes, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._said = open(folder / "said.txt", "a+")  # noqa: SIM115
        words = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("sender_zygote.py"))]
        self._zygote = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            bufsize=1,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert self._zygote.stdout.readline() == "ready\n"

    def run(
        self, settings: dict[str, str], plan: int, kill_after_s: float | None, sends: Callable[[], bool] = lambda: True
    ) -> int:
        """Return the exit code of one process, negative after a signal.

        It is killed so long after it ``sends``.
        """
        self._zygote.stdin.write(json.dumps({"settings": settings, "plan": plan}) + "\n")
        child = int(self._zygote.stdout.readline().split()[1])
        if kill_after_s is not None:
            with suppress(ProcessLookupError, PermissionError):
                while not sends():
                    os.kill(child, 0)
                    time.sleep(0.005)
                time.sleep(kill_after_s)
                os.killpg(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(int(self._zygote.stdout.readline().split()[1]))

    def words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-3000:]

    def close(self) -> None:
        self._zygote.stdin.close()
        try:
            self._zygote.wait(timeout=scaled(30))
        finally:
            self._zygote.kill()
            self._zygote.stdout.close()
            self._said.close()


@pytest.fixture
def senders(tmp_path):
    made = Senders(tmp_path)
    yield made
    made.close()


def everybody_writes(post: Post, most: int) -> list[tuple[str, str]]:
    """(account, person) of customers who just wrote."""
    people = []
    for account in range(len(post.world.accounts)):
        for one in post.people(account, most // len(post.world.accounts)):
            post.person_does(account, "write", one["person"])
            people.append((post.world.accounts[account], one["person"]))
    post.settle(60)
    return people


def big_plan(post: Post, people: list[tuple[str, str]]):
    runtime, key = post.world.runtime, post.world.config.client_key
    content = content_of(TEXT)
    lines = [
        NewLine(
            "im_send_msg",
            "killed",
            key,
            account,
            person,
            {"to_user_id": person, "content": content},
            f"killed/{account}/{person}",
            "wrote",
            Scene.REPLY,
            1,
            fingerprint(1, TEXT["text"]),
        )
        for account, person in people
    ]
    now = runtime.clock.now()
    plan = create_plan(
        runtime.state, "messages", "killed", "once", lines, SendingRules(), now, now + timedelta(hours=3)
    )
    return approve(runtime.state, plan.id, "an operator", now)


@dataclass
class Numbers:
    """Results of the kills.

    ``in_flight`` are calls that arrived at the sandbox and whose response the ledger lacks.
    """

    kills: int = 0
    claimed: int = 0
    most_claimed: int = 0
    in_flight: int = 0
    received: int = 0
    states: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.claimed} lines unknown after them, at most {self.most_claimed} at "
            f"once, {self.in_flight} calls in flight; "
            f"in the end {dict(self.states)}, {self.received} messages arrived, none twice"
        )


def kill_again_and_again(make_world, senders: Senders, kills: int, people: int) -> Numbers:
    """Kill senders of one plan, and compare the ledger with the sandbox after each kill and in the end."""
    world = make_world(
        platform={"seed": 7, "accounts": 3, "videos": 12, "most_fans": 300_000, "latency_ms": 4},
        concurrency=8,
        per_account=8,
        qps=QPS,
    )
    rng = random.Random(20261116)
    with receiving(world) as post:
        post.order("DELETE", "people")
        world.at(EVENING)
        plan = big_plan(post, everybody_writes(post, people))
        # Only enterprise accounts may send: lines of others fail, and are settled as well.
        settings = {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")} | {
            "DOUYIN_CLOCK": EVENING
        }
        numbers = Numbers()
        while numbers.kills < kills:
            before = world.calls("im_send_msg"), _ended(world, plan.id)
            # A quarter at any instant, the start-up included; the others when its first call has arrived, on machines
            # of any speed.
            begins = rng.random() < 0.25
            sends = (lambda: True) if begins else (lambda calls=before[0]: world.calls("im_send_msg") > calls)
            code = senders.run(settings, plan.id, rng.uniform(0.0, 0.3), sends)
            assert code in (0, -signal.SIGKILL), senders.words()
            if code < 0:
                _look_at(numbers, world, plan.id, *before)
            if get_plan(world.runtime.state, plan.id).state == "done":
                break
        if get_plan(world.runtime.state, plan.id).state != "done":
            assert senders.run(settings, plan.id, None) == 0, senders.words()
        assert numbers.kills >= min(kills, 3)
        assert numbers.claimed - numbers.in_flight <= numbers.kills
        post.settle(60)
        state, now = world.runtime.state, world.runtime.clock.now()
        recover(state, now)
        wait_until(lambda: not resolve(state, now))
        lines = read_lines(state, plan_id=plan.id)
        received = Counter((m["account"], m["person"]) for m in post.messages())
        assert max(received.values()) == 1, "a person got it twice"
        sent = {(one.open_id, one.person_open_id) for one in lines if one.state is LineState.SENT}
        assert sent == set(received), "the ledger says of everybody what the platform says"
        for one in lines:
            assert one.state in (LineState.SENT, LineState.FAILED, LineState.UNKNOWN), one
        numbers.states, numbers.received = Counter(str(one.state) for one in lines), received.total()
        return numbers


def _ended(world, plan: int) -> int:
    """Count the lines whose outcome the sender itself recorded."""
    return sum(
        one.resolved_by is None
        for one in read_lines(world.runtime.state, plan_id=plan, states=[LineState.SENT, LineState.FAILED])
    )


def _look_at(numbers: Numbers, world, plan: int, calls: int, ended: int) -> None:
    """Check the state after a kill: claimed lines become unknown, and their calls were in flight."""
    numbers.kills += 1
    claimed = len(read_lines(world.runtime.state, plan_id=plan, states=[LineState.CLAIMED]))

    def in_flight() -> int:
        return world.calls("im_send_msg") - calls - (_ended(world, plan) - ended)

    with suppress(AssertionError):  # calls on their way to the sandbox arrive
        wait_until(lambda: in_flight() >= claimed, 0.5)
    assert claimed <= in_flight() + UNDER_WAY
    numbers.claimed += claimed
    numbers.most_claimed = max(numbers.most_claimed, claimed)
    numbers.in_flight += in_flight()


@pytest.mark.slow
def test_a_sender_that_is_killed_a_few_times(make_world, senders, capsys):
    numbers = kill_again_and_again(make_world, senders, 6, 48)
    with capsys.disabled():
        print(f"\n{numbers}")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_of_a_sender(make_world, senders, capsys):
    numbers = kill_again_and_again(make_world, senders, 100, 360)
    with capsys.disabled():
        print(f"\n{numbers}")
    assert numbers.kills == 100
