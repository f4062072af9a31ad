"""``douyin authorize`` and ``douyin accounts`` against a sandbox.

Consent comes by the browser's return, by paste or by import; accounts have pause, tags and keys.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from datetime import datetime

import httpx
import pytest
from cli_command import Command
from patience import scaled

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from catalog import OPERATIONS
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2026-11-16T11:00:00+08:00"
CALLBACK = "http://127.0.0.1:{port}/callback"


@pytest.fixture(scope="module")
def box():
    with running(SandboxConfig(accounts=3, now=datetime.fromisoformat(NOW))) as handle:
        yield handle.url


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mixed(Command):
    """Commands that neither wait nor call are run in this process: a new one takes half a second each."""

    here = ("accounts", "watch", "coverage")

    def __call__(
        self, *arguments: str, input: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        if arguments[0] not in self.here:
            return super().__call__(*arguments, input=input, **environment)
        done = self.invoke(*arguments, input=input, **(self.settings | environment))
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def mixed(tmp_path, box, free_port, douyin) -> Mixed:
    settings = {
        "DOUYIN_BASE_URL": box,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_CLOCK": NOW,
        "DOUYIN_QPS": "500",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_REDIRECT_URI": CALLBACK.format(port=free_port),
    }
    made = Mixed(tmp_path, **settings)
    made.settings, made.invoke = settings, douyin
    return made


def waiting(process) -> str:
    """The consent page's address, once the command listens."""
    address = ""
    for line in process.stdout:
        if "platform/oauth/connect" in line:
            address = line.strip()
        if "waiting at" in line:
            return address
    raise AssertionError(f"the command ended: {process.wait(timeout=scaled(30))}")


def come_back(address: str, **changes: str) -> httpx.Response:
    """What a browser does: open the consent page, follow it to the callback."""
    sent = httpx.get(address, follow_redirects=False, trust_env=False)
    back = sent.headers["location"]
    for old, new in changes.items():
        back = re.sub(rf"{old}=[^&]*", new, back)
    return httpx.get(back, trust_env=False)


def test_the_code_is_received_on_loopback(mixed):
    process = mixed.start("authorize", "--tag", "brand")
    page = come_back(waiting(process))
    assert page.status_code == 200
    assert "may be closed" in page.text
    said = process.stdout.read()
    assert process.wait(timeout=scaled(30)) == 0
    assert "is authorised" in said
    shown = mixed("accounts", "list").stdout
    assert "active" in shown
    assert "brand" in shown
    assert "15.0 d" in shown
    assert "0 of 5" in shown
    # The name is the account's own: its owner let the app see it.
    name = re.search(r"✓ (\S+) [0-9a-f-]{36}", said)[1]
    assert name in shown


def test_another_state_is_turned_away_and_a_refusal_is_reported(mixed):
    process = mixed.start("authorize")
    address = waiting(process)
    assert come_back(address, state="state=forged").status_code == 400
    assert process.poll() is None, "it still waits for the true one"
    assert come_back(address, code="error=access_denied").status_code == 200
    said = process.stdout.read()
    assert process.wait(timeout=scaled(30)) == 1
    assert "did not consent" in said
    assert "access_denied" in said


def test_no_redirect_arrives(mixed):
    began = time.monotonic()
    done = mixed("authorize", "--wait-s", "1")
    assert done.returncode == 1
    assert "no browser came back" in done.stderr
    assert time.monotonic() - began < scaled(30)


def test_a_code_works_once(mixed, box):
    code = httpx.get(f"{box}/_sandbox/accounts", trust_env=False).json()[1]["code"]
    assert mixed("authorize", "--code", code, "--name", "甲店").returncode == 0
    again = mixed("authorize", "--code", code)
    assert again.returncode == 1
    assert "expired or used" in again.stderr
    assert code not in again.stderr


def test_without_a_key_for_tokens_nothing_begins(mixed):
    done = mixed("authorize", "--code", "x", DOUYIN_TOKEN_KEY="")
    assert done.returncode == 1
    assert "douyin accounts new-key" in done.stderr
    key = mixed("accounts", "new-key").stdout.strip()
    assert len(key) == 44
    assert mixed("doctor", DOUYIN_TOKEN_KEY="short").returncode == 1


def test_a_wrong_key_is_reported_and_keys_can_be_changed(mixed, box):
    code = httpx.get(f"{box}/_sandbox/accounts", trust_env=False).json()[0]["code"]
    assert mixed("authorize", "--code", code).returncode == 0
    other = mixed("accounts", "new-key").stdout.strip()
    wrong = mixed("run", "-s", "fans_sources", DOUYIN_TOKEN_KEY=other)
    assert wrong.returncode == 1
    assert "is not the key" in wrong.stdout + wrong.stderr
    assert mixed("accounts", "rotate-key", DOUYIN_TOKEN_KEY=f"{other},{SANDBOX_TOKEN_KEY}").returncode == 0
    right = mixed("run", "-s", "fans_sources", DOUYIN_TOKEN_KEY=other)
    assert right.returncode == 0, right.stdout + right.stderr


def test_accounts_are_paused_resumed_tagged_and_removed(mixed, box):
    for account in httpx.get(f"{box}/_sandbox/accounts", trust_env=False).json():
        assert mixed("authorize", "--code", account["code"], "--name", f"店{account['index']}").returncode == 0
    assert mixed("accounts", "pause", "店1", "--reason", "holiday").returncode == 0
    assert mixed("accounts", "tag", "店0", "+food", "+vip").returncode == 0
    assert mixed("accounts", "tag", "店0", "-vip").returncode == 0
    shown = mixed("accounts", "list").stdout
    assert re.search(r"店1.*paused.*holiday", shown)
    assert re.search(r"店0.*food\s+active", shown)
    assert "vip" not in shown
    assert "店2" not in mixed("accounts", "list", "--tag", "food").stdout

    run = mixed("run", "-s", "fans_sources")
    assert "1 not_asked, 2 loaded" in run.stdout or "2 loaded, 1 not_asked" in run.stdout, run.stdout
    assert mixed("accounts", "resume", "店1").returncode == 0
    assert "3 loaded" in mixed("run", "-s", "fans_sources").stdout

    assert mixed("accounts", "remove", "店2", input="n\n").returncode == 1
    assert mixed("accounts", "remove", "店2", "--yes").returncode == 0
    assert "2 accounts" in mixed("accounts", "list").stdout
    unknown = mixed("accounts", "pause", "unknown")
    assert unknown.returncode == 2
    assert "no account is 'unknown'" in unknown.stderr


def test_import_takes_good_lines_and_reports_bad_ones(mixed, tmp_path):
    good = {
        "open_id": "a-1",
        "access_token": "act.1",
        "access_expires_at": "2026-11-20T00:00:00+08:00",
        "refresh_token": "rft.1",
        "refresh_expires_at": "2026-11-22T00:00:00+08:00",
        "renewals": 5,
        "name": "旧系统的店",
        "tags": "old shop",
    }
    rows = [
        good,
        good | {"open_id": "a-2", "refresh_expires_at": "2026-11-01T00:00:00+08:00"},
        {"open_id": "a-3"},
        good | {"open_id": "a-4", "access_expires_at": "soon"},
        7,
    ]
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    done = mixed("accounts", "import", str(file))
    assert done.returncode == 1
    assert "1 accounts stored, 4 lines not" in done.stdout
    for words in (
        "object 2: refresh_expires_at: it is over",
        "object 3: access_token",
        "object 4: access_expires_at: expected ISO 8601",
        "object 5: open_id",
    ):
        assert words in done.stdout
    assert "act.1" not in done.stdout
    listed = mixed("accounts", "list", "--needs-consent").stdout
    assert "旧系统的店" in listed
    assert "a-2" not in listed
    assert "5 of 5" in listed
    csv = tmp_path / "more.csv"
    csv.write_text(
        "open_id,access_token,access_expires_at,refresh_token,refresh_expires_at\nb-1,act.2,1797000000,rft.2,1797000000\n",
        encoding="utf-8",
    )
    assert mixed("accounts", "import", str(csv)).returncode == 0


def test_watch_lists(mixed):
    assert "nothing is watched" in mixed("watch", "list").stdout
    assert mixed("watch", "add", "keyword", "咖啡", "露营").returncode == 0
    again = mixed("watch", "add", "keyword", "咖啡")
    assert "0 of 1" in again.stdout
    assert "露营" in mixed("watch", "list").stdout
    assert mixed("watch", "remove", "keyword", "露营").returncode == 0
    assert "露营" not in mixed("watch", "list").stdout
    for arguments, words in (
        (("watch", "add", "video", "@x"), "--account"),
        (("watch", "add", "film", "x"), "no watch list"),
        (("watch", "remove", "keyword", "nothing"), "not on the list"),
    ):
        done = mixed(*arguments)
        assert done.returncode != 0
        assert words in done.stderr


def test_coverage_prints_every_operation(mixed):
    said = mixed("coverage").stdout
    assert f"{len(OPERATIONS)} operations" in said
    assert re.search(r"hotsearch_sentences\s+never tried\s+withdrawn", said)
    assert mixed("coverage", "--enable", "nonsense").returncode == 2
    assert "was not switched off" in mixed("coverage", "--enable", "fans_data").stdout
