"""Dagster's own processes read settings as the command does.

The environment precedes ``.env``, and a foreign home is refused.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
import traceback
from datetime import datetime
from pathlib import Path

import children
import pytest
from patience import scaled

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from pipelines import code_location
from pipelines.home import prepare_dagster_home
from resources.config.settings import BadSettings, Settings
from sandbox.config import SandboxConfig
from sandbox.server import running

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NOW = "2025-11-17T16:40:00+08:00"
WORKSPACE = ("-w", str(ROOT / "workspace.yaml"))


class Service:
    """Programs of Dagster as a service manager starts them, in a folder whose ``.env`` names other homes and limits."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.cwd, self.home = folder / "checkout", folder / "service"
        self.cwd.mkdir()
        (self.cwd / ".env").write_text("DOUYIN_HOME=data\nDOUYIN_QPS=0.001\n", encoding="utf-8")
        self.home.mkdir(mode=0o755)
        before = os.environ.get("DAGSTER_HOME")
        prepare_dagster_home(Settings(_env_file=None, home=self.home))
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(self.home / "dagster"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **environment,
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return children.run([BIN / words[0], *words[1:]], cwd=self.cwd, env=self.environment, text=True, timeout_s=120)


@pytest.mark.slow
def test_a_home_of_another_dagster_home_is_refused(tmp_path: Path):
    service = Service(tmp_path)
    reported = service("dagster", "definitions", "validate", *WORKSPACE)
    assert reported.returncode == 1
    words = " ".join((reported.stdout + reported.stderr).split())
    assert f"DAGSTER_HOME is {service.home / 'dagster'}, and DOUYIN_HOME is {service.cwd / 'data'}" in words
    assert f"set DOUYIN_HOME={service.home}" in words
    assert not (service.cwd / "data").exists()


@pytest.mark.slow
def test_the_environment_counts_before_env_in_a_code_server(tmp_path: Path):
    service = Service(tmp_path, DOUYIN_HOME=str(tmp_path / "service"))
    reported = service("dagster", "definitions", "validate", *WORKSPACE)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert not (service.cwd / "data").exists()


def test_a_wrong_setting_is_named_where_dagster_loads_the_definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOUYIN_QSP", "3")
    monkeypatch.setenv("DOUYIN_APPS", '[{"client_key": "a", "client_secret": "tell-nobody", "typ": "web"}]')
    code_location._make_own.cache_clear()
    with pytest.raises(BadSettings) as reported:
        code_location.repository  # noqa: B018
    assert "DOUYIN_QSP: there is no such setting: did you mean DOUYIN_QPS?" in str(reported.value)
    assert "tell-nobody" not in "".join(traceback.format_exception(reported.value))


@pytest.mark.slow
def test_a_daemon_works_in_the_home_of_its_environment(tmp_path: Path):
    with (
        open(tmp_path / "log", "wb") as log,
        running(SandboxConfig(accounts=1, videos=5, now=datetime.fromisoformat(NOW))) as handle,
    ):
        service = Service(
            tmp_path,
            DOUYIN_HOME=str(tmp_path / "service"),
            DOUYIN_BASE_URL=handle.url,
            DOUYIN_CLIENT_KEY="sandbox-key",
            DOUYIN_CLIENT_SECRET="sandbox-secret",
            DOUYIN_CLOCK=NOW,
            DOUYIN_START_DATE="2025-11-10",
            DOUYIN_QPS="1000",
            DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
        )
        # With any umask.
        children.start(
            [BIN / "dagster-daemon", "run", *WORKSPACE],
            cwd=service.cwd,
            env=service.environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.umask(0),
        )
        reported = service(
            "dagster",
            "job",
            "launch",
            *WORKSPACE,
            "-j",
            "hot_words_job",
            "--tags",
            '{"dagster/partition": "2025-11-17"}',
        )
        assert reported.returncode == 0, reported.stdout + reported.stderr
        warehouse, deadline = service.home / "warehouse.duckdb", time.monotonic() + scaled(300)
        while not warehouse.exists():
            assert time.monotonic() < deadline, sorted(p.name for p in service.home.iterdir())
            time.sleep(0.3)
        doctor = service("douyin", "doctor")
        assert f"uses {service.home}\n" in doctor.stdout
        assert "✓ dagster-daemon (process " in doctor.stdout
        assert "✓ code server (process " in doctor.stdout
    assert (service.home / "lake" / "hot_words" / "dt=2025-11-17" / "data.parquet").exists()
    assert (service.home / "state.db").exists()
    assert "DEBUG" not in (tmp_path / "log").read_text(encoding="utf-8"), (
        "a run that a person started floods the terminal"
    )
    assert [p.name for p in service.cwd.iterdir()] == [".env"]
    by_test = {service.home, service.home / "dagster", service.home / "dagster" / "dagster.yaml"}
    assert [p for p in service.home.rglob("*") if p not in by_test and stat.S_IMODE(p.stat().st_mode) & 0o077] == []
