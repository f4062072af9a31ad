"""``douyin backfill`` shows its cost first and loads what is available.

It continues by itself after a used-up quota.
"""

from __future__ import annotations

import re
from datetime import datetime

import dagster as dg
import httpx
import pytest
from cli_command import Command

from apps.cli.simulation import SANDBOX_TOKEN_KEY
from sandbox.config import SandboxConfig
from sandbox.server import running

NOW, NEXT_DAY = "2026-11-18T11:00:00+08:00", "2026-11-19T00:30:00+08:00"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Three accounts, with a tiny quota for one scope, and the list of their videos."""
    with running(SandboxConfig(accounts=3, videos=12, now=datetime.fromisoformat(NOW))) as box:
        command = Command(
            tmp_path_factory.mktemp("backfill"),
            DOUYIN_BASE_URL=box.url,
            DOUYIN_CLIENT_KEY="sandbox-key",
            DOUYIN_CLIENT_SECRET="sandbox-secret",
            DOUYIN_CLOCK=NOW,
            DOUYIN_QPS="500",
            DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
            DOUYIN_START_DATE="2026-10-01",
            DOUYIN_LIMITS='{"data.external.user": {"per_day": 4}}',
        )
        control = httpx.Client(base_url=f"{box.url}/_sandbox", trust_env=False)
        for account in control.get("/accounts").json():
            assert command("authorize", "--code", account["code"]).returncode == 0
        assert command("run", "-s", "videos").returncode == 0
        yield command, control


def calls(control, operation: str) -> int:
    return control.get("/stats").json()["operations"].get(operation, {"requests": 0})["requests"]


def runs_of(command) -> list[dg.DagsterRun]:
    """All runs of the command's installation."""
    from pipelines.home import prepare_dagster_home
    from resources.config.settings import Settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(command.home / "data/dagster"))
        prepare_dagster_home(Settings(_env_file=None, home=command.home / "data"))
        with dg.DagsterInstance.get() as instance:
            return instance.get_runs()


def test_the_price_comes_first_and_holds(installed):
    command, control = installed
    requested = ("backfill", "-s", "item_play", "--from", "2026-10-19", "--to", "2026-11-17")
    dry = command(*requested, "--dry-run")
    assert dry.returncode == 0, dry.stdout + dry.stderr
    price = re.search(r"data\.external\.item: (\d+) calls, at least \d+ s; no daily quota", dry.stdout)
    assert re.search(r"item_play +2026-10-19 … 2026-11-17 +30 +– +– +" + price[1], dry.stdout)
    assert calls(control, "item_play") == 0

    done = command(*requested)
    assert done.returncode == 0, done.stdout + done.stderr
    assert price[0] in done.stdout
    assert calls(control, "item_play") == int(price[1]) > 5
    assert "1/1" in done.stdout, "thirty partitions in one run"

    again = command(*requested)
    assert re.search(r"item_play +2026-10-19 … 2026-11-17 +– +30 +– +0", again.stdout)
    assert "no call is needed" in again.stdout
    assert calls(control, "item_play") == int(price[1])


def test_what_cannot_be_had_is_reported_before_and_after(installed):
    command, control = installed
    before = control.get("/stats").json()["total"]
    done = command("backfill", "-s", "hot_words,item_play", "--from", "2026-10-14", "--to", "2026-10-20")
    assert done.returncode == 1
    assert (
        "✗ hot_words 2026-10-14 … 2026-10-20: nothing was archived on that day, and the platform shows only the present"
        in done.stdout
    )
    assert (
        "✗ item_play 2026-10-14 … 2026-10-18: older than the platform's window of 30 days and not in the archive"
        in done.stdout
    )
    assert "12 partitions cannot be had" in done.stdout
    assert re.findall(r"✗ (hot_words .*)", done.stdout)[1:] == [
        "hot_words 2026-10-14 … 2026-10-20: nothing was archived on that day, and the platform shows "
        "only the present: this day cannot be had any more"
    ]
    runs = [r for r in runs_of(command) if r.asset_selection == {dg.AssetKey("hot_words")}]
    assert [str(r.status.value) for r in runs] == ["FAILURE"], "one red run for the whole range"
    assert control.get("/stats").json()["total"] == before


@pytest.mark.slow
def test_a_quota_spreads_it_over_days(installed):
    command, control = installed
    requested = command("backfill", "-s", "user_fans,user_like,user_item", "--from", "2026-11-01")
    assert requested.returncode == 1
    assert "225% of the 4 a day, 4 left today; spreads over 3 days" in requested.stdout
    assert sum(calls(control, f"user_{n}") for n in ("fans", "like", "item")) == 4
    reported = command("backfill", "--resume")
    assert "data.external.user: 5 calls" in reported.stdout
    assert "0 left today" in reported.stdout
    assert sum(calls(control, f"user_{n}") for n in ("fans", "like", "item")) == 4

    for day, total in (("2026-11-19", 8), ("2026-11-20", 9)):
        control.put("/clock", json={"now": f"{day}T00:30:00+08:00"}).raise_for_status()
        command("backfill", "--resume", DOUYIN_CLOCK=f"{day}T00:30:00+08:00")
        assert sum(calls(control, f"user_{n}") for n in ("fans", "like", "item")) == total
    left = command("backfill", "--resume", DOUYIN_CLOCK="2026-11-20T00:30:00+08:00")
    assert "nothing waits for a new quota" in left.stdout
    rows = command(
        "sql",
        "--csv",
        "-c",
        "select count(*) as n, count(distinct dt) as days from user_like where dt between '2026-11-01' "
        "and '2026-11-17'",
    )
    assert rows.stdout.split()[1] == "51,17"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-11-10", "--to", "2026-11-09"), "lies before --from"),
        (("--from", "2026-09-01"), "DOUYIN_START_DATE=2026-10-01"),
        ((), "--from"),
        (("--resume", "--from", "2026-11-10"), "--resume"),
        (("--from", "2026-11-10", "-s", "nonsense"), "is no table"),
    ],
)
def test_wrong_words_are_reported(installed, words, said: str):
    reported = installed[0]("backfill", *words)
    assert reported.returncode == 2
    assert said in reported.stderr
