"""The wheel, installed outside the repository: the demo, and a mart, an audience and a campaign of the user's own.

The environment has an interpreter and the wheel of its own. Its dependencies are those that the lock file installed for
the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import duckdb
import pytest

from apps.cli.simulation import SANDBOX_TOKEN_KEY

ROOT = Path(__file__).parents[2]
MART = """\
-- Words seen 见过的词
-- en: hot words with the number of lists that had them
-- zh: 热点词及出现次数
-- grain: word
-- key: sentence
-- owner: team:us
-- cadence: daily
-- mode: full
-- column times [additive]: how often / 次数
SELECT sentence, count(*) AS times FROM main.hot_words GROUP BY 1
"""
AUDIENCE = """\
-- description: people who wrote / 写过私信的人
SELECT open_id AS account, actor_open_id AS open_id, 'wrote' AS reason
FROM lead_events_latest WHERE event = 'im_receive_msg' GROUP BY ALL
"""
CAMPAIGN = """\
name: hello
title: 问候
owner: us
audience: my_people
messages: [{type: text, text: 您好}]
control_share: 0.1
"""
OF_THE_SANDBOX = {
    "DOUYIN_HOME": "data/demo",
    "DOUYIN_CLIENT_KEY": "sandbox-key",
    "DOUYIN_CLIENT_SECRET": "sandbox-secret",
    "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
    "DOUYIN_CLOCK": "2026-11-16T20:00:00+08:00",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Build the wheel and install it; return the environment's ``bin``."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    run(sys.executable, "-m", "venv", folder / "env")
    python = folder / "env" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python.parent


def run(*command: object, cwd: Path | None = None, **variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "PYTHONPATH", "DAGSTER_HOME"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment | {"COLUMNS": "200"} | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_project_outside_the_repository(installed, tmp_path):
    """One day of the demo in a project folder, with the user's files beside the shipped ones."""
    folder = tmp_path / "mine"
    douyin = installed / "douyin"
    where = run(installed / "python", "-c", "import catalog; print(catalog.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed.parent)), "the wheel is tested, not the repository"
    run(douyin, "init", folder, cwd=tmp_path)
    (folder / "sql" / "marts" / "my_words.sql").write_text(MART, encoding="utf-8")
    (folder / "sql" / "audiences" / "my_people.sql").write_text(AUDIENCE, encoding="utf-8")
    (folder / "campaigns" / "hello.yaml").write_text(CAMPAIGN, encoding="utf-8")
    said = run(douyin, "demo", "--days", "1", "--accounts", "2", "--videos", "8", cwd=folder)
    assert "✓ 9 runs" in said
    with duckdb.connect(str(folder / "data" / "demo" / "warehouse.duckdb"), read_only=True) as warehouse:
        (mine,) = warehouse.sql("SELECT sum(times) FROM marts.my_words").fetchone()
        (seen,) = warehouse.sql("SELECT count(*) FROM hot_words").fetchone()
        (shipped,) = warehouse.sql("SELECT count(*) FROM marts.video_daily").fetchone()
    assert mine == seen > 0
    assert shipped > 0
    plan = run(douyin, "outreach", "plan", "hello", cwd=folder, **OF_THE_SANDBOX)
    assert "10 blocked: no window is open" in plan
    assert "benefits" in run(douyin, "outreach", "list", cwd=folder, **OF_THE_SANDBOX)
    assert run(douyin, "init", cwd=folder).count("left as it is") == 5
