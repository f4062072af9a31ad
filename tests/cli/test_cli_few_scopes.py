"""An app with five scopes for three days: `douyin run` succeeds.

`status` and `doctor` report the missing scopes and how to get them.
"""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta

import httpx
import pytest
from cli_command import Command

from apps.cli.simulation import SANDBOX_TOKEN_KEY

FIVE = ("user_info", "fans.data.bind", "data.external.user", "data.external.item", "item.comment")
START = datetime.fromisoformat("2026-11-16T15:30:00+08:00")
DAYS = 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_days_with_five_scopes(tmp_path):
    from sandbox.config import SandboxConfig
    from sandbox.server import running

    rules = tmp_path / "alerts.yaml"
    rules.write_text("channels: {}\n", encoding="utf-8")
    with (
        running(SandboxConfig(accounts=2, videos=12, now=START, scopes=FIVE)) as sandbox,
        httpx.Client(base_url=sandbox.url, trust_env=False) as control,
    ):
        douyin = Command(
            tmp_path,
            DOUYIN_BASE_URL=sandbox.url,
            DOUYIN_CLIENT_KEY="sandbox-key",
            DOUYIN_CLIENT_SECRET="sandbox-secret",
            DOUYIN_START_DATE="2026-11-10",
            DOUYIN_QPS="1000",
            DOUYIN_RETRY_BASE_S="0.01",
            DOUYIN_TOKEN_KEY=SANDBOX_TOKEN_KEY,
            DOUYIN_ALERTS_FILE=str(rules),
            PATH=os.environ["PATH"],
        )
        for account in control.get("/_sandbox/accounts").json():
            assert douyin("authorize", "--code", account["code"], DOUYIN_CLOCK=START.isoformat()).returncode == 0
        calls = []
        for day in range(DAYS):
            now = (START + timedelta(days=day)).isoformat()
            control.put("/_sandbox/clock", json={"now": now}).raise_for_status()
            control.delete("/_sandbox/stats")
            ran = douyin("run", DOUYIN_CLOCK=now, timeout_s=600)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            assert "✗" not in ran.stdout
            assert "materialise" not in ran.stdout
            assert "known, no failure: app sandbox-key: 8 operations owned, " in ran.stdout
            calls.append(control.get("/_sandbox/stats").json()["total"])
            reported = douyin("alerts", "send", DOUYIN_CLOCK=now)
            assert reported.returncode == 0, reported.stdout + reported.stderr
        assert calls[1] == calls[2] < calls[0], "what is lacking is tried once"

        alerts = douyin("alerts", "list", DOUYIN_CLOCK=now).stdout
        assert re.findall(r"lacking .* (\d+) +– +lacking:sandbox-key", alerts) == ["1"], alerts
        status, doctor = (douyin(command, DOUYIN_CLOCK=now) for command in ("status", "doctor"))
        assert (status.returncode, doctor.returncode) == (0, 0), doctor.stdout + doctor.stderr
        for reported in (status.stdout, doctor.stdout):
            assert "scope video.list.bind" in reported
            assert (
                "`douyin watch add video ITEM_ID --account OPEN_ID`, or apply for `video.list.bind` on "
                "the app's capability page (能力管理)"
            ) in reported
            assert "`douyin coverage --enable intention_log_list`" in reported
            assert "nothing to do: the platform no longer grants it" in reported
        assert "✗" not in status.stdout.replace("✗ failed", "")
        assert "not loaded" not in status.stdout
        assert "app sandbox-key (web): 8 owned, " in doctor.stdout
        owned = douyin("coverage", "--only", "owned", DOUYIN_CLOCK=now).stdout
        assert "8 owned" in owned, "coverage says the same"
