"""The ``douyin`` command for tests: in this process where that is equal and faster, else in its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from cli_command import COLUMNS, Command
from typer.testing import CliRunner

# Typer creates all commands of the app again for each invocation.
typer.testing._get_command = cache(typer.testing._get_command)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def douyin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Invoke in this process: ``douyin("parse", …, input=b"…", DOUYIN_QPS="5")`` gives exit_code, stdout, stderr."""
    from apps.cli import console
    from apps.cli.main import app

    for name in [n for n in os.environ if n.startswith(("DOUYIN_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOUYIN_HOME", str(tmp_path / "data"))
    for one in (console.console, console.errors):
        monkeypatch.setattr(one, "_width", COLUMNS)

    def invoke(*arguments: str, input: bytes | str | None = None, **environment: str):
        return CliRunner().invoke(app, list(arguments), input=input, env=environment)

    return invoke
