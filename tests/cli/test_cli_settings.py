"""Wrong settings, ``douyin status`` on nothing, and ``douyin doctor``: each says which setting, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest

from pipelines.simulation import SANDBOX_TOKEN_KEY
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2025-11-17T16:40:00+08:00"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SandboxConfig(accounts=1, videos=5, now=datetime.fromisoformat(NOW))) as handle:
        yield handle.url


def app(url: str, **more: str) -> dict[str, str]:
    return {"DOUYIN_BASE_URL": url, "DOUYIN_CLIENT_KEY": "sandbox-key", "DOUYIN_CLIENT_SECRET": "sandbox-secret", "DOUYIN_CLOCK": NOW, "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY, **more}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOUYIN_QPS", "abc"), ("DOUYIN_QPS", "0"), ("DOUYIN_PER_DAY", "-1"), ("DOUYIN_CLOCK", "yesterday"), ("DOUYIN_CLOCK", "2026-11-16T10:30:00"),
        ("DOUYIN_BASE_URL", "ftp://x"), ("DOUYIN_LIMITS", "{broken"), ("DOUYIN_LIMITS", '{"hotsearch": {"qps": -1}}'), ("DOUYIN_CONCURRENCY", "1.5"),
        ("DOUYIN_START_DATE", "soon"), ("DOUYIN_TIMEOUT_S", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "status", "sql", "doctor"])
def test_a_wrong_setting_is_named(douyin, command: str, name: str, value: str):
    told = douyin(command, **{name: value})
    assert told.exit_code == 1
    assert "the configuration is not usable" in told.stderr
    assert f"{name}: " in told.stderr
    assert isinstance(told.exception, SystemExit)


def test_all_wrong_settings_are_named_at_once(douyin):
    told = douyin("status", DOUYIN_QPS="abc", DOUYIN_CONCURRENCY="0")
    assert "DOUYIN_QPS" in told.stderr
    assert "DOUYIN_CONCURRENCY" in told.stderr


def test_a_secret_never_stands_in_a_complaint(douyin):
    told = douyin("status", DOUYIN_QPS="abc", DOUYIN_CLIENT_SECRET="tell-nobody")
    assert "tell-nobody" not in told.output


def test_status_of_an_empty_home(douyin):
    told = douyin("status", "--days", "2", DOUYIN_CLOCK=NOW)
    assert told.exit_code == 0, told.output
    assert "11-16" in told.stdout
    assert "11-17" in told.stdout
    assert "– never asked" in told.stdout
    assert "no account is authorised: `douyin authorize`" in told.stdout


def test_doctor_on_a_running_platform(douyin, url: str):
    told = douyin("doctor", **app(url))
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    for words in ("✓ Python 3.", "✓ dagster ", "✓ duckdb ", "✓ credentials are set", f"✓ {url} answers", "✓ a client token was given", "GB free at"):
        assert any(words in line for line in lines), words
    assert "! no account is authorised" in lines
    assert "✗" not in told.stdout
    assert "sandbox-secret" not in told.output


def test_doctor_asks_anew_although_a_token_is_stored(douyin, url: str):
    assert douyin("doctor", **app(url)).exit_code == 0
    told = douyin("doctor", **app(url, DOUYIN_CLIENT_SECRET="changed"))
    assert told.exit_code == 1
    assert "✗ no client token" in told.stdout
    assert "→ check DOUYIN_CLIENT_KEY, DOUYIN_CLIENT_SECRET" in told.stdout
    assert "changed" not in told.stdout


def test_doctor_on_an_unreachable_platform(douyin):
    told = douyin("doctor", **app("http://127.0.0.1:9"))
    assert told.exit_code == 1
    assert "✗ http://127.0.0.1:9 does not answer" in told.stdout
    assert "→ check the network, DOUYIN_PROXY and DOUYIN_BASE_URL" in told.stdout


def test_doctor_without_credentials(douyin, url: str):
    told = douyin("doctor", DOUYIN_BASE_URL=url)
    assert told.exit_code == 0
    assert "! No credentials are configured." in told.stdout
    assert "make demo" in told.stdout
    assert "! nothing is published yet" in told.stdout


def test_doctor_on_a_home_that_cannot_be_written(douyin, tmp_path, url: str):
    (tmp_path / "file").touch()
    told = douyin("doctor", DOUYIN_BASE_URL=url, DOUYIN_HOME=str(tmp_path / "file" / "data"))
    assert told.exit_code == 1
    assert "cannot be written" in told.stdout
    assert "→ set DOUYIN_HOME" in told.stdout


def test_doctor_on_a_warehouse_that_is_none(douyin, tmp_path, url: str):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    told = douyin("doctor", DOUYIN_BASE_URL=url)
    assert told.exit_code == 1
    assert "does not open" in told.stdout
    assert "douyin publish" in told.stdout


def test_doctor_as_a_process(command, url: str):
    told = command("doctor", **app(url))
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    assert list(command.cwd.iterdir()) == []
    assert httpx.get(f"{url}/_sandbox/health", trust_env=False).json()["status"] == "ok"
