"""``douyin dev``: the UI with all assets, and nothing left behind when it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path

import children
import httpx
import pytest
from patience import scaled

from catalog import SOURCES, TABLES
from pipelines.jobs.tables import JOB_NAMES
from resources.warehouse.mart_files import load_marts

pytestmark = pytest.mark.slow

_STARTS_WITHIN_S = 180
_QUESTION = """{
  assetNodes { assetKey { path } isMaterializable }
  repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name } jobs { name } sensors { name } } } }
}"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def ours(mark: str) -> dict[int, str]:
    """Living processes with ``mark`` in their environment: what the command started, whatever group it is in."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark.encode() in (folder / "environ").read_bytes()
                and "State:\tZ" not in (folder / "status").read_text()
            ):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")[:100]
        except OSError:
            continue
    return found


def wait_for(url: str, process) -> httpx.Response:
    deadline = time.monotonic() + scaled(_STARTS_WITHIN_S)
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read()
        try:
            return httpx.get(url, trust_env=False, timeout=10)
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError(f"{url} did not answer within {_STARTS_WITHIN_S} s")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_shows_the_assets_and_ends_wholly(command, number: signal.Signals):
    mark = f"TEST_MARK={command.home}"
    command.environment["TEST_MARK"] = str(command.home)
    port, sandbox_port = free_port(), free_port()
    process = command.start("dev", "--port", str(port), "--sandbox-port", str(sandbox_port))
    try:
        answer = wait_for(f"http://127.0.0.1:{port}/server_info", process)
        assert answer.status_code == 200
        assert "dagster_version" in answer.json()

        graph = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": _QUESTION}, trust_env=False, timeout=120
        ).json()["data"]
        assets = {"/".join(n["assetKey"]["path"]): n["isMaterializable"] for n in graph["assetNodes"]}
        assert {name for name, made in assets.items() if made} == {
            *TABLES,
            *(f"marts/{name}" for name in load_marts()),
            "warehouse",
            "report",
        }
        assert {name for name, made in assets.items() if not made} == {
            *(f"platform/{name}" for name in SOURCES),
            "archive",
        }
        (repository,) = graph["repositoriesOrError"]["nodes"]
        upkeep = {"verify_job", "prune_job"}
        schedules = {name.removesuffix("_job") + "_schedule" for name in {*JOB_NAMES.values(), *upkeep}}
        by_plan = {
            "report_schedule",
            "resume_schedule",
            "outreach_plan_schedule",
            "outreach_send_schedule",
            "alerts_schedule",
        }
        assert {s["name"] for s in repository["schedules"]} == schedules | by_plan
        assert {*JOB_NAMES.values(), *upkeep, "publish_job", "answers_job", "report_job", "replay_job"} <= {
            j["name"] for j in repository["jobs"]
        }
        assert {s["name"] for s in repository["sensors"]} == {"publish_after_runs", "tell_failed_runs"}

        accounts = httpx.get(f"http://127.0.0.1:{sandbox_port}/_sandbox/accounts", trust_env=False).json()
        assert len(accounts) == 5
        assert len(ours(mark)) > 3, "a server, a daemon and a code location"

        began = time.monotonic()
        process.send_signal(number)
        reported = process.communicate(timeout=scaled(30))[0]
        assert time.monotonic() - began < scaled(25)
        assert process.returncode == 0
        assert re.search(rf"using the sandbox at http://127\.0\.0\.1:{sandbox_port} with 5 accounts", reported)
        assert f"Dagster UI: http://127.0.0.1:{port}" in reported
        assert "Traceback" not in reported
        deadline = time.monotonic() + scaled(5)
        while ours(mark) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ours(mark) == {}
        assert list(command.cwd.iterdir()) == []
    finally:
        for pid in ours(mark):
            os.kill(pid, signal.SIGKILL)
        children.end(process)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_killed_it_leaves_nothing_running(command):
    mark = f"TEST_MARK={command.home}"
    command.environment["TEST_MARK"] = str(command.home)
    port = free_port()
    process = command.start("dev", "--port", str(port), "--sandbox-port", str(free_port()))
    try:
        wait_for(f"http://127.0.0.1:{port}/server_info", process)
        assert len(ours(mark)) > 3
        process.kill()
        deadline = time.monotonic() + scaled(60)
        while ours(mark) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ours(mark) == {}
    finally:
        for pid in ours(mark):
            os.kill(pid, signal.SIGKILL)
        children.end(process)


def test_a_sandbox_port_in_use(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        reported = command("dev", "--sandbox-port", str(port))
    assert reported.returncode == 1
    assert f"port {port}" in reported.stderr
    assert "--sandbox-port" in reported.stderr
