"""``douyin doctor`` reports the state of the installation, each finding with the command or console page.

It has the same numbers as ``coverage``.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from apps.cli import processes
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.accounts import AccountStatus, add_account, set_status
from resources.state.capabilities import record_capability
from resources.state.load_status import LoadStatus, Outcome, save_load_status
from resources.state.sealing import new_key
from resources.state.tokens import UserToken, save_user_token

KEY = new_key()
NOW = datetime.fromisoformat("2026-11-16T12:00:00+08:00").astimezone(UTC)
TODAY = date(2026, 11, 16)
ENVIRONMENT = {
    "DOUYIN_CLIENT_KEY": "app-key",
    "DOUYIN_CLIENT_SECRET": "secret-of-the-app",
    "DOUYIN_TOKEN_KEY": KEY,
    "DOUYIN_CLOCK": NOW.isoformat(),
    "DOUYIN_BASE_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three accounts, of which one must authorise again and one did not grant a scope; some capabilities known."""
    runtime = Runtime(
        Settings(
            _env_file=None,
            home=tmp_path / "data",
            clock=NOW.isoformat(),
            client_key="app-key",
            client_secret="s",
            token_key=KEY,
        )
    )
    for number, name in enumerate(("甲店", "乙店", "丙店")):
        add_account(runtime.state, "app-key", f"open-{number}", name=name, now=NOW)
        end = NOW + timedelta(days=10 + number)
        save_user_token(
            runtime.state,
            "app-key",
            UserToken(f"open-{number}", "act.secret", end, "rft.secret", end, 2, "user_info", NOW),
        )
    set_status(runtime.state, "app-key", "open-2", AccountStatus.STOPPED, "account deregistered (code 28001045)")
    for operation, code in (
        ("user_fans", None),
        ("video_list", 28001018),
        ("fans_source", 28001018),
        ("billboard_live", 28001056),
    ):
        record_capability(
            runtime.state,
            "app-key",
            operation,
            owned=code is None,
            now=NOW,
            code=code,
            reason=None if code is None else "refused",
        )
    refused = LoadStatus(
        "user_share", TODAY - timedelta(days=1), "user_share", "app-key", "open-1", Outcome.NEEDS_CONSENT, code=28001012
    )
    save_load_status(runtime.state, [refused], NOW.timestamp())
    runtime.close()
    return tmp_path / "data"


def test_doctor_shows_the_standing(douyin, home: Path):
    reported = douyin("doctor", **ENVIRONMENT).stdout
    lines = reported.splitlines()

    def advice(words: str) -> str:
        (at,) = [n for n, line in enumerate(lines) if words in line]
        return lines[at + 1].strip()

    assert "douyin coverage" in advice("· app app-key (web): 1 owned, 2 not owned, 1 withdrawn, ")
    videos = advice(
        "! scope video.list.bind (video_list), since 2026-11-16: no videos, video_totals; from that no "
        "item_base, item_like"
    )
    assert videos.startswith("→ `douyin watch add video ITEM_ID --account OPEN_ID`, or apply for `video.list.bind` on")
    assert videos.endswith("能力管理) in the platform's console, then `douyin coverage --enable video_list`")
    assert advice("· no longer granted by the platform (billboard_live)").startswith("→ nothing to do")
    assert any(
        "✓ account 甲店: access token 10.0 d, refresh token 10.0 d, 3 renewals left, consent ends in" in line
        for line in lines
    )
    assert (
        advice("! account 乙店: its owner did not grant data.external.user (user_share)")
        == "→ `douyin authorize` with the account's owner, who ticks data.external.user"
    )
    assert "data may have to be deleted" in advice("! account 丙店: stopped (account deregistered")
    assert "dagster schedule start" in advice("· no schedule was ever turned on")
    assert "douyin storage" in advice("· archive 0.0 MB, lake 0.0 MB")
    assert "secret" not in reported


def test_status_says_the_same(douyin, home: Path):
    reported = douyin("status", **ENVIRONMENT)
    assert reported.exit_code == 0
    for words in (
        "scope video.list.bind",
        "scope data.external.fans_source",
        "no longer granted by the platform",
        "consent of 乙店: data.external.user",
    ):
        assert words in reported.stdout
    assert "not loaded" not in reported.stdout
    some = douyin("status", "--select", "fans_sources", **ENVIRONMENT).stdout
    assert "scope data.external.fans_source" in some
    assert "scope video.list.bind" not in some


def test_doctor_and_coverage_count_alike(douyin, home: Path):
    doctor, coverage = douyin("doctor", **ENVIRONMENT).stdout, douyin("coverage", **ENVIRONMENT).stdout
    for here in ("owned", "not owned", "withdrawn", "never tried"):
        counted = re.search(rf"(?:^|[ ,:])(\d+) {here}\b", doctor)
        assert counted is not None
        assert re.search(rf"\b{counted[1]} {here}\b", coverage), here


def test_schedules_that_are_on_show_their_next_run(douyin, home: Path, monkeypatch: pytest.MonkeyPatch):
    import dagster as dg
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    from pipelines.home import prepare_dagster_home

    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_dagster_home(Settings(_env_file=None, home=home))
    target = LoadableTargetOrigin(executable_path="python", module_name="pipelines.code_location")
    repository = RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target), "__repository__")
    with dg.DagsterInstance.get() as instance:
        for name in ("hot_words_schedule", "people_schedule"):
            origin = RemoteInstigatorOrigin(repository, name)
            instance.add_instigator_state(
                InstigatorState(
                    origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, ScheduleInstigatorData("5 * * * *")
                )
            )
    reported = douyin("doctor", **ENVIRONMENT).stdout
    assert re.search(r"✓ hot_words_schedule is on: next run \d{4}-\d\d-\d\d \d\d:05 in Beijing", reported), reported
    assert re.search(r"✓ people_schedule is on: next run \d{4}-\d\d-\d\d (11|15):30 in Beijing", reported)
    (off,) = [line for line in reported.splitlines() if line.startswith("· off: ")]
    assert "daily_metrics_schedule" in off
    assert "hot_words_schedule" not in off
    assert "! no dagster-daemon runs and never ran here" in reported
    assert os.environ["DAGSTER_HOME"] == str(home / "dagster")


@pytest.mark.parametrize("program", [["douyin"], ["python", "-m", "apps.cli.main"]], ids=" ".join)
@pytest.mark.parametrize("command", ["receive", "dashboard", "run", "backfill", "outreach send"])
def test_services_are_recognised_however_they_were_started(program: list[str], command: str):
    words = [str(Path(sys.prefix) / "bin" / program[0]), *program[1:], *command.split()]
    expected = {"backfill": "douyin run", "outreach send": "douyin outreach"}.get(command, f"douyin {command}")
    assert processes._service(words, Path.cwd()) == expected
    assert processes._service([f"/elsewhere/{program[0]}", *words[1:]], Path.cwd()) is None
