"""Real Dagster runs over real HTTP: which rows land, and what the UI shows about them."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest
from installation import TODAY, YESTERDAY

from assets.checks import check_specs
from catalog import ENDPOINTS, TABLES, endpoints_of
from catalog.records import History
from pipelines.jobs.tables import JOB_NAMES
from resources.state.load_status import Outcome, read_load_status

pytestmark = pytest.mark.filterwarnings("ignore:Parameter .backfill_policy. of function")


def partition_of(table: str) -> date:
    return YESTERDAY if TABLES[table].history is History.WINDOW else TODAY


# --------------------------------------------------------------------------- a day in good weather


SOME = (
    "hot_words",
    "hot_words_rising",
    "hot_word_videos",
    "billboard_music",
    "videos",
    "video_totals",
    "fans_profile",
    "fans_distributions",
    "item_base",
    "item_play",
    "user_fans",
    "comments",
    "comment_reads",
    "lead_ids",
    "leads",
    "ent_rank_versions",
    "ent_ranks",
    "webhook_events",
    "im_messages",
)
"""The short form: tables of every kind and every job."""
ALL = tuple(TABLES)
GOOD_DAYS = [pytest.param(SOME, id="some"), pytest.param(ALL, id="all", marks=pytest.mark.slow)]
good_days = pytest.mark.parametrize("good_day", GOOD_DAYS, indirect=True)


@good_days
def test_the_jobs_of_a_day_succeed(good_day):
    _, ran, _ = good_day
    assert {name: (r.success, r.problems) for name, r in ran.items()} == dict.fromkeys(JOB_NAMES, (True, {}))


@pytest.mark.parametrize(
    ("good_day", "table"),
    [
        *(pytest.param(SOME, table, id=f"some-{table}") for table in SOME),
        *(pytest.param(ALL, table, id=f"all-{table}", marks=pytest.mark.slow) for table in ALL),
    ],
    indirect=["good_day"],
)
def test_every_table_is_materialised_and_reported(good_day, table: str):
    orchestra, ran, _ = good_day
    world, dt = orchestra.world, partition_of(table)
    assert orchestra.partitions(table) == {dt.isoformat()}

    reported = orchestra.metadata(table, dt)
    rows = world.read(table, dt).num_rows
    assert reported["dagster/partition_row_count"] == rows > 0
    assert (reported["quarantined"], reported["unknown_members"], reported["changed"]) == (0, [], f"{rows:,} added")
    statuses = read_load_status(world.runtime.state, table=table, dts=[dt])
    assert sum(reported["outcomes"].values()) == len(statuses)
    assert reported["calls"] == sum(s.calls for s in statuses)
    # A private video, and an account that is no enterprise account, are reported; there is no other problem.
    assert sum(reported["codes"].values()) == reported["calls"]
    assert set(reported["codes"]) <= {"0", "28001047", "2112001"}
    assert "failures" not in reported

    run_id = ran[endpoints_of(table)[0].cadence.name].run_id
    checks = orchestra.checks(run_id, table)
    assert {name: c.passed for name, c in checks.items()} == {c.name: True for c in check_specs(TABLES[table])}
    assert checks["valid"].metadata["rows"].value == rows
    assert checks["complete"].metadata["outcomes"].value == reported["outcomes"]


@good_days
def test_the_calls_of_the_runs_are_those_that_the_platform_counted(good_day):
    orchestra, _, _ = good_day
    requested: dict[str, int] = {}
    for table in TABLES:
        for reported in read_load_status(orchestra.world.runtime.state, table=table, dts=[partition_of(table)]):
            requested[reported.operation] = requested.get(reported.operation, 0) + reported.calls
    served = {name: o["requests"] for name, o in orchestra.world.stats()["operations"].items() if name in ENDPOINTS}
    assert {name: n for name, n in requested.items() if n} == served


@good_days
def test_each_job_published_what_it_landed(good_day):
    orchestra, ran, tables = good_day
    with orchestra.world.runtime.warehouse.connect() as connection:
        for table in tables:
            rows = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            assert rows == orchestra.world.read(table, partition_of(table)).num_rows, table
        status = connection.execute("SELECT count(*), count(DISTINCT table_name) FROM meta.load_status").fetchone()
    assert status[1] == len(tables)
    assert status[0] == sum(
        len(read_load_status(orchestra.world.runtime.state, table=t, dts=[partition_of(t)])) for t in tables
    )
    published = orchestra.instance.fetch_materializations(dg.AssetKey("warehouse"), limit=10).records
    assert {r.event_log_entry.run_id for r in published} == {r.run_id for r in ran.values()}
    said = published[-1].event_log_entry.asset_materialization.metadata
    assert said["rebuilt"].value is True
    assert said["partitions_changed"].value == 3
    assert set(said["changed"].value) == {"hot_words", "hot_words_rising", "hot_word_videos"}
    assert published[0].event_log_entry.asset_materialization.metadata["rebuilt"].value is False


@pytest.mark.slow
def test_a_second_run_of_the_day_requests_nothing_and_changes_nothing(world, orchestrate):
    orchestra = orchestrate(world)
    assert orchestra.run("hourly", TODAY).success
    before, stamp = world.lake_files(), world.runtime.warehouse.path.stat().st_mtime_ns
    world.clear()
    ran = orchestra.run("hourly", TODAY)
    assert ran.success
    assert world.calls() == 0
    assert world.lake_files() == before
    assert world.runtime.warehouse.path.stat().st_mtime_ns > stamp
    reported = orchestra.metadata("hot_words", TODAY)
    assert (reported["calls"], reported["codes"], reported["changed"], reported["dagster/partition_row_count"]) == (
        0,
        {},
        "no change",
        50,
    )


# --------------------------------------------------------------------------- faults


def test_a_failed_account_is_visible_and_the_run_succeeds(orchestra):
    world = orchestra.world
    world.fault("user_fans", "busy", 1, times=None)
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans", "user_like")

    assert (ran.success, ran.problems) == (True, {})
    assert orchestra.partitions("user_fans") == {YESTERDAY.isoformat()}
    reported = orchestra.metadata("user_fans", YESTERDAY)
    assert reported["outcomes"] == {"loaded": 2, "failed": 1}
    assert reported["codes"] == {"0": 2, "28001005": 5}
    (failure,) = reported["failures"].records if hasattr(reported["failures"], "records") else reported["failures"]
    assert (failure.data["operation"], failure.data["open_id"], failure.data["status"], failure.data["code"]) == (
        "user_fans",
        world.accounts[1],
        "failed",
        28001005,
    )
    assert "busy" in failure.data["reason"]
    checks = orchestra.checks(ran.run_id, "user_fans")
    assert {name: c.passed for name, c in checks.items()} == {"valid": True, "fresh": True, "complete": False}
    assert checks["complete"].severity == dg.AssetCheckSeverity.WARN
    assert checks["complete"].description.startswith("{'failed': 1}; first: system busy")
    assert {c.passed for c in orchestra.checks(ran.run_id, "user_like").values()} == {True}


def test_values_in_quarantine_warn(orchestra):
    orchestra.world.fault("video_list", "malformed_row", 1, row=2)
    ran = orchestra.run("daily_snapshot", TODAY, "videos", "video_totals")

    assert ran.success
    of_videos, of_totals = (orchestra.metadata(name, TODAY) for name in ("videos", "video_totals"))
    assert (of_videos["quarantined"], of_videos["values_quarantined"]) == (0, 1)
    assert (of_totals["quarantined"], of_totals["values_quarantined"]) == (0, 0)
    valid = orchestra.checks(ran.run_id, "videos")["valid"]
    assert (valid.passed, valid.severity, valid.description) == (
        False,
        dg.AssetCheckSeverity.WARN,
        "1 values in quarantine",
    )
    assert list(valid.metadata["reasons"].value.values()) == [1]
    assert orchestra.checks(ran.run_id, "video_totals")["valid"].passed


def test_unknown_members_are_named(orchestra):
    orchestra.world.fault("user_fans", "unknown_member", 1)
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans")
    assert orchestra.metadata("user_fans", YESTERDAY)["unknown_members"] == [
        "data.result_list.sandbox_new_column",
        "data.sandbox_new_member",
    ]
    assert {c.passed for c in orchestra.checks(ran.run_id, "user_fans").values()} == {True}


def test_no_token_or_personal_value_is_shown(orchestra):
    world = orchestra.world
    world.fault("video_list", "malformed_row", 1, row=2, **{"as": "text"})
    world.fault("user_fans", "token_dead", 1)
    runs = [orchestra.run("daily_snapshot", TODAY, "videos"), orchestra.run("daily_t1", YESTERDAY, "user_fans")]
    said = "\n".join(str(entry) for ran in runs for entry in orchestra.instance.all_logs(ran.run_id))
    assert "videos" in said
    for secret in ("act.", "clt.", "rft.", "sandbox-secret", "not a row"):
        assert secret not in said, secret


def test_a_run_that_ends_between_its_steps_is_recorded_as_failed(orchestra, monkeypatch):
    """No step failed: `douyin run` once reported nothing and exited with 0."""

    def broken(*words: object) -> None:
        raise OSError("no such pool")

    monkeypatch.setattr(orchestra.instance.event_log_storage, "claim_concurrency_slot", broken)
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans")
    assert not ran.success
    assert ran.problems == {"daily_metrics_job": "OSError: no such pool"}


# --------------------------------------------------------------------------- days that are not had


def test_what_is_not_ready_is_not_materialised_and_no_failure(orchestra):
    world = orchestra.world
    world.at("2026-11-16T09:30:00+08:00")
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans")

    assert (ran.success, ran.problems) == (True, {})
    assert orchestra.partitions("user_fans") == set()
    reported = orchestra.metadata("user_fans", YESTERDAY, observed=True)
    assert reported["not_materialised"] == "3 not_ready: the series ends on 2026-11-14, 2026-11-15 is not produced yet"
    assert reported["outcomes"] == {"not_ready": 3}
    checks = orchestra.checks(ran.run_id, "user_fans")
    assert {name: c.passed for name, c in checks.items()} == {"valid": True, "fresh": False, "complete": True}

    world.at("2026-11-16T15:00:00+08:00")
    assert orchestra.run("daily_t1", YESTERDAY, "user_fans").success
    assert orchestra.partitions("user_fans") == {YESTERDAY.isoformat()}


def test_a_withdrawn_capability_is_visible_and_no_failure(orchestra):
    world = orchestra.world
    world.fault("billboard_live", "capability_offline", times=None)
    ran = orchestra.run("twice_daily", TODAY, "billboard_live", "billboard_stars")
    assert (ran.success, ran.problems) == (True, {})
    assert orchestra.partitions("billboard_live") == set()
    assert orchestra.partitions("billboard_stars") == {TODAY.isoformat()}
    assert orchestra.metadata("billboard_live", TODAY, observed=True)["not_materialised"].startswith("1 unavailable: ")
    assert orchestra.checks(ran.run_id, "billboard_live")["complete"].passed, (
        "what cannot be had is reported by the check of the warehouse"
    )


def test_a_past_snapshot_fails_plainly_and_is_not_materialised(orchestra):
    ran = orchestra.run("hourly", YESTERDAY, "hot_words")
    assert not ran.success
    assert ran.problems == {
        "hot_words": (
            "hot_words 2026-11-15: nothing was archived on that day, and the platform shows only the "
            "present: this day cannot be had any more"
        )
    }
    assert orchestra.partitions("hot_words") == set()
    assert orchestra.world.calls() == 0


def test_when_all_accounts_fail_the_run_fails(orchestra):
    orchestra.world.fault("user_fans", "busy", times=None)
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans", "user_like")
    assert not ran.success
    assert ran.problems.keys() == {"user_fans"}
    assert ran.problems["user_fans"].startswith("user_fans 2026-11-15: 3 failed: system busy")
    assert orchestra.partitions("user_fans") == set()
    assert orchestra.partitions("user_like") == {YESTERDAY.isoformat()}


def test_what_has_nothing_to_iterate_over_says_so(make_world, orchestrate):
    orchestra = orchestrate(make_world(authorize=False))
    ran = orchestra.run("daily_t1", YESTERDAY, "user_fans", "item_play")
    assert (ran.success, ran.problems) == (True, {})
    for table in ("user_fans", "item_play"):
        assert orchestra.partitions(table) == set()
        assert "no account is authorised" in orchestra.metadata(table, YESTERDAY, observed=True)["not_materialised"]


def test_what_could_have_been_loaded_and_was_not_fails(orchestra):
    ran = orchestra.run("daily_t1", YESTERDAY, "item_play")
    assert not ran.success
    assert ran.problems == {"item_play": "item_play: today's `videos` are not loaded: materialise `videos` first"}


def test_accounts_without_young_videos_are_no_failure(make_world, orchestrate):
    world = make_world(platform={"videos": 1, "seed": 5, "accounts": 1})
    orchestra = orchestrate(world)
    assert orchestra.run("daily_snapshot", TODAY, "videos").success
    world.at("2027-06-01T11:00:00+08:00")  # the list is old by then, and so are its videos
    from assets.tables import _only_waiting, why_missing

    day = date(2027, 5, 31)
    done = world.ingest("item_play", day)
    assert [s.status for s in done.statuses] == [Outcome.EMPTY]
    assert _only_waiting(done)
    assert why_missing(done, day) == "1 empty: no video of the last 30 days"


# --------------------------------------------------------------------------- ranges


def test_a_range_of_a_series_is_one_call_per_account_and_fills_every_day(orchestra):
    world = orchestra.world
    first = YESTERDAY - timedelta(days=13)
    result = orchestra.run_range("daily_t1", first, YESTERDAY, "user_fans")
    assert result.success
    days = {(first + timedelta(days=n)).isoformat() for n in range(14)}
    assert orchestra.partitions("user_fans") == days
    assert {d.isoformat() for d in world.runtime.lake.days("user_fans")} == days
    assert world.calls("user_fans") == 3
    assert all("date_type=15&" in key for key in world.requested("user_fans"))
    for day in days:
        reported = orchestra.metadata("user_fans", date.fromisoformat(day))
        assert reported["dagster/partition_row_count"] == 3, "rows of this day, not of the range"
        assert (reported["calls"], reported["outcomes"]) == (3, {"loaded": 3})
    checks = orchestra.checks(result.run_id, "user_fans")
    assert {name: c.passed for name, c in checks.items()} == {c.name: True for c in check_specs(TABLES["user_fans"])}
    assert checks["valid"].metadata["rows"].value == 42


def test_a_range_marks_only_the_days_that_could_be_had(orchestra):
    world = orchestra.world
    first = TODAY - timedelta(days=15)
    world.at("2026-12-03T11:00:00+08:00")  # 32 days later: the window reaches back to 2026-11-03
    result = orchestra.run_range("daily_t1", first, first + timedelta(days=4), "user_fans")
    assert not result.success
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    said = failed.step_failure_data.user_failure_data.description
    assert said == (
        "user_fans 2026-11-01 … 2026-11-02: 3 failed: older than the platform's window of 30 days and "
        "not in the archive"
    )
    assert orchestra.partitions("user_fans") == {"2026-11-03", "2026-11-04", "2026-11-05"}
    assert {d.isoformat() for d in world.runtime.lake.days("user_fans")} == {"2026-11-03", "2026-11-04", "2026-11-05"}
    for day in ("2026-11-01", "2026-11-02"):
        assert (
            "not in the archive"
            in orchestra.metadata("user_fans", date.fromisoformat(day), observed=True)["not_materialised"]
        )


def test_a_range_that_cannot_be_had_is_one_failure_that_names_it(orchestra):
    world, days = orchestra.world, [TODAY - timedelta(days=n) for n in range(15, 0, -1)]
    result = orchestra.run_range("hourly", days[0], days[-1], "hot_words")
    assert not result.success
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    said = failed.step_failure_data.user_failure_data.description
    assert said == (
        f"hot_words {days[0]} … {days[-1]}: nothing was archived on that day, and the platform shows only the present: "
        "this day cannot be had any more"
    )
    assert orchestra.partitions("hot_words") == set()
    assert world.calls() == 0


def test_a_long_range_from_the_archive_keeps_its_rows_in_the_lake(orchestra, monkeypatch):
    monkeypatch.setattr("services.ingest.run._IN_MEMORY_BYTES", 0)
    world = orchestra.world
    for day in (14, 15, 16):
        world.at(f"2026-11-{day}T11:00:00+08:00").ingest("videos")
    before, days = world.lake_files(), {f"2026-11-{n}" for n in (14, 15, 16)}
    result = orchestra.run_range("daily_snapshot", date(2026, 11, 14), TODAY, "videos")
    assert result.success
    assert orchestra.partitions("videos") == days
    checks = orchestra.checks(result.run_id, "videos")
    assert checks["valid"].passed
    assert checks["valid"].metadata["rows"].value == sum(
        world.read("videos", date.fromisoformat(d)).num_rows for d in days
    )
    assert world.lake_files() == before


def test_videos_that_did_not_exist_are_not_requested(orchestra):
    world = orchestra.world
    orchestra.run("daily_snapshot", TODAY, "videos")
    world.clear()
    first = YESTERDAY - timedelta(days=9)
    assert orchestra.run_range("daily_t1", first, YESTERDAY, "item_play").success
    assert orchestra.partitions("item_play") == {(first + timedelta(days=n)).isoformat() for n in range(10)}
    assert set(world.requested("item_play").values()) == {1}, "one call per video"
    created = {r["item_id"]: r["created_at"] for r in world.rows("videos", TODAY)}
    for day in (first, YESTERDAY):
        for row in world.rows("item_play", day):
            assert created[row["item_id"]].date() <= day + timedelta(days=1)


# --------------------------------------------------------------------------- events


def test_a_range_of_events_is_one_run_that_leaves_unknown_days_unmarked(orchestra):
    world = orchestra.world
    world.receive("new_follow_action", at="2026-11-15T22:00:00+08:00")
    before = YESTERDAY - timedelta(days=1)
    result = orchestra.run_range("events", before, TODAY, "interactions")

    assert not result.success
    assert orchestra.partitions("interactions") == {YESTERDAY.isoformat(), TODAY.isoformat()}
    assert (
        "no receiver ran on that day" in orchestra.metadata("interactions", before, observed=True)["not_materialised"]
    )
    reported = {dt: orchestra.metadata("interactions", dt) for dt in (YESTERDAY, TODAY)}
    assert {dt: (t["dagster/partition_row_count"], t["calls"], t["outcomes"]) for dt, t in reported.items()} == {
        YESTERDAY: (1, 0, {"loaded": 1, "empty": 5}),
        TODAY: (0, 0, {"empty": 6}),
    }

    assert orchestra.run("events", TODAY, "interactions").success


def test_without_a_receiver_the_job_of_events_is_no_failure(orchestra):
    ran = orchestra.run("events", TODAY, "im_messages")
    assert (ran.success, ran.problems) == (True, {})
    assert orchestra.partitions("im_messages") == set()
    assert "no receiver ever ran" in orchestra.metadata("im_messages", TODAY, observed=True)["not_materialised"]
