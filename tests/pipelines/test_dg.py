"""Dagster's own ``dg`` command works in the repository: it checks, lists and launches our definitions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import TABLES
from pipelines.home import prepare_dagster_home
from resources.config.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dg(tmp_path, monkeypatch):
    """``dg("check", "defs")`` runs the command with a new home and returns its output."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = prepare_dagster_home(Settings(_env_file=None, home=tmp_path / "home"))

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dg")), *words],
            cwd=ROOT,
            env=os.environ
            | {"DAGSTER_HOME": str(home), "DOUYIN_HOME": str(home.parent), "VIRTUAL_ENV": sys.prefix, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_definitions_are_checked_listed_and_launched(dg):
    assert "All definitions loaded successfully" in dg("check", "defs")
    listed = json.loads(dg("list", "defs", "--json"))
    assert set(TABLES) <= {asset["asset_key"] for asset in listed["assets"]}
    assert {"hot_words_job", "alerts_job"} <= {job["name"] for job in listed["jobs"]}
    dg("launch", "--job", "alerts_job")
