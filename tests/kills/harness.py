"""Kill a day's work, restart it, kill it again, let it finish; the result must equal that of an undisturbed day."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import children
import duckdb
import httpx
from patience import scaled
from zygote import TABLES as CHOSEN

from apps.cli.develop import environment
from apps.cli.simulation import authorize_all, sandbox_settings
from catalog import TABLES, endpoints_of
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state import State
from resources.state.load_status import Outcome, read_load_status
from resources.storage.archive import Archive
from resources.storage.lake import Lake
from sandbox.config import SandboxConfig
from sandbox.server import running
from services.ingest.covered_days import complete_sequences

DAY, NOW = date(2026, 11, 18), "2026-11-18T11:30:00+08:00"
FLUSH_S, CONCURRENCY = 0.3, 8
SLACK_S = 0.5
"""Time that a busy machine may need to write a segment that is due."""
ZYGOTE = Path(__file__).with_name("zygote.py")


@dataclass
class Numbers:
    """Counts of the harness."""

    kills: Counter[str] = field(default_factory=Counter)
    trials: int = 0
    too_late: int = 0
    """Kills after the work was done."""
    lost: int = 0
    doubled: int = 0
    lakes_differing: int = 0
    leftovers: int = 0
    disagreements: int = 0
    calls: int = 0
    """Of an undisturbed day."""
    asked_again: int = 0
    promised: int = 0
    """Upper bound of repeated requests: those answered since the last flush before each kill, and those in flight."""

    def __str__(self) -> str:
        return (
            f"{self.kills.total()} kills ({', '.join(f'{n} {k}' for k, n in sorted(self.kills.items()))}; "
            f"{self.too_late} came too late) in {self.trials} days: "
            f"{self.lost} rows lost, {self.doubled} doubled, {self.lakes_differing} lakes differ, "
            f"{self.leftovers} files left over, "
            f"{self.disagreements} times load_status and lake disagreed; {self.asked_again} of "
            f"{self.calls * self.trials:,} calls requested again, {self.promised} allowed"
        )


@dataclass(frozen=True)
class Result:
    """All data that a finished day leaves behind."""

    lake: dict[str, bytes]
    published: dict[str, tuple]
    statuses: dict[tuple, tuple]
    rows: Counter[tuple]


class Place:
    """A sandbox, a zygote, and homes to work in; one thread uses one place."""

    def __init__(self, root: Path) -> None:
        self._stack = ExitStack()
        self.root = root
        config = SandboxConfig(accounts=3, videos=30, most_fans=400, now=datetime.fromisoformat(NOW))
        self.url = self._stack.enter_context(running(config)).url
        self.control = self._stack.enter_context(
            httpx.Client(base_url=f"{self.url}/_sandbox", trust_env=False, timeout=30)
        )
        base = Settings(_env_file=None, home=root / "template", clock=NOW, start_date=date(2026, 11, 1))
        self.settings = sandbox_settings(
            base, self.url, config, home=root / "template", flush_s=FLUSH_S, concurrency=CONCURRENCY, retry_base_s=0.01
        )
        runtime = Runtime(self.settings)
        authorize_all(runtime)
        runtime.close()
        # Warnings of the import are of no interest to a test; the child's error messages are.
        self.said = open(root / "said.txt", "a+")  # noqa: SIM115
        words = [sys.executable, "-W", "ignore", str(ZYGOTE)]
        here = os.environ | {"PYTHONPATH": str(ZYGOTE.parents[2])}
        self.zygote = children.start(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True, bufsize=1, env=here
        )
        self._worker: int | None = None
        assert self.zygote.stdout.readline() == "ready\n", self._words()

    def close(self) -> None:
        self.stop()
        self.said.close()
        self._stack.close()

    def stop(self) -> None:
        """End the zygote and its day's work; threads that read their output get an end of file."""
        if self._worker is not None:
            children.kill_group(self._worker)
        children.kill_group(self.zygote.pid)
        self.zygote.wait(timeout=scaled(30))

    def _words(self) -> str:
        self.said.seek(0)
        return self.said.read()[-4000:]

    def new_home(self, name: str) -> Path:
        home = self.root / name
        shutil.copytree(self.root / "template", home)
        return home

    def data_calls(self) -> int:
        """Count the calls of data operations so far; tokens are no data."""
        operations = self.control.get("/stats").json()["operations"]
        return sum(operations.get(name, {"requests": 0})["requests"] for name in OPERATIONS)

    def start(self, home: Path, step: tuple | None = None) -> int:
        """Begin a day's work in a process group of its own; return its number."""
        settings = environment(self.settings.model_copy(update={"home": home}))
        settings = {k: v for k, v in settings.items() if k.startswith("DOUYIN_")}
        self.zygote.stdin.write(json.dumps({"settings": settings, "step": step, "day": DAY.isoformat()}) + "\n")
        self._worker = int(self.zygote.stdout.readline().split()[1])
        return self._worker

    def wait(self) -> int:
        """Return the exit code of the work; the negative number of the signal that ended it, if one did."""
        ended = os.waitstatus_to_exitcode(int(self.zygote.stdout.readline().split()[1]))
        self._worker = None
        return ended

    def finish(self, home: Path) -> Result:
        self.start(home)
        code = self.wait()
        assert code == 0, f"exit code {code}: {self._words()}"
        return result_of(home)


OPERATIONS = tuple(dict.fromkeys(e.name for t in CHOSEN for e in endpoints_of(t)))


def result_of(home: Path) -> Result:
    lake, rows = Lake(home / "lake"), Counter()
    for table in CHOSEN:
        for partition in lake.partitions(table):
            for row in lake.read(table, partition.dt).select(["dt", *TABLES[table].primary_key]).to_pylist():
                rows[table, *map(str, row.values())] += 1
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        published = {}
        for table in CHOSEN:
            columns = ", ".join(f'"{c}"' for c in TABLES[table].columns)
            published[table] = connection.execute(
                f'SELECT count(*), sum(hash({columns})::HUGEINT) FROM "{table}"'
            ).fetchone()
    root = home / "lake"
    state = State(f"sqlite:///{home / 'state.db'}")
    statuses = {
        (s.table_name, s.dt, s.operation, s.client_key, s.open_id): (s.status, s.rows, s.quarantined)
        for table in CHOSEN
        for s in read_load_status(state, table=table)
    }
    state.close()
    # Marts too, except the one of the present state.
    files = {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*.parquet"))
        if "data_health" not in p.parts
    }
    return Result(files, published, statuses, rows)


def leftovers(home: Path) -> list[str]:
    """Files that only a killed writer leaves."""
    found = [p for p in home.rglob("*") if p.name.endswith((".tmp", ".building", ".wal", ".gone", ".reading"))]
    return [str(p.relative_to(home)) for p in found if "dagster" not in p.parts]


def archived(home: Path) -> int:
    archive = Archive(home / "archive")
    return sum(1 for operation in OPERATIONS for _ in archive.index(operation, archive.days(operation)))


def disagreements(home: Path) -> list[str]:
    """Return rows of load_status that claim missing rows of the lake or missing responses of the archive."""
    lake, archive = Lake(home / "lake"), Archive(home / "archive")
    if not (home / "state.db").exists():
        return []
    state = State(f"sqlite:///{home / 'state.db'}")
    found = []
    try:
        complete = {o: complete_sequences(archive.index(o, archive.days(o))) for o in OPERATIONS}
        for table in CHOSEN:
            for s in read_load_status(state, table=table):
                if s.status is not Outcome.LOADED:
                    continue
                if not complete.get(s.operation):
                    found.append(f"{s} without an answer")
                partition = lake.partition(table, s.dt)
                rows = [] if partition is None else lake.read(table, s.dt).to_pylist()
                mine = [
                    r
                    for r in rows
                    if r["source"] == s.operation
                    and r["client_key"] == s.client_key
                    and r.get("open_id", "") == s.open_id
                ]
                if len(mine) != s.rows:
                    found.append(f"{s} but {len(mine)} rows")
    finally:
        state.close()
    return found


class Watch:
    """Record how many calls had arrived when, to find those within the last flush before a kill."""

    def __init__(self, place: Place) -> None:
        self._place, self._seen, self._stop = place, [(time.monotonic(), place.data_calls())], threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self._seen.append((time.monotonic(), self._place.data_calls()))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def since(self, moment: float) -> int:
        before = max((n for t, n in self._seen if t <= moment), default=self._seen[0][1])
        return self._place.data_calls() - before


class Trials:
    """Days that are killed and compared with an undisturbed one."""

    def __init__(self, place: Place, numbers: Numbers, lock: threading.Lock) -> None:
        self.place, self.numbers, self._lock = place, numbers, lock
        place.control.delete("/stats")
        began = time.monotonic()
        home = place.new_home("undisturbed")
        self.wanted = place.finish(home)
        self.took = time.monotonic() - began
        self.calls = place.data_calls()
        assert archived(home) == self.calls > 30, (
            archived(home),
            self.calls,
            place.control.get("/stats").json()["operations"].keys(),
        )
        assert leftovers(home) == []
        assert disagreements(home) == []
        numbers.calls = self.calls

    def run(self, name: str, kills: list[Any]) -> None:
        """Run one day: a start and a kill for each of ``kills``, then a start that may finish.

        Kills are at so many seconds or at a named step.
        """
        place, home = self.place, self.place.new_home(name)
        place.control.delete("/stats")
        reported, late, promised, disagreeing = Counter(), 0, 0, []
        for kill in kills:
            with Watch(place) as watch:
                ended = self._kill_at(home, kill) if isinstance(kill, float) else self._kill_in(home, kill)
                promised += watch.since(ended - FLUSH_S - scaled(SLACK_S)) + CONCURRENCY if ended else 0
            reported["at random" if isinstance(kill, float) else f"{kill[2]} {kill[0]}"] += 1
            late += ended is None
            disagreeing += disagreements(home)
        found = place.finish(home)
        asked_again = place.data_calls() - self.calls
        lost, doubled = self.wanted.rows - found.rows, found.rows - self.wanted.rows
        with self._lock:
            n = self.numbers
            n.trials, n.kills, n.too_late = n.trials + 1, n.kills + reported, n.too_late + late
            n.lost, n.doubled = n.lost + lost.total(), n.doubled + doubled.total()
            n.lakes_differing += found.lake != self.wanted.lake
            n.leftovers += len(leftovers(home))
            n.disagreements += len(disagreeing)
            n.asked_again, n.promised = n.asked_again + asked_again, n.promised + promised
        assert lost == doubled == Counter(), (name, lost, doubled)
        assert found.lake == self.wanted.lake, (
            name,
            sorted(
                k for k in found.lake.keys() | self.wanted.lake.keys() if found.lake.get(k) != self.wanted.lake.get(k)
            ),
        )
        assert found.published == self.wanted.published, name
        assert found.statuses == self.wanted.statuses, name
        assert leftovers(home) == [], name
        assert disagreeing == [], name
        assert archived(home) - self.calls <= asked_again <= promised, (name, asked_again, promised)
        shutil.rmtree(home)

    def _kill_at(self, home: Path, seconds: float) -> float | None:
        """Kill the whole group with SIGKILL after so long; return the instant, or None if the work was done before."""
        child = self.place.start(home)
        time.sleep(seconds)
        moment = time.monotonic()
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        code = self.place.wait()
        assert code in (0, -signal.SIGKILL), f"exit code {code}: {self.place._words()}"
        return moment if code else None

    def _kill_in(self, home: Path, step: tuple[str, int, str]) -> float:
        self.place.start(home, step)
        code = self.place.wait()
        assert code == -signal.SIGKILL, f"{step} did not come: exit code {code}: {self.place._words()}"
        return time.monotonic()

    def random_kills(self, rng: random.Random, number: int) -> list[float]:
        """Return instants over the length of a whole day's work; later starts have less to do."""
        return [rng.uniform(0.02, 1.0) * self.took * (0.9**n) for n in range(number)]
