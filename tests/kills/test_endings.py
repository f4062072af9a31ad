"""A process that gets a signal, and one that ends by itself: soon, with all data saved, without a later publication."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import children
import pytest
from installation import TODAY
from patience import scaled

from apps.cli.develop import environment
from catalog import ENDPOINTS
from resources.state.limits import quota_day
from resources.storage.archive import Archive

ROOT = Path(__file__).parents[2]
LIMIT_S = 5.0

LEFT_OPEN = """
from datetime import date
from catalog import ENDPOINTS
from resources.client.recorder import SEQUENCE, Sequence
from resources.runtime import Runtime
from resources.config.settings import Settings
from resources.config.clock import Clock

runtime = Runtime(Settings(_env_file=None))
client = runtime.client(runtime.app_keys[0])
sequence = Sequence(runtime.clock.now(), {})
runtime.run(client.fetch(ENDPOINTS["billboard_live"], {}, archive_as={SEQUENCE: sequence}))
lane = client._limiter._lane(ENDPOINTS["billboard_live"].quota)
lane.waiting += 1
runtime.run(client._limiter._reserve(lane))  # counted and not called, as where a breaker opened meanwhile
assert lane.credits == 1
print("ends")
"""

STUCK = """
import os, signal, sys, threading, time
from resources import shutdown

shutdown.GRACE_S = 0.5
saved = []
with shutdown.heard(lambda: print("saved", flush=True)):
    threading.Timer(0.2, os.kill, (os.getpid(), getattr(signal, sys.argv[1]))).start()
    while True:
        try:
            time.sleep(60)
        except BaseException:
            print("lost", flush=True)
"""

REQUESTED = """
import os, signal
from resources import shutdown

with shutdown.heard():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        pass  # as in a library that turns it into an error of its own
    for _ in range(2):
        try:
            shutdown.check(5)
        except KeyboardInterrupt:
            print("no further")
"""


def python(script: str, *words: str, env: dict | None = None) -> subprocess.CompletedProcess:
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | (env or {})
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        env=here,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(60),
    )


def settings_of(world) -> dict[str, str]:
    return {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")}


def test_a_process_that_just_ends_keeps_its_last_answers_and_gives_back_what_it_did_not_call(world):
    world.runtime.close()
    ended = python(
        LEFT_OPEN,
        env=settings_of(world) | {"DOUYIN_FLUSH_S": "1000", "HOME": str(world.home), "DOUYIN_PER_DAY": "1000"},
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ends\n", "")
    world.open()
    archive: Archive = world.runtime.archive
    assert len(list(archive.index("billboard_live", [TODAY]))) == 1
    assert quota_day(world.runtime.state, world.config.client_key, ENDPOINTS["billboard_live"].quota, TODAY).calls == 1


def test_each_step_of_closing_runs_whatever_the_one_before_did(world, monkeypatch):
    world.ingest("hot_words")
    runtime = world.runtime
    (client,) = runtime._clients.values()
    disposed = []
    monkeypatch.setattr(runtime.state.engine, "dispose", lambda: disposed.append(True))

    async def fails(*_: object) -> None:
        raise OSError("no end")

    monkeypatch.setattr(type(client), "__aexit__", fails)
    loop = runtime._loop
    with pytest.raises(OSError, match="no end"):
        runtime.close()
    monkeypatch.undo()
    assert disposed == [True]
    deadline = time.monotonic() + scaled(10)
    while loop.is_running():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not {"archive", "state", "_loop"} & runtime.__dict__.keys()
    assert runtime._clients == {}


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_whoever_does_not_hear_the_signal_is_cut_off(name: str, code: int):
    began = time.monotonic()
    ended = python(STUCK, name)
    assert time.monotonic() - began < LIMIT_S + scaled(5)
    assert ended.returncode == code
    assert sorted(ended.stdout.split()) == ["lost", "saved"]
    assert ended.stderr == ""


def test_what_lost_the_interrupt_goes_no_further():
    ended = python(REQUESTED)
    assert ended.stdout == "no further\nno further\n"
    assert ended.returncode != 0


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_run_that_is_terminated_at_any_instant_ends_and_publishes_nothing(make_world, tmp_path):
    """Most signals arrive during its marts: everything is fetched, and no mart is built."""
    world = make_world(platform={"accounts": 2, "videos": 20})
    settings = settings_of(world)
    world.runtime.close()
    draw = random.Random(20)
    number = int(os.environ.get("ENDINGS", "6"))

    def start(home: Path) -> subprocess.Popen:
        here = (
            {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
            | settings
            | {"DOUYIN_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
        )
        return children.start(
            [
                sys.executable,
                "-m",
                "apps.cli.main",
                "run",
                "--select",
                "hot_words,videos,video_totals,comments,user_fans",
            ],
            env=here,
            cwd=tmp_path,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    first = start(world.home)
    said = first.communicate(timeout=scaled(600))[0]
    assert first.returncode in (0, 1), said
    shutil.rmtree(world.home / "lake" / "marts")
    (world.home / "warehouse.duckdb").unlink()
    began = time.monotonic()
    again = tmp_path / "undisturbed"
    shutil.copytree(world.home, again)
    run = start(again)
    run.communicate(timeout=scaled(600))
    lasts = time.monotonic() - began
    waits = []
    for n in range(number):
        home = tmp_path / f"home{n}"
        shutil.copytree(world.home, home)
        run = start(home)
        time.sleep(lasts * draw.uniform(0.05, 0.98))
        published = home / "warehouse.duckdb"
        there = published.exists()
        reported = time.monotonic()
        run.send_signal(draw.choice([signal.SIGTERM, signal.SIGINT]))
        said = run.communicate(timeout=scaled(60))[0]
        waits.append(time.monotonic() - reported)
        assert waits[-1] < scaled(LIMIT_S), said
        assert "Traceback" not in said
        if not there and published.exists():
            assert published.stat().st_mtime <= time.time() - waits[-1] + 0.5, "published after the signal to end"
        shutil.rmtree(home)
    print(f"{number} ends within {max(waits):.1f} s (a run lasts {lasts:.1f} s): {sorted(round(w, 1) for w in waits)}")
