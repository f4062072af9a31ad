"""The ``douyin`` command as a whole."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

COMMANDS = {
    "demo",
    "sandbox",
    "dev",
    "run",
    "backfill",
    "replay",
    "verify",
    "publish",
    "status",
    "sql",
    "parse",
    "doctor",
    "authorize",
}


def test_help_names_every_command(douyin):
    import typer

    from apps.cli.main import app

    reported = douyin("--help")
    assert reported.exit_code == 0
    registered = set(typer.main.get_command(app).commands)
    assert registered >= COMMANDS
    for name in registered:
        assert f" {name} " in reported.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(douyin, name: str):
    reported = douyin(name, "--help")
    assert reported.exit_code == 0
    assert "Usage:" in reported.stdout


def test_an_unknown_command(douyin):
    reported = douyin("nonsense")
    assert reported.exit_code == 2
    assert "nonsense" in reported.stderr


def test_the_entry_point_is_installed():
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    assert project["scripts"] == {"douyin": "apps.cli.main:main"}


def test_light_commands_load_no_heavy_library(command):
    """`douyin --help` and a mistyped option respond at once."""
    import subprocess
    import sys

    reported = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, apps.cli.main; print(sorted({'dagster', 'pandas', 'pyarrow', 'duckdb', "
            "'sqlalchemy'} & set(sys.modules)))",
        ],
        cwd=command.cwd,
        env=command.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert reported.stdout.strip() == "[]"
