"""The replay job, launched with days and tables, replaces changed partitions and marks them as materialised.

It makes no requests.
"""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from installation import TODAY, YESTERDAY

pytestmark = pytest.mark.filterwarnings("ignore:Parameter .backfill_policy. of function")
TABLES = ("hot_words", "user_fans", "fans_profile")


def replay(orchestra, **config):
    from pipelines.runner import _QUIET

    job = orchestra.runner.repository.get_job("replay_job")
    given = {"tables": list(TABLES), "first": YESTERDAY.isoformat(), "last": TODAY.isoformat()} | config
    run_config = {"ops": {"replay_partitions": {"config": given}}} | _QUIET
    return job.execute_in_process(instance=orchestra.instance, run_config=run_config, raise_on_error=False)


def metadata_of(result) -> dict:
    import dagster as dg

    handled = next(e for e in result.all_events if e.is_successful_output)
    return {
        k: v.records if isinstance(v, dg.TableMetadataValue) else v.value
        for k, v in handled.event_specific_data.metadata.items()
    }


@pytest.mark.slow
def test_days_are_replayed_without_a_call(orchestra):
    world = orchestra.world
    for table in TABLES:
        world.ingest(table)
    before = world.lake_files()
    shutil.rmtree(world.runtime.lake.root)
    world.clear()
    looked = replay(orchestra, dry_run=True)
    assert looked.success
    assert metadata_of(looked)["days_changed"] == 3
    assert (world.lake_files(), orchestra.partitions("hot_words")) == ({}, set())

    done = replay(orchestra)
    assert done.success
    assert (world.lake_files(), world.calls()) == (before, 0)
    reported = metadata_of(done)
    assert (reported["calls"], reported["days_changed"], reported["days_left_alone"]) == (0, 3, 0)
    assert reported["rows_changed"]["added"] == 50 + 3 + 3
    assert {r.data["table"]: (r.data["day"], r.data["added"], r.data["note"]) for r in reported["changes"]} == {
        "hot_words": ("2026-11-16", 50, "new"),
        "user_fans": ("2026-11-15", 3, "new"),
        "fans_profile": ("2026-11-16", 3, "new"),
    }
    assert orchestra.partitions("hot_words") == {"2026-11-16"}
    assert orchestra.partitions("user_fans") == {"2026-11-15"}
    assert orchestra.metadata("user_fans", YESTERDAY)["changed"] == "3 added"
    assert world.runtime.warehouse.is_current()

    again = metadata_of(replay(orchestra))
    assert (again["days_changed"], again["rows_changed"]["unchanged"]) == (0, 56)


def test_a_day_without_archive_is_reported_and_left_alone(orchestra):
    world = orchestra.world
    world.ingest("hot_words")
    before = world.lake_files()
    shutil.rmtree(world.runtime.archive.root / "hotsearch_sentences")
    done = replay(orchestra, tables=["hot_words"])
    reported = metadata_of(done)
    assert done.success
    assert (reported["days_left_alone"], reported["changes"][0].data["note"]) == (
        1,
        "the archive knows nothing of that day",
    )
    assert (world.lake_files(), orchestra.partitions("hot_words")) == (before, set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"tables": ["nonsense"]}, "no such tables: nonsense"),
        ({"first": "yesterday"}, "days such as"),
        (
            {"last": (TODAY + timedelta(days=1)).isoformat()},
            "choose days from DOUYIN_START_DATE=2026-11-01 to today, 2026-11-16",
        ),
    ],
)
def test_what_cannot_be_meant_fails_plainly(orchestra, config: dict, said: str):
    done = replay(orchestra, **config)
    assert not done.success
    failure = next(e for e in done.all_events if e.is_step_failure).step_failure_data
    assert said in failure.user_failure_data.description
