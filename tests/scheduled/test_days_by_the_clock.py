"""Scheduled operation as in production, over days whose clock the test moves.

Dagster's daemon runs with its code server and web server. The clock stands two seconds before the end of the minute in
which a schedule is due. The scheduler waits for the next minute, so it then looks again every two seconds. Only the
clock of the processes is changed (``clock/sitecustomize.py``). By default the test covers the night from Sunday to
Monday; ``DAYS_BY_THE_CLOCK`` is how many whole days from then on, with the maintenance of Sunday.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import children
import httpx
import pytest
from patience import scaled

from catalog.cadences import CADENCES
from catalog.records import BEIJING

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
FIRST = datetime(2026, 11, 16, tzinfo=BEIJING)
"""A Monday."""
DAYS = int(os.environ.get("DAYS_BY_THE_CLOCK", "0"))
_LONGEST_S = 900
"""The longest wait for the runs of one instant."""
_COLLECTING = {
    "hot_words_schedule": CADENCES["hourly"].crons,
    "billboards_schedule": CADENCES["twice_daily"].crons,
    "snapshots_schedule": CADENCES["daily_snapshot"].crons,
    "daily_metrics_schedule": CADENCES["daily_t1"].crons,
    "people_schedule": CADENCES["daily_listing"].crons,
    "film_lists_schedule": CADENCES["rank_weeks"].crons,
    "events_schedule": CADENCES["events"].crons,
}
_REPORTING = {"report_schedule": ("40 12 * * *", "40 16 * * *"), "resume_schedule": ("20 0 * * *",)}
_UPKEEP = {"verify_schedule": ("0 4 * * 0",), "prune_schedule": ("0 5 * * 0",)}
_OFTEN = {
    "alerts_schedule": ("*/15 * * * *",),
    "outreach_plan_schedule": ("*/10 * * * *",),
    "outreach_send_schedule": ("5-59/10 * * * *",),
}
"""Checked around midnight only: they are due 384 times a day."""
_FOLLOW_S = 0.5
"""Time in which every process has read the new clock; each looks twenty times a second. A schedule that is turned on by
the old clock would catch up on a tick before it.
"""
_PAUSE_S = 5
"""Two iterations of the scheduler: a schedule that is turned on while the clock jumps would miss the ticks in between.
"""


def due(crons: tuple[str, ...], since: datetime, until: datetime) -> set[datetime]:
    """Minutes at which a schedule is due, ``until`` excluded."""
    from dagster._utils.schedules import schedule_execution_time_iterator

    found = set()
    for cron in crons:
        for instant in schedule_execution_time_iterator(since.timestamp(), cron, "Asia/Shanghai", True):
            if instant.timestamp() >= until.timestamp():
                break
            found.add(datetime.fromtimestamp(instant.timestamp(), BEIJING))
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _selector(schedule: str) -> dict[str, str]:
    return {
        "repositoryName": "__repository__",
        "repositoryLocationName": "douyin-warehouse",
        "scheduleName": schedule,
    }


@dataclass
class Service:
    """The processes of an installation, and their common clock."""

    home: Path
    url: str
    environment: dict[str, str]
    clock: Path
    ui: str = ""
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def at(self, minute: datetime) -> None:
        """Let the sandbox and all processes stand at the end of a minute."""
        instant = (minute + timedelta(seconds=58)).isoformat()
        httpx.put(f"{self.url}/_sandbox/clock", json={"now": instant}, trust_env=False, timeout=60).raise_for_status()
        beside = self.clock.with_suffix(".new")
        beside.write_text(instant)
        beside.replace(self.clock)
        time.sleep(scaled(_FOLLOW_S))

    def start(self, name: str, *words: str) -> None:
        with open(self.home.parent / f"{name}.txt", "a") as said:
            command = [str(_BIN / name), *words]
            self.running[name] = children.start(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def start_daemon(self) -> None:
        self.start("dagster-daemon", "run", "-w", str(self.workspace))

    @property
    def workspace(self) -> Path:
        return self.home.parent / "workspace.yaml"

    def start_code_server(self) -> None:
        """Start a separate code server.

        The daemon replaces one that it starts itself every minute, and every jump of the clock is a minute.
        """
        port = free_port()
        where = {"host": "127.0.0.1", "port": port, "location_name": "douyin-warehouse"}
        self.workspace.write_text(json.dumps({"load_from": [{"grpc_server": where}]}))
        self.start(
            "dagster",
            "code-server",
            "start",
            "-m",
            "pipelines.code_location",
            "-a",
            "repository",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
        )
        self.wait_for(lambda: is_open(port))

    def start_web_server(self) -> None:
        port = free_port()
        self.ui = f"http://127.0.0.1:{port}"
        self.start("dagster-webserver", "-w", str(self.workspace), "-h", "127.0.0.1", "-p", str(port))
        self.wait_for(
            lambda: (
                "repositoriesOrError"
                in (self.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }") or {})
            )
        )

    def restart_web_server(self) -> None:
        self.kill("dagster-webserver")
        self.start_web_server()

    def kill_daemon(self) -> None:
        """End the daemon at once."""
        self.kill("dagster-daemon")

    def kill(self, name: str) -> None:
        child = self.running.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout=scaled(60))

    def ask(self, question: str, **variables: Any) -> dict[str, Any] | None:
        try:
            reply = httpx.post(
                f"{self.ui}/graphql", json={"query": question, "variables": variables}, trust_env=False, timeout=120
            ).json()
        except httpx.TransportError:
            return None
        assert "errors" not in reply, reply
        return reply["data"]

    def wait_for(self, condition: Any) -> None:
        until = time.monotonic() + scaled(_LONGEST_S)
        while not condition():
            for name, child in self.running.items():
                assert child.poll() is None, (name, (self.home.parent / f"{name}.txt").read_text()[-2000:])
            assert time.monotonic() < until, [(self.home.parent / f"{n}.txt").read_text()[-2000:] for n in self.running]
            time.sleep(0.5)

    def state(self, name: str, fields: str) -> dict[str, Any]:
        """Members of a schedule's state.

        The web server connects to the code server anew when a jump of the clock looks like a long silence to it, and
        does not find any schedule meanwhile; sometimes it never does, and is started again.
        """
        question = (
            "query($s: ScheduleSelector!) { scheduleOrError(scheduleSelector: $s) { "
            f"... on Schedule {{ scheduleState {{ {fields} }} }} ... on Error {{ message }} }} }}"
        )
        for is_last in (False, True):
            until = time.monotonic() + scaled(20)
            while "scheduleState" not in (answer := self.ask(question, s=_selector(name))["scheduleOrError"]):
                if time.monotonic() > until:
                    assert not is_last, answer["message"]
                    self.restart_web_server()
                    break
                time.sleep(0.5)
            else:
                break
        return answer["scheduleState"]

    def turn(self, name: str, on: bool) -> None:
        if on:
            self.state(name, "id")
            question = "mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename } }"
            assert self.ask(question, s=_selector(name))["startSchedule"]["__typename"] == "ScheduleStateResult"
        else:
            stopped = self.ask(
                "mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }",
                id=self.state(name, "id")["id"],
            )
            assert stopped["stopRunningSchedule"]["__typename"] == "ScheduleStateResult"

    def ticks(self, name: str) -> dict[datetime, str]:
        """Instant -> status of all ticks of a schedule; an instant that ticked twice fails the test."""
        found = self.state(name, "ticks(limit: 2000) { timestamp status }")["ticks"]
        instants = [datetime.fromtimestamp(t["timestamp"], BEIJING) for t in found]
        assert Counter(instants).most_common(1) == [] or Counter(instants).most_common(1)[0][1] == 1, name
        return dict(zip(instants, (t["status"] for t in found), strict=True))

    def is_idle(self) -> bool:
        question = (
            "{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) { ... on "
            "Runs { count } } }"
        )
        return self.ask(question)["runsOrError"]["count"] == 0

    def settle(self, expected: dict[str, set[datetime]], until: datetime) -> None:
        """Wait until every schedule has ticked at its times up to a minute, and all runs have ended."""
        names = [name for name, instants in expected.items() if until in instants]
        self.wait_for(
            lambda: all(self.ticks(name).get(until) in ("SUCCESS", "SKIPPED") for name in names) and self.is_idle()
        )


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    from apps.cli.simulation import SANDBOX_TOKEN_KEY
    from sandbox.config import SandboxConfig
    from sandbox.server import running

    began = FIRST - timedelta(hours=21)
    with running(SandboxConfig(accounts=2, videos=5, most_fans=20_000, now=began)) as handle:
        home = tmp_path / "home"
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_", "PYTEST_"))}
        environment = plain | {
            "DOUYIN_HOME": str(home),
            "DAGSTER_HOME": str(home / "dagster"),
            "DOUYIN_BASE_URL": handle.url,
            "DOUYIN_CLIENT_KEY": "sandbox-key",
            "DOUYIN_CLIENT_SECRET": "sandbox-secret",
            "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
            "DOUYIN_START_DATE": "2026-11-01",
            "DOUYIN_QPS": "1000",
            "PYTHONPATH": str(Path(__file__).parent / "clock"),
            "TEST_CLOCK": str(tmp_path / "clock.txt"),
        }
        made = Service(home, handle.url, environment, tmp_path / "clock.txt")
        made.at(began)
        for account in httpx.get(f"{handle.url}/_sandbox/accounts", trust_env=False, timeout=60).json():
            done = children.run(
                [_BIN / "douyin", "authorize", "--code", account["code"]],
                cwd=ROOT,
                env=environment,
                timeout_s=300,
                text=True,
            )
            assert done.returncode == 0, done.stderr
        (home / "dagster").mkdir(parents=True, exist_ok=True)
        (home / "dagster" / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
        yield made


def _reference(service: Service, home: Path, instants: list[tuple[datetime, list[str]]]) -> None:
    """Run ``douyin run`` at the same instants, cadence by cadence, in a home of its own."""
    import shutil

    from apps.cli.simulation import SANDBOX_TOKEN_KEY, move_clock
    from pipelines.jobs.tables import tables_of
    from pipelines.runner import Runner, plan
    from resources.config.settings import Settings
    from resources.runtime import Runtime

    home.mkdir()
    shutil.copy(
        service.home / "state.db", home / "state.db"
    )  # its accounts and tokens; its other state is useless without an archive
    runtime = Runtime(
        Settings(
            _env_file=None,
            home=home,
            base_url=service.url,
            client_key="sandbox-key",
            client_secret="sandbox-secret",
            token_key=SANDBOX_TOKEN_KEY,
            start_date=datetime(2026, 11, 1).date(),
            qps=1000,
            clock=FIRST.isoformat(),
        )
    )
    with Runner(runtime) as runner:
        for minute, cadences in instants:
            move_clock(runtime, minute + timedelta(seconds=58))
            for cadence in cadences:
                for run in plan(tables_of(CADENCES[cadence]), minute.date(), runtime.settings):
                    assert runner.run(run.cadence, run.first, run.tables, last=run.last).problems == {}


def lake_of(home: Path) -> dict[str, bytes]:
    """Bytes of all files of core tables."""
    lake = home / "lake"
    return {
        str(p.relative_to(lake)): p.read_bytes() for p in sorted(lake.rglob("data.parquet")) if "marts" not in p.parts
    }


@pytest.mark.timeout(7200)
def test_every_schedule_ticks_at_its_times_once(service, tmp_path, monkeypatch):
    midnight, end = FIRST, FIRST + (timedelta(days=DAYS) or timedelta(minutes=51))
    began = midnight - timedelta(hours=1)
    expected = {name: due(crons, began, end) for name, crons in (_COLLECTING | _REPORTING).items()}
    expected |= {name: due(crons, midnight - timedelta(hours=21), midnight) for name, crons in _UPKEEP.items() if DAYS}
    around = (midnight - timedelta(minutes=10), midnight + timedelta(minutes=11))
    expected |= {name: due(crons, *around) for name, crons in _OFTEN.items()}
    minutes = sorted(set().union(*expected.values()))
    restarts = {midnight - timedelta(minutes=10), midnight + timedelta(minutes=5)}
    assert restarts <= set(minutes)
    service.start_code_server()
    service.start_web_server()
    service.start_daemon()
    # Only schedules that are due within the simulated span are turned on: a schedule catches up on its last missed
    # tick.
    turns = [
        *([(minutes[0], _UPKEEP, True)] if DAYS else []),
        (began, _COLLECTING | _REPORTING, True),
        (around[0], _OFTEN, True),
        (around[1], _OFTEN, False),
    ]
    for minute in minutes:
        for turn in [t for t in turns if t[0] <= minute]:
            turns.remove(turn)
            service.at(turn[0] - timedelta(minutes=1))
            for name in turn[1]:
                service.turn(name, turn[2])
            time.sleep(scaled(_PAUSE_S))
            service.wait_for(service.is_idle)
        if minute in restarts:  # ticks that were due while no daemon ran are caught up on
            service.wait_for(service.is_idle)
            service.kill_daemon()
            service.at(minute)
            service.start_daemon()
        service.at(minute)
        service.settle(expected, minute)

    assert {name: set(service.ticks(name)) for name in expected} == expected
    failed = service.ask(
        "{ runsOrError(filter: {statuses: [FAILURE, CANCELED]}) { ... on Runs { count results { jobName runId } } } }"
    )["runsOrError"]
    assert failed["count"] == 0, failed
    service.kill_daemon()
    by_cadence = {name: next(c for c in CADENCES if CADENCES[c].crons == crons) for name, crons in _COLLECTING.items()}
    instants = [(m, [c for n, c in by_cadence.items() if m in expected[n]]) for m in minutes]
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "reference" / "dagster"))
    _reference(service, tmp_path / "reference", [(m, cadences) for m, cadences in instants if cadences])
    collected, again = lake_of(service.home), lake_of(tmp_path / "reference")
    assert collected.keys() == again.keys()
    assert [name for name in collected if collected[name] != again[name]] == []
    assert len(collected) > 5
