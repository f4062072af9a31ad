"""The home of an installation contains all its files under any name, and other users cannot read it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import children
import pytest
from cli_command import Command

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW = "2025-11-17T16:40:00+08:00"
ODD = "a?b#c%41 抖音[x]*;'\"&dt=1"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(SandboxConfig(accounts=1, videos=5, now=datetime.fromisoformat(NOW))) as handle:
        yield handle.url


@pytest.fixture
def installed(tmp_path: Path, url: str) -> Command:
    return Command(
        tmp_path,
        DOUYIN_BASE_URL=url,
        DOUYIN_CLIENT_KEY="sandbox-key",
        DOUYIN_CLIENT_SECRET="sandbox-secret",
        DOUYIN_CLOCK=NOW,
        DOUYIN_START_DATE="2025-11-10",
        DOUYIN_QPS="1000",
        DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
        DOUYIN_HOME=str(tmp_path / ODD / "data"),
    )


def open_to_others(command: Command, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process whose umask takes nothing away."""
    reported = children.run(
        Command.words(*arguments),
        cwd=command.cwd,
        env=command.environment,
        text=True,
        timeout_s=120,
        preexec_fn=lambda: os.umask(0),
    )
    assert reported.returncode == 0, reported.stdout + reported.stderr
    return reported


def wider(folder: Path) -> list[str]:
    return [
        str(p.relative_to(folder))
        for p in (folder, *folder.rglob("*"))
        if not p.is_symlink() and stat.S_IMODE(p.stat().st_mode) & 0o077
    ]


@pytest.mark.slow
def test_everything_lies_in_a_home_of_any_name_and_no_other_user_may_read_it(installed: Command, tmp_path: Path):
    (tmp_path / ODD).mkdir()
    home = tmp_path / ODD / "data"
    open_to_others(installed, "run", "--select", "hot_words")
    open_to_others(installed, "publish")
    open_to_others(installed, "export", "hot_words", "--out", str(tmp_path / ODD / "words.csv"))
    assert installed("sql", "--csv", "-c", "SELECT count(*) > 0 AS found FROM hot_words").stdout.split() == [
        "found",
        "true",
    ]
    assert installed("verify").returncode == 0
    assert installed("status").returncode == 0

    for part in (
        "state.db",
        "archive",
        "lake",
        "warehouse.duckdb",
        "locks",
        "cache",
        "dagster/history/runs.db",
        "dagster/history/runs/index.db",
        "dagster/schedules/schedules.db",
    ):
        assert (home / part).exists(), part
    assert {p.name for p in tmp_path.iterdir()} == {"cwd", ODD}
    assert {p.name for p in (tmp_path / ODD).iterdir()} == {"data", "words.csv"}
    assert list(installed.cwd.iterdir()) == []
    assert wider(home) == []
    assert stat.S_IMODE((tmp_path / ODD / "words.csv").stat().st_mode) == 0o600
