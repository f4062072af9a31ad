"""``douyin sandbox`` as a process prints its URL, serves, and ends on a signal."""

from __future__ import annotations

import re
import signal
import socket
import time

import children
import httpx
import pytest
from patience import scaled


def first_address(process) -> str:
    """The address that the command prints when it serves."""
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line + process.stdout.read()
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends(command, number: signal.Signals):
    process = command.start(
        "sandbox",
        "--port",
        "0",
        "--accounts",
        "2",
        "--videos",
        "3",
        "--seed",
        "7",
        "--now",
        "2025-11-17T10:30:00+08:00",
    )
    try:
        url = first_address(process)
        use = process.stdout.readline()
        assert f"DOUYIN_BASE_URL={url} DOUYIN_CLIENT_KEY=sandbox-key DOUYIN_CLIENT_SECRET=sandbox-secret" in use
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
            assert client.get("/_sandbox/health").json() == {"status": "ok", "seed": 7, "accounts": 2}
            assert client.get("/_sandbox/clock").json() == {"now": "2025-11-17T02:30:00+00:00", "frozen": True}
            assert client.get("/openapi.yaml").text.startswith("openapi: 3.1")
            began = time.monotonic()
            process.send_signal(number)
            rest = process.communicate(timeout=scaled(10))[0]
        assert time.monotonic() - began < scaled(5)
        assert "Traceback" not in rest
        assert process.returncode in (0, -number, 128 + number)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/_sandbox/health", trust_env=False)
    finally:
        children.end(process)


def test_troubles_and_apps_on_order(command):
    options = (
        "--accounts",
        "20",
        "--videos",
        "1",
        "--dead-tokens",
        "0.1",
        "--private",
        "0.1",
        "--withdrawn",
        "video_list",
        "--lacking",
        "hotsearch",
        "--app",
        "second:secret",
    )
    process = command.start("sandbox", "--port", "0", *options)
    try:
        with httpx.Client(base_url=first_address(process), trust_env=False, timeout=10) as client:
            first, second = (
                client.get("/_sandbox/accounts", params=params).json() for params in ({}, {"client_key": "second"})
            )
            assert {a["trouble"] for a in first} == {None, "dead_token", "private"}
            assert [a["trouble"] for a in first] == [a["trouble"] for a in second]
            assert not {a["open_id"] for a in first} & {a["open_id"] for a in second}
            token = {"client_key": "second", "client_secret": "secret", "grant_type": "client_credential"}
            assert client.post("/oauth/client_token/", json=token).json()["message"] == "success"
    finally:
        children.end(process)


def test_a_port_in_use(douyin):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        reported = douyin("sandbox", "--port", str(port))
    assert reported.exit_code == 1
    assert f"cannot listen on port {port}" in reported.stderr
    assert "--port" in reported.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--now", "tomorrow"], "tomorrow"),
        (["--now", "2025-11-17T10:30:00"], "time zone"),
        (["--qps", "0"], "above 0"),
        (["--accounts", "0"], "1"),
        (["--latency-ms", "-1"], "0"),
        (["--dead-tokens", "0.7", "--private", "0.7"], "add up to 1"),
        (["--withdrawn", "nothing"], "no operation is called nothing"),
        (["--lacking", "nothing"], "no scope is called nothing"),
        (["--scopes", "user_info, nothing"], "no scope is called nothing"),
        (["--app", "key"], "KEY:SECRET"),
        (["--app", "sandbox-key:x"], "client_key of its own"),
    ],
)
def test_wrong_options(douyin, arguments: list[str], why: str):
    reported = douyin("sandbox", *arguments)
    assert reported.exit_code == 2
    assert why in reported.stderr
