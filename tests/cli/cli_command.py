"""The ``douyin`` command as a process, away from the user's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import children
from fork_server import ForkServer

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 400


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without the user's settings; lines are wide enough not to be broken."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": str(COLUMNS),
        "NO_COLOR": "1",
        "DOUYIN_HOME": str(home / "data"),
        **more,
    }


@cache
def fork_server() -> ForkServer:
    return ForkServer(clean_environment(Path("/nonexistent")))


class Command:
    """``douyin …`` as a process of its own, in an empty directory."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.cwd = home / "cwd"
        self.cwd.mkdir(parents=True, exist_ok=True)
        self.environment = clean_environment(home, **environment)

    def __call__(
        self, *arguments: str, input: str | None = None, timeout_s: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with output and exit code."""
        return fork_server().run(
            arguments, cwd=self.cwd, environment=self.environment | environment, input=input, timeout_s=timeout_s
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In the background, in a session of its own, with all output on ``stdout``."""
        return children.start(
            self.words(*arguments),
            cwd=self.cwd,
            env=self.environment,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @staticmethod
    def words(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "apps.cli.main", *arguments]
