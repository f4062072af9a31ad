"""Pools over several processes have one holder at a time.

A waiting step gets the slot however the holder before it ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import children
import dagster as dg
import pytest
from patience import scaled

from pipelines.dagster_compat import storage as compat_storage
from pipelines.home import prepare_dagster_home
from resources.storage.atomic import RUN_PROCESS, is_alive, this_process

POOL = "fans"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    monkeypatch.setattr(compat_storage, "_CLAIM_PAUSE_S", 0.001)
    return prepare_dagster_home(SimpleNamespace(home=tmp_path, dagster_stock=[]))


@pytest.fixture
def instance(home):
    with dg.DagsterInstance.get() as instance:
        instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
        yield instance


@pytest.fixture
def storage(instance):
    return instance.event_log_storage


def test_who_waits_gets_the_slot_of_a_holder_that_went_while_it_joined_the_queue(storage, monkeypatch):
    """Dagster's own storage leaves it in the queue for ever: the slot is free, and no process passes it on."""
    assert storage.claim_concurrency_slot(POOL, "first", "step").is_claimed
    join = storage.add_pending_step

    def join_late(*words, **more) -> None:
        storage._free_concurrency_slots(run_id="first")
        storage._remove_pending_steps(run_id="first")
        join(*words, **more)

    monkeypatch.setattr(storage, "add_pending_step", join_late)
    assert storage.claim_concurrency_slot(POOL, "second", "step").is_claimed


def test_who_waits_gets_the_slot_of_a_holder_that_was_killed_while_it_left(storage):
    """A slot is freed, its line in the queue removed and the next one called in three transactions."""
    assert storage.claim_concurrency_slot(POOL, "first", "step").is_claimed
    waiting = storage.claim_concurrency_slot(POOL, "second", "step")
    assert (waiting.is_claimed, waiting.sleep_interval) == (False, 0.0)
    storage._free_concurrency_slots(run_id="first")
    storage._remove_pending_steps(run_id="first")
    assert storage.claim_concurrency_slot(POOL, "second", "step").is_claimed


def test_who_waits_looks_whether_the_holder_was_killed(instance, storage, monkeypatch):
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        tag = this_process().replace(f"-{os.getpid()}-", f"-{holder.pid}-").rpartition("-")[0] + "-0"
        run = dg.DagsterRun(
            job_name="job", run_id=str(uuid.uuid4()), tags={RUN_PROCESS: tag}, status=dg.DagsterRunStatus.STARTED
        )
        instance.add_run(run)
        assert storage.claim_concurrency_slot(POOL, run.run_id, "step").is_claimed
        monkeypatch.setattr(compat_storage, "_LOOK_FOR_THE_DEAD_S", 0.0)
        for _ in range(3):
            assert not storage.claim_concurrency_slot(POOL, "second", "step").is_claimed
        assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.STARTED
    finally:
        holder.kill()
        holder.communicate(timeout=scaled(30))
    assert not is_alive(holder.pid)
    storage.claim_concurrency_slot(POOL, "second", "step")
    assert storage.claim_concurrency_slot(POOL, "second", "step").is_claimed
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE


def test_an_interrupt_ends_waiting(storage, monkeypatch):
    """While it waits Dagster only records signals: a run would continue to wait."""
    assert storage.claim_concurrency_slot(POOL, "first", "step").is_claimed
    monkeypatch.setattr(compat_storage, "check_captured_interrupt", lambda: True)
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        storage.claim_concurrency_slot(POOL, "second", "step")


def test_a_pool_has_one_holder_however_many_claim_it_at_once(instance):
    """Each with a storage of its own, as processes have: Dagster's own reads and takes a slot in two steps."""
    open_now, most, turns = [], [], []

    def work(number: int) -> None:
        with ExitStack() as stack:
            mine = stack.enter_context(dg.DagsterInstance.get()).event_log_storage
            for turn in range(5):
                while not mine.claim_concurrency_slot(POOL, f"run{number}", f"step{turn}").is_claimed:
                    pass
                open_now.append(number)
                most.append(len(open_now))
                turns.append(number)
                open_now.remove(number)
                mine.free_concurrency_slot_for_step(f"run{number}", f"step{turn}")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, n) for n in range(4)]:
            done.result(timeout=scaled(60))
    assert max(most) == 1
    assert len(turns) == 20


_MAKE_HOMES = """
import os, sys, time
from pathlib import Path
import dagster as dg

for home in sys.argv[2:]:
    os.environ["DAGSTER_HOME"] = home
    Path(home, f"ready-{sys.argv[1]}").touch()
    while len(list(Path(home).glob("ready-*"))) < 3:
        time.sleep(0.0005)
    with dg.DagsterInstance.get() as instance:
        assert not instance.get_runs()
"""


@pytest.mark.slow
def test_processes_that_make_a_home_at_the_same_moment_share_it(tmp_path, monkeypatch):
    """Each storage creates its missing tables: all of them but one would fail."""
    monkeypatch.setenv("DAGSTER_HOME", "restored after the test")
    homes = [str(prepare_dagster_home(SimpleNamespace(home=tmp_path / str(n), dagster_stock=[]))) for n in range(4)]
    makers = [
        children.start(
            [sys.executable, "-c", _MAKE_HOMES, str(n), *homes],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    said = [maker.communicate(timeout=scaled(120))[1] for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0, 0], said


def test_observations_are_found_with_the_asset_as_dagster_s_own_queries_find_them(instance, storage):
    """Dagster queries each input that was never materialised for its version; here one query covers all."""
    made, seen, wiped, never = map(dg.AssetKey, ("made", "seen", "wiped", "never"))
    for key in (made, seen, wiped):
        for n in range(3):
            instance.report_runless_asset_event(dg.AssetObservation(key, metadata={"n": n}))
    instance.report_runless_asset_event(dg.AssetMaterialization(made))
    instance.wipe_assets([wiped])
    reported = {
        r.asset_entry.asset_key: r.asset_entry.last_observation_record
        for r in storage.get_asset_records([made, seen, wiped, never])
    }
    (own,) = instance.fetch_observations(seen, limit=1).records
    assert reported[seen] == own
    assert own.asset_observation.metadata["n"].value == 2
    assert reported.get(wiped) is None
    assert reported[made] is None  # its data version records its inputs
    assert never not in reported
    instance.report_runless_asset_event(dg.AssetObservation(wiped, metadata={"n": 4}))
    (again,) = storage.get_asset_records([wiped])
    assert again.asset_entry.last_observation_record.asset_observation.metadata["n"].value == 4
