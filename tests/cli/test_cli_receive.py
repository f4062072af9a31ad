"""``douyin receive`` as a process: webhooks of the sandbox arrive, ``--reply`` replies, errors say what to do."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Iterator
from datetime import datetime

import children
import httpx
import pytest
from patience import scaled

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2026-11-16T20:00:00+08:00"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SandboxConfig(accounts=1, videos=3, most_fans=300_000, now=datetime.fromisoformat(NOW))) as handle:
        yield handle.url


def app(url: str) -> dict[str, str]:
    return {
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_CLOCK": NOW,
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
    }


def wait_for(true, patience_s: float = 20) -> None:
    deadline = time.monotonic() + scaled(patience_s)
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_people_write_and_are_answered_until_the_process_is_terminated(command, url: str):
    command.environment |= app(url)
    with httpx.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=20) as control:
        account = control.get("/accounts").json()[0]
        assert command("authorize", "--code", account["code"]).returncode == 0
        process = command.start("receive", "--reply", "--port", "0")
        try:
            address = re.search(
                r"webhooks of app sandbox-key: (http://127\.0\.0\.1:\d+)/webhook/sandbox-key", process.stdout.readline()
            )[1]
            assert re.fullmatch(r"answering people by \d+ rules\n", process.stdout.readline())
            operations = re.fullmatch(
                r"for operators: (http://127\.0\.0\.1:\d+)/healthz and /metrics\n", process.stdout.readline()
            )[1]
            wait_for(lambda: _answers(operations))
            assert httpx.get(f"{operations}/healthz", trust_env=False).json() == {"status": "ok", "apps": 1}
            assert control.put("/webhooks", json={"url": f"{address}/webhook/sandbox-key"}).json()["verified"]
            for n, text in enumerate(("多少钱", "退订")):
                event = control.post("/people", json={"does": "write", "text": text}).json()
                wait_for(lambda n=n: len(control.get("/messages").json()) > n)
            assert {m["person"] for m in control.get("/messages").json()} == {event["from_user_id"]}
            wait_for(lambda: control.get("/webhooks").json()["pending"] == 0)
            counts = httpx.get(f"{operations}/metrics", trust_env=False).text
            assert 'douyin_webhook_events_total{app="sandbox-key",event="im_receive_msg"} 2.0' in counts
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=scaled(20))[0]
            assert time.monotonic() - began < scaled(5)
        finally:
            control.put("/webhooks", json={"url": ""})
            control.delete("/people")
            children.end(process)
    person = event["from_user_id"]
    for secret in ("sandbox-secret", person, "多少钱", "退订", "Traceback"):
        assert secret not in said
    reported = command("receive", "status").stdout
    assert "app sandbox-key: receiving since 2026-11-16 20:00 Beijing" in reported
    assert re.search(r"sandbox-key +im_receive_msg +2\b", reported)
    listed = command("outreach", "opt-out", "list").stdout
    assert "asked for it (rule stop)" in listed
    assert person not in listed


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False


def test_subscriptions_at_the_platform(douyin, url: str):
    given = app(url)
    assert (
        "cancelled: im_receive_msg, im_enter_direct_msg"
        in douyin("receive", "subscribe", "im_receive_msg", "im_enter_direct_msg", "--off", **given).stdout
    )
    reported = douyin("receive", "subscribe", "im_receive_msg", **given)
    assert (reported.exit_code, reported.stdout.strip()) == (0, "✓ subscribed: im_receive_msg")
    reported = douyin("receive", "subscribe", **given)
    assert "im_enter_direct_msg" in reported.stdout
    assert "im_receive_msg" not in reported.stdout
    reported = douyin("receive", "subscribe", **given)
    assert reported.stdout.startswith("nothing to change: ")


def test_nothing_ran_yet(douyin, url: str):
    assert "app sandbox-key: no receiver ran yet" in douyin("receive", "status", **app(url)).stdout


def test_a_port_in_use(douyin, url: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--port", "--metrics-port"):
            reported = douyin(
                "receive", *(() if option == "--port" else ("--port", "0")), option, str(port), **app(url)
            )
            assert reported.exit_code == 1
            assert f"cannot listen on 127.0.0.1, port {port}" in reported.stderr
            assert option in reported.stderr
    assert "no receiver ran yet" in douyin("receive", "status", **app(url)).stdout, (
        "a day without a receiver is unknown, not empty"
    )


def test_without_credentials_and_with_wrong_rules(douyin, tmp_path, url: str):
    reported = douyin("receive")
    assert reported.exit_code == 1
    assert "No credentials are configured" in reported.stderr
    (tmp_path / "replies.yaml").write_text("rules:\n  - {name: hi}\n", encoding="utf-8")
    reported = douyin("receive", "--reply", **app(url), DOUYIN_CAMPAIGNS_DIR=str(tmp_path))
    assert reported.exit_code == 2
    assert "replies.yaml:\n  rules.0: a rule sends messages, hands over, or opts out" in reported.stderr
    assert "no receiver ran yet" in douyin("receive", "status", **app(url)).stdout
