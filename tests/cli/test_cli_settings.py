"""Invalid settings, ``douyin status`` on an empty home, and ``douyin doctor`` name the setting and the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import children
import httpx
import pytest

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from resources.config.settings import BadSettings, read_settings
from sandbox.config import SandboxConfig
from sandbox.server import running

ROOT = Path(__file__).resolve().parents[2]
NOW = "2025-11-17T16:40:00+08:00"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SandboxConfig(accounts=1, videos=5, now=datetime.fromisoformat(NOW))) as handle:
        yield handle.url


def app(url: str, **more: str) -> dict[str, str]:
    return {
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_CLOCK": NOW,
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        **more,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOUYIN_QPS", "abc"),
        ("DOUYIN_QPS", "0"),
        ("DOUYIN_PER_DAY", "-1"),
        ("DOUYIN_CLOCK", "yesterday"),
        ("DOUYIN_CLOCK", "2026-11-16T10:30:00"),
        ("DOUYIN_BASE_URL", "ftp://x"),
        ("DOUYIN_LIMITS", "{broken"),
        ("DOUYIN_LIMITS", '{"hotsearch": {"qps": -1}}'),
        ("DOUYIN_CONCURRENCY", "1.5"),
        ("DOUYIN_START_DATE", "soon"),
        ("DOUYIN_TIMEOUT_S", ""),
        ("DOUYIN_HOME", ""),
        ("DOUYIN_HOME", "a\tb"),
    ],
)
@pytest.mark.parametrize("command", ["run", "status", "sql", "doctor"])
def test_a_wrong_setting_is_named(douyin, command: str, name: str, value: str):
    reported = douyin(command, **{name: value})
    assert reported.exit_code == 1
    assert "the configuration is not usable" in reported.stderr
    assert f"{name}: " in reported.stderr
    assert isinstance(reported.exception, SystemExit)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, number)
            for name in ("QPS", "TIMEOUT_S", "RETRY_BASE_S", "FLUSH_S")
            for number in ("inf", "-inf", "nan", "1e99")
        ),
        *(
            (name, "9" * 19)
            for name in (
                "PER_DAY",
                "CONCURRENCY",
                "PER_ACCOUNT",
                "WEBHOOK_BODY_BYTES",
                "COMMENT_REREAD_DAYS",
                "KEEP_ARCHIVE_DAYS",
                "KEEP_LAKE_DAYS",
            )
        ),
        ("LIMITS", '{"hotsearch": {"qps": Infinity}}'),
        ("LIMITS", '{"hotsearch": {"qps": NaN}}'),
        ("KEEP", '{"comments": {"lake_days": 9999999}}'),
        ("START_DATE", "0001-01-01"),
        ("START_DATE", "9999-12-31"),
        ("CLOCK", "9999-12-31T00:00:00+08:00"),
    ],
)
def test_absurd_numbers_and_days_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(f"DOUYIN_{name}", value)
    with pytest.raises(BadSettings, match=f"DOUYIN_{name}: "):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DOUYIN_QSP", "3", "DOUYIN_QSP: there is no such setting: did you mean DOUYIN_QPS?"),
        ("douyin_clientkey", "a", "DOUYIN_CLIENTKEY: there is no such setting: did you mean DOUYIN_CLIENT_KEY?"),
        (
            "DOUYIN_LIMITS",
            '{"hotserach": {"qps": 3}}',
            "DOUYIN_LIMITS: 'hotserach' is no scope: did you mean hotsearch?",
        ),
        (
            "DOUYIN_LIMITS",
            '{"hotsearch": {"qsp": 3}}',
            "DOUYIN_LIMITS: hotsearch: there is no 'qsp': did you mean qps?",
        ),
        ("DOUYIN_KEEP", '{"coments": {"lake_days": 3}}', "DOUYIN_KEEP: 'coments' is no table: did you mean comments?"),
        (
            "DOUYIN_KEEP",
            '{"comments": {"lake": 3}}',
            "DOUYIN_KEEP: comments: there is no 'lake': did you mean lake_days?",
        ),
        (
            "DOUYIN_APPS",
            '[{"client_key": "a", "client_secret": "b", "redirect_url": "c"}]',
            "DOUYIN_APPS: 0: there is no 'redirect_url': did you mean redirect_uri?",
        ),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_an_unknown_name_is_refused_with_the_one_that_was_meant(
    douyin, tmp_path, place: str, name: str, value: str, said: str
):
    if place == ".env":
        (tmp_path / ".env").write_text(f"SOMEBODY_ELSES=1\n{name}='{value}'\n", encoding="utf-8")
    reported = douyin("status", **({name: value} if place == "environment" else {}))
    assert reported.exit_code == 1
    assert said in reported.stderr


def test_variables_that_are_no_settings_are_left_alone(douyin, tmp_path):
    (tmp_path / ".env").write_text("SOMEBODY_ELSES=1\nQPS=abc\n", encoding="utf-8")
    assert douyin("status", DOUYIN_DEBUG="1", DOUYIN_DASHBOARD_TOKEN="word", ANYTHING="x").exit_code == 0


def test_a_home_that_does_not_belong_to_its_dagster_home_is_refused(douyin, tmp_path):
    other = str(tmp_path / "service" / "dagster")
    for words in (("run",), ("status",), ("accounts", "list"), ("watch", "list")):
        reported = douyin(*words, DAGSTER_HOME=other)
        assert reported.exit_code == 1, words
        assert f"DAGSTER_HOME is {other}, and DOUYIN_HOME is {tmp_path / 'data'}" in reported.stderr
        assert f"set DOUYIN_HOME={tmp_path / 'service'}" in reported.stderr
    assert not (tmp_path / "data").exists()
    assert douyin("status", DAGSTER_HOME=str(tmp_path / "data" / "dagster")).exit_code == 0


def test_doctor_shows_which_home_each_process_uses(douyin, tmp_path, url: str):
    here, there = tmp_path / "data", tmp_path / "there"
    there.mkdir()
    (there / ".env").write_text("DOUYIN_HOME=mine\n", encoding="utf-8")
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)", "dagster api grpc"]
    started = [
        children.start(words, cwd=there, env=plain | {"DOUYIN_HOME": str(here)}, stdout=subprocess.PIPE),
        children.start(words, cwd=there, env=plain, stdout=subprocess.PIPE),
        children.start(words, cwd=there, env=plain | {"DAGSTER_HOME": str(here / "dagster")}, stdout=subprocess.PIPE),
    ]
    for one in started:
        one.stdout.readline()
    reported = douyin("doctor", DOUYIN_BASE_URL=url)
    assert reported.exit_code == 0, reported.output
    same, other, torn = (f"code server (process {one.pid}) uses" for one in started)
    assert f"✓ {same} {here}\n" in reported.stdout
    assert f"! {other} {there / 'mine'}, not {here}\n" in reported.stdout
    assert f"! {torn} {there / 'mine'}, and its DAGSTER_HOME is another's" in reported.stdout
    reported = douyin("doctor", DOUYIN_BASE_URL=url, DAGSTER_HOME=str(there / "dagster"))
    assert reported.exit_code == 1
    assert f"✗ DAGSTER_HOME is {there / 'dagster'}, and DOUYIN_HOME is {here}" in reported.stdout


def test_doctor_says_what_others_may_read(douyin, tmp_path, url: str):
    home = tmp_path / "data"
    home.mkdir(mode=0o700)
    (home / "lake").mkdir(mode=0o700)
    (home / "lake" / "data.parquet").touch(mode=0o600)
    assert f"✓ no other user of this machine may read {home}" in douyin("doctor", DOUYIN_BASE_URL=url).stdout
    (home / "lake" / "data.parquet").chmod(0o640)
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    reported = douyin("doctor", DOUYIN_BASE_URL=url)
    assert (
        f"! other users of this machine have rights to {home}/lake/data.parquet\n    → chmod -R go-rwx {home}\n"
        in reported.stdout
    )
    assert (
        f"! {tmp_path}/.env, which holds secrets, is open to other users of this machine\n    → chmod 600 "
        f"{tmp_path}/.env\n"
    ) in reported.stdout


def test_all_wrong_settings_are_named_at_once(douyin):
    reported = douyin("status", DOUYIN_QPS="abc", DOUYIN_CONCURRENCY="0")
    assert "DOUYIN_QPS" in reported.stderr
    assert "DOUYIN_CONCURRENCY" in reported.stderr


def test_a_secret_never_stands_in_a_complaint(douyin):
    reported = douyin("status", DOUYIN_QPS="abc", DOUYIN_CLIENT_SECRET="tell-nobody")
    assert "tell-nobody" not in reported.output


def test_status_of_an_empty_home(douyin):
    reported = douyin("status", "--days", "2", DOUYIN_CLOCK=NOW)
    assert reported.exit_code == 0, reported.output
    assert "11-16" in reported.stdout
    assert "11-17" in reported.stdout
    assert "– never requested" in reported.stdout
    assert "no account is authorised: `douyin authorize`" in reported.stdout


def test_doctor_on_a_running_platform(douyin, url: str):
    reported = douyin("doctor", **app(url))
    assert reported.exit_code == 0, reported.output
    lines = reported.stdout.splitlines()
    for words in (
        "✓ Python 3.",
        "✓ dagster ",
        "✓ duckdb ",
        "✓ credentials are set",
        f"✓ {url} answers",
        "✓ a client token was given",
        "GB free at",
    ):
        assert any(words in line for line in lines), words
    assert "! no account is authorised" in lines
    assert "✗" not in reported.stdout
    assert "sandbox-secret" not in reported.output


def test_doctor_requests_a_token_although_one_is_stored(douyin, url: str):
    assert douyin("doctor", **app(url)).exit_code == 0
    reported = douyin("doctor", **app(url, DOUYIN_CLIENT_SECRET="changed"))
    assert reported.exit_code == 1
    assert "✗ no client token" in reported.stdout
    assert "→ check DOUYIN_CLIENT_KEY, DOUYIN_CLIENT_SECRET" in reported.stdout
    assert "changed" not in reported.stdout


def test_doctor_on_an_unreachable_platform(douyin):
    reported = douyin("doctor", **app("http://127.0.0.1:9"))
    assert reported.exit_code == 1
    assert "✗ http://127.0.0.1:9 does not answer" in reported.stdout
    assert "→ check the network, DOUYIN_PROXY and DOUYIN_BASE_URL" in reported.stdout


def test_doctor_without_credentials(douyin, url: str):
    reported = douyin("doctor", DOUYIN_BASE_URL=url)
    assert reported.exit_code == 0
    assert "! No credentials are configured." in reported.stdout
    assert "make demo" in reported.stdout
    assert "! nothing is published yet" in reported.stdout


def test_doctor_on_a_home_that_cannot_be_written(douyin, tmp_path, url: str):
    (tmp_path / "file").touch()
    reported = douyin("doctor", DOUYIN_BASE_URL=url, DOUYIN_HOME=str(tmp_path / "file" / "data"))
    assert reported.exit_code == 1
    assert "cannot be written" in reported.stdout
    assert "→ set DOUYIN_HOME" in reported.stdout


def test_doctor_on_a_warehouse_that_is_none(douyin, tmp_path, url: str):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    reported = douyin("doctor", DOUYIN_BASE_URL=url)
    assert reported.exit_code == 1
    assert "does not open" in reported.stdout
    assert "douyin publish" in reported.stdout


def test_doctor_as_a_process(command, url: str):
    reported = command("doctor", **app(url))
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert reported.stderr == ""
    assert list(command.cwd.iterdir()) == []
    assert httpx.get(f"{url}/_sandbox/health", trust_env=False).json()["status"] == "ok"
