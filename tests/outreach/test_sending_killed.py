"""kill -9 of a sending process at any instant: nobody gets a message twice, and no line is forgotten. The sandbox counts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from receiving import Post, receiving, wait_until

from catalog.messages import Scene, content_of
from pipelines.commands.develop import environment
from resources.state.inbox import fingerprint
from resources.state.lines import LineState
from resources.state.outbox import NewLine, Rules, read_lines
from resources.state.plans import approve, create_plan, get_plan
from resources.state.resolving import recover, resolve

ROOT = Path(__file__).parents[2]
TEXT = {"type": "text", "text": "您好，订单收到了吗？"}
EVENING = "2026-11-16T20:00:00+08:00"


class Senders:
    """Sending processes, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._said = open(folder / "said.txt", "a+")  # noqa: SIM115
        words = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("sender_zygote.py"))]
        self._zygote = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, bufsize=1, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert self._zygote.stdout.readline() == "ready\n"

    def run(self, settings: dict[str, str], plan: int, kill_after_s: float | None) -> int:
        """The exit code of one process; negative where a signal ended it."""
        self._zygote.stdin.write(json.dumps({"settings": settings, "plan": plan}) + "\n")
        child = int(self._zygote.stdout.readline().split()[1])
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(int(self._zygote.stdout.readline().split()[1]))

    def words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-3000:]

    def close(self) -> None:
        self._zygote.stdin.close()
        try:
            self._zygote.wait(timeout=30)
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
            "im_send_msg", "killed", key, account, person, {"to_user_id": person, "content": content}, f"killed/{account}/{person}", "wrote",
            Scene.REPLY, 1, fingerprint(1, TEXT["text"]),
        )
        for account, person in people
    ]  # fmt: skip
    now = runtime.clock.now()
    plan = create_plan(runtime.state, "messages", "killed", "once", lines, Rules(), now, now + timedelta(hours=3))
    return approve(runtime.state, plan.id, "somebody", now)


def kill_again_and_again(make_world, senders: Senders, kills: int, people: int) -> tuple[Counter, Counter, int]:
    """(lines by state at the end, messages that the sandbox received by person, kills)."""
    world = make_world(platform={"seed": 7, "accounts": 3, "videos": 12, "most_fans": 300_000, "latency_ms": 4}, concurrency=8, per_account=2)
    rng = random.Random(20261116)
    with receiving(world) as post:
        post.order("DELETE", "people")
        world.at(EVENING)
        plan = big_plan(post, everybody_writes(post, people))
        # Enterprise accounts alone may send: the others' lines fail, and are no less settled.
        settings = {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")} | {"DOUYIN_CLOCK": EVENING}
        killed = 0
        while killed < kills:
            code = senders.run(settings, plan.id, rng.uniform(0.02, 0.5))
            assert code in (0, -signal.SIGKILL), senders.words()
            killed += code < 0
            if get_plan(world.runtime.state, plan.id).state == "done":
                break
        if get_plan(world.runtime.state, plan.id).state != "done":
            assert senders.run(settings, plan.id, None) == 0, senders.words()
        assert killed >= min(kills, 3)
        post.settle(60)
        state, now = world.runtime.state, world.runtime.clock.now()
        recover(state, now)
        wait_until(lambda: not resolve(state, now))
        lines = read_lines(state, plan_id=plan.id)
        received = Counter((m["account"], m["person"]) for m in post.messages())
        assert max(received.values()) == 1, "somebody got it twice"
        sent = {(one.open_id, one.person_open_id) for one in lines if one.state is LineState.SENT}
        assert sent == set(received), "the ledger says of everybody what the platform says"
        for one in lines:
            assert one.state in (LineState.SENT, LineState.FAILED, LineState.UNKNOWN), one
        return Counter(str(one.state) for one in lines), received, killed


def test_a_sender_that_is_killed_a_few_times(make_world, senders, capsys):
    states, received, killed = kill_again_and_again(make_world, senders, 6, 90)
    with capsys.disabled():
        print(f"\n{killed} kills: {dict(states)}, {received.total()} messages arrived, none twice")


@pytest.mark.slow
def test_a_hundred_kills_of_a_sender(make_world, senders, capsys):
    states, received, killed = kill_again_and_again(make_world, senders, 100, 1200)
    with capsys.disabled():
        print(f"\n{killed} kills: {dict(states)}, {received.total()} messages arrived, none twice")
    assert killed == 100
