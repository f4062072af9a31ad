"""Other hazards of a run.

A polite end, a full disk, a folder that cannot be written, a second run, midnight, a reader that stays.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import children
import duckdb
import pytest
from installation import TODAY
from patience import scaled

from apps.cli.develop import environment
from catalog import TABLES
from catalog.records import beijing_day
from resources.config.clock import Clock
from resources.state.load_status import Outcome

SOME = "hot_words,videos,item_play,user_fans"
ROOT = Path(__file__).parents[2]


def douyin(world, *words: str, **more: str) -> subprocess.Popen:
    """Start the command over a world's home, in a session of its own; it is killed after the test."""
    world.runtime.close()
    settings = {k: v for k, v in environment(world.runtime.settings).items() if k.startswith("DOUYIN_")}
    here = (
        {"PATH": os.environ["PATH"], "HOME": str(world.home), "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
        | settings
        | more
    )
    return children.start(
        [sys.executable, "-m", "apps.cli.main", *words],
        env=here,
        cwd=world.home.parent,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_for_calls(world, number: int) -> None:
    deadline = time.monotonic() + scaled(60)
    while world.calls() < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def slow_world(make_world):
    """A platform with slow responses, so that a run lasts."""
    return make_world(
        platform={"accounts": 3, "videos": 40, "latency_ms": 60},
        concurrency=2,
        flush_s=1.0,
        start_date=date(2026, 11, 1),
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_end_is_quick_clean_and_goes_on_later(slow_world, number: signal.Signals):
    run = douyin(slow_world, "run", "--select", SOME)
    wait_for_calls(slow_world, 12)
    began = time.monotonic()
    run.send_signal(number)
    said = run.communicate(timeout=scaled(30))[0]
    assert time.monotonic() - began < scaled(5)
    assert run.returncode != 0, said
    answered = slow_world.calls()
    slow_world.open()
    kept = sum(len(slow_world.archived(o)) for o in ("hotsearch_sentences", "video_list", "item_play", "user_fans"))
    under_way = 2
    tokens = 2
    assert kept >= answered - under_way - tokens, "what was answered is kept, though the flush was not due"
    again = douyin(slow_world, "run", "--select", SOME)
    said = again.communicate(timeout=scaled(120))[0]
    assert again.returncode == 0, said
    requested = slow_world.requested("item_play")
    assert sum(n - 1 for n in requested.values()) <= under_way


def test_a_full_disk_stops_plainly_and_loses_nothing(world, tmp_path):
    """The smallest possible file system: data that fits is saved, and with free space the run continues."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(small)], check=False, capture_output=True
    ).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        world.ingest("videos")
        world.clear()
        archive = world.runtime.archive
        shutil.copytree(archive.root, small / "archive")
        world.runtime.close()
        archive.root.rename(tmp_path / "archive.before")
        archive.root.symlink_to(small / "archive")
        world.open()
        (small / "ballast").write_bytes(b"x" * (96 * 1024))
    except OSError:
        pass  # the disk is full
    try:
        with pytest.raises(OSError, match="No space left"):
            world.ingest("user_fans")
        assert [p for p in small.rglob("*") if p.name.endswith(".tmp")] == [], "nothing half-written stays"
        assert not world.runtime.lake.path("user_fans", TODAY).exists()
        (small / "ballast").unlink()
        calls = world.calls("user_fans")
        world.ingest("user_fans")
        assert world.calls("user_fans") == calls, "answers wait in memory until they can be written"
        world.runtime.close()
        world.open()
        assert world.ingest("user_fans").calls == 0
    finally:
        world.runtime.close()
        subprocess.run(["umount", str(small)], check=False)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["lake", "archive"])
def test_a_folder_that_cannot_be_written_is_named(world, where: str):
    """A file stands in place of the folder, since root may write everywhere else."""
    world.ingest("videos")
    root = world.runtime.settings.home / where
    shutil.move(root, root.with_name("moved"))
    root.write_text("in the way")
    run = douyin(world, "run", "--select", "user_fans")
    said = run.communicate(timeout=scaled(60))[0]
    assert run.returncode == 1
    assert str(root) in said
    root.unlink()
    shutil.move(root.with_name("moved"), root)
    again = douyin(world, "run", "--select", "user_fans")
    said = again.communicate(timeout=scaled(60))[0]
    assert again.returncode == 0, said
    world.open()
    assert world.runtime.lake.days("user_fans")


@pytest.mark.slow
def test_two_runs_of_the_same_day_request_once(slow_world):
    runs = [douyin(slow_world, "run", "--select", SOME) for _ in range(2)]
    said = [r.communicate(timeout=scaled(180))[0] for r in runs]
    assert [r.returncode for r in runs] == [0, 0], said
    for operation in ("hotsearch_sentences", "video_list", "item_play", "user_fans"):
        requested = slow_world.requested(operation)
        assert requested
        assert set(requested.values()) == {1}, operation
    slow_world.open()
    files = slow_world.lake_files()
    slow_world.ingest("user_fans")
    assert slow_world.lake_files() == files


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far, in all its threads."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads CPU times in /proc")
def test_a_run_that_waits_for_a_pool_is_idle_ends_on_a_signal_and_goes_on_when_it_is_free(world):
    import dagster as dg

    pool, home = TABLES["user_fans"].domain, prepared(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        with dg.DagsterInstance.get() as instance:
            storage = instance.event_log_storage
            storage.initialize_concurrency_limit_to_default(pool)
            assert storage.claim_concurrency_slot(pool, "holder", "step").is_claimed

            def waiting() -> subprocess.Popen:
                run = douyin(world, "run", "--select", "user_fans")
                deadline = time.monotonic() + scaled(60)
                while not [s for s in storage.get_concurrency_info(pool).pending_steps if s.run_id != "holder"]:
                    assert run.poll() is None, run.communicate(timeout=scaled(30))[0]
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                return run

            reported = waiting()
            time.sleep(1)
            before = cpu_s(reported.pid)
            time.sleep(2)
            assert cpu_s(reported.pid) - before < 0.6, "Dagster's own way of waiting takes a whole core"
            began = time.monotonic()
            reported.send_signal(signal.SIGTERM)
            said = reported.communicate(timeout=scaled(30))[0]
            assert time.monotonic() - began < scaled(5)
            assert reported.returncode != 0, said
            assert storage.get_concurrency_run_ids() == {"holder"}, "it stands in no line any more"

            patient = waiting()
            storage.free_concurrency_slot_for_step("holder", "step")
            said = patient.communicate(timeout=scaled(60))[0]
            assert patient.returncode == 0, said
    world.open()
    assert world.runtime.lake.days("user_fans")


def prepared(world) -> Path:
    """A world's Dagster home, as its first run makes it."""
    from pipelines.home import prepare_dagster_home

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        return prepare_dagster_home(world.runtime.settings)


def test_a_second_run_of_a_table_waits_and_says_so(world, caplog):
    world.ingest("videos")
    with ThreadPoolExecutor(1) as pool:
        with world.runtime.filling("user_fans"):
            second = pool.submit(world.ingest, "user_fans")
            deadline = time.monotonic() + scaled(20)
            while "is being filled by another run" not in caplog.text:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert not second.done()
            assert world.calls("user_fans") == 0
        assert second.result(timeout=scaled(30)).missing == []


def test_midnight_in_beijing_during_a_run(world):
    """The clock passes midnight after some calls: no row lands under a day on which it was not observed."""
    before, after = datetime(2026, 11, 16, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 16, 16, 0, 1, tzinfo=UTC)
    world.at("2026-11-16T23:59:59+08:00")
    world.restart(concurrency=1)
    started = world.calls("video_list")
    world.runtime.set_clock(Clock(lambda: after if world.calls("video_list") - started > 3 else before))
    done = world.ingest("videos", TODAY)
    rows = world.rows("videos", TODAY)
    assert {beijing_day(r["observed_at"]) for r in rows} == {TODAY}
    assert len({r["open_id"] for r in rows}) == 1
    outcomes = Counter(str(s.status) for s in done.statuses if s.operation == "video_list")
    assert outcomes == {"loaded": 1, "failed": 2}
    assert all("the day ended" in s.reason for s in done.statuses if s.status is Outcome.FAILED)
    assert world.calls("video_list") - started <= 6, "the next day is not requested by yesterday's run"
    assert not world.runtime.lake.path("videos", TODAY + timedelta(days=1)).exists()

    world.at("2026-11-17T00:00:05+08:00")
    world.ingest("videos", TODAY + timedelta(days=1))
    assert len({r["open_id"] for r in world.rows("videos", TODAY + timedelta(days=1))}) == 3
    assert world.rows("videos", TODAY) == rows


@pytest.mark.slow
def test_a_reader_that_stays_sees_one_state_and_stops_nothing(world):
    world.ingest("user_fans")
    world.runtime.warehouse.publish()
    question = "SELECT count(*), sum(total_fans) FROM user_fans"
    with duckdb.connect(str(world.runtime.warehouse.path), read_only=True) as reader:
        first = reader.execute(question).fetchone()
        for day in (17, 18, 19):
            world.at(f"2026-11-{day}T11:00:00+08:00")
            world.ingest("user_fans", date(2026, 11, day - 1))
            assert world.runtime.warehouse.publish().changed
            assert reader.execute(question).fetchone() == first
    with world.runtime.warehouse.connect() as fresh:
        assert fresh.execute(question).fetchone()[0] == 4 * first[0]


@pytest.mark.slow
def test_a_killed_run_does_not_stop_the_sensor_or_the_next_run(slow_world):
    import dagster as dg

    from pipelines.definitions import build_definitions
    from pipelines.runner import Runner

    run = douyin(slow_world, "run", "--select", SOME)
    wait_for_calls(slow_world, 12)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=scaled(60))
    slow_world.open()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(slow_world.home / "dagster"))
        with dg.DagsterInstance.get() as instance:
            assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])) == 1
            assert not slow_world.runtime.warehouse.is_current()
            definitions = build_definitions(slow_world.runtime, slow_world.runtime.settings)
            with dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def()) as context:
                tick = definitions.resolve_sensor_def("publish_after_runs").evaluate_tick(context)
            assert len(tick.run_requests) == 1, "a dead run is no run that writes"
            assert instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])) == 1
            assert instance.event_log_storage.get_concurrency_run_ids() == set()
        with Runner(slow_world.runtime) as runner:
            assert runner._instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])) == 0
            assert runner.run("daily_snapshot", TODAY, ["videos"]).success
