"""An evening of receiving, replying, collecting, planning and sending leaks no secret and no personal text.

Searched are every log record down to DEBUG, Dagster's event log, the output of commands, metrics and file names. The
evening includes faults.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date

import httpx
import pytest
from installation import TODAY
from test_replies import answering

from apps.receiver.serving import serving
from resources.state.ledger import read_lines, request_of
from resources.state.plans import approve, list_plans
from resources.state.tokens import load_user_token
from sandbox.world import World as Sandbox
from services.outreach.campaigns import load_replies

SHORTEST = 4
"""Shorter texts, such as "在吗", may occur anywhere."""
COLLECTED = (
    "lead_ids",
    "leads",
    "lead_events",
    "lead_taggings",
    "lead_actions",
    "im_consents",
    "im_messages",
    "im_entries",
    "im_consent_events",
    "webhook_events",
    "interactions",
    "event_subscriptions",
)
COMMANDS = (
    ("outreach", "list"),
    ("outreach", "show", "1", "--limit", "500"),
    ("outreach", "plan", "collect_profile"),
    ("outreach", "unknown"),
    ("outreach", "opt-out", "list"),
    ("outreach", "effect"),
    ("receive", "status"),
    ("status",),
    ("coverage",),
    ("storage", "show"),
    ("verify",),
)
DEEDS = ("write", "leave_phone", "tap_card", "enter", "follow", "consent", "opt_out", "withdraw_consent")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21])
def test_nothing_personal_is_shown(make_world, caplog, capsys, monkeypatch, seed: int):
    world = make_world(
        platform={
            "seed": seed,
            "accounts": 2,
            "videos": 12,
            "most_fans": 300_000,
            "answers": (("leave_phone", 0.5), ("write", 0.3)),
        },
        timeout_s=2,
    )
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        evening(world, said, monkeypatch, capsys)
    said += [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    said += [str(p.relative_to(world.home)) for p in world.home.rglob("*")]
    everything = "\n".join(said)
    assert "im_messages" in everything
    assert "benefits" in everything
    hidden = forbidden(world, seed)
    assert all(hidden.values()), "there must be something of each kind to hide"
    reported = {what: [v for v in values if v in everything] for what, values in hidden.items()}
    assert {what: found[:5] for what, found in reported.items() if found} == {}


def evening(world, said: list[str], monkeypatch, capsys) -> None:
    """Run everything that the outreach does, once."""
    from pipelines.runner import Runner

    monkeypatch.setenv("DAGSTER_HOME", str(world.home / "dagster"))
    world.at("2026-11-16T18:00:00+08:00")
    with answering(world, load_replies(world.runtime.settings)) as (post, worker):
        for account in range(2):
            for n, one in enumerate(post.people(account, 24)):
                post.person_does(account, DEEDS[n % len(DEEDS)], one["person"], "")
        world.at("2026-11-16T20:00:00+08:00")
        post.settle()
        with Runner(world.runtime) as runner:
            for cadence in ("daily_listing", "events", "daily_snapshot"):
                chosen = [t for t in COLLECTED if _cadence_of(t) == cadence]
                runner.run(cadence, TODAY, chosen)
            runner.publish()
            _job(runner, "outreach_plan_job")
            for fault in ("timeout", "late", "http_502"):
                world.fault("im_send_msg", fault, times=1)
            for plan in list_plans(world.runtime.state, ["open"]):
                approve(world.runtime.state, plan.id, "an operator", world.runtime.clock.now())
            _job(runner, "outreach_send_job")
            post.settle()
            runner.run("events", TODAY, ["im_messages", "im_entries"])
            runner.publish()
            for run in runner._instance.get_runs():
                said += [str(entry) for entry in runner._instance.all_logs(run.run_id)]
                said.append(str(run))
        with serving(post.receiver.operations) as operations:
            said.append(httpx.get(f"{operations}/metrics", trust_env=False).text)
        said.append(str(worker.counts))
        said += list(_commands(world, monkeypatch, capsys))


def _cadence_of(table: str) -> str:
    from catalog import endpoints_of

    return endpoints_of(table)[0].cadence.name


def _job(runner, name: str) -> None:
    runner.repository.get_job(name).execute_in_process(instance=runner._instance, raise_on_error=False)


def _commands(world, monkeypatch, capsys) -> Iterator[str]:
    from apps.cli.develop import environment
    from apps.cli.main import app

    for name, value in environment(world.runtime.settings).items():
        if name.startswith("DOUYIN_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "500")
    world.runtime.close()
    for words in COMMANDS:
        with pytest.raises(SystemExit):
            app(list(words), standalone_mode=True)
        out = capsys.readouterr()
        yield out.out + out.err


def forbidden(world, seed: int) -> dict[str, set[str]]:
    """Return every text that must not leak, by kind."""
    state, key = world.runtime.state, world.config.client_key
    tokens = [load_user_token(state, key, open_id) for open_id in world.accounts]
    people = Sandbox(seed, 2, 12, most_fans=300_000)
    now = world.runtime.clock.now().timestamp()
    persons = [people.people.person(c.number) for account in people.accounts for c in people.leads.known(account, now)]
    texts = {
        row["message_text"]
        for table in ("im_messages", "lead_events")
        for row in world.rows(table, date(2026, 11, 16))
        if row["message_text"]
    }
    sent = set()
    for line in read_lines(state):
        request = request_of(state, line.id)
        for content in request.get("content_list") or [request.get("content")]:
            if isinstance(content, dict) and content["msg_type"] == 1:
                sent.add(content["text"]["text"])
    return {
        "secrets": {world.config.client_secret, world.runtime.settings.token_key.get_secret_value()},
        "tokens": {t for one in tokens if one for t in (one.access_token, one.refresh_token)},
        "phones": {p.phone for p in persons},
        "WeChat ids": {p.wechat for p in persons},
        "names": {p.nickname for p in persons if len(p.nickname) >= SHORTEST},
        "messages received": {t for t in texts if len(t) >= SHORTEST},
        "messages sent": {t for t in sent if len(t) >= SHORTEST},
    }
