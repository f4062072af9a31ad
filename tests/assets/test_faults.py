"""Each fault of the platform while one table is loaded: its effect on rows, status, other accounts, next run."""

from __future__ import annotations

import pytest
from fault_checks import HIT, OPERATION, OTHERS, TABLE, TRIES, check_mended, check_the_others
from installation import TODAY, YESTERDAY
from patience import scaled

from resources.state.load_status import Outcome

PASSING = {
    "too_frequent": "28003018",
    "busy": "28001005",
    "risk_control": "28001052",
    "token_expired": None,
    "http_502": "http 502",
    "truncated_json": "http 200",
    "timeout": None,
    "cut": None,
}
"""Kind -> how the refused request is counted in ``codes``. The last two got no response; an expired token has two
codes.
"""

STAYING = {
    "too_frequent": (28003018, TRIES, "too frequent"),
    "busy": (28001005, TRIES, "busy"),
    "risk_control": (28001052, 3, "risk control"),
    "http_502": (None, TRIES, "HTTP 502"),
    "truncated_json": (None, TRIES, "not JSON"),
    "timeout": (None, TRIES, ""),
    "cut": (None, TRIES, ""),
}
"""Kind -> (code, requests made before giving up, text of the reason)."""


# --------------------------------------------------------------------------- faults that pass


@pytest.mark.slow
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_costs_one_more_call(world, kind: str):
    if kind == "timeout":
        world.restart(timeout_s=scaled(0.25))
    world.fault(OPERATION, kind, HIT)
    done = world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}
    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.LOADED, 0, 2, 1)
    check_the_others(world)
    assert done.failures() == []
    assert done.calls == 4
    assert world.calls(OPERATION) == 4
    assert done.codes["0"] == 3
    assert done.codes.total() == 3 if kind in ("timeout", "cut") else 4
    if counted := PASSING[kind]:
        assert done.codes[counted] == 1
    # Every response is archived, the refused one too; without a whole response there is nothing to archive.
    kept = [e for e in world.archived(OPERATION) if e.open_id == world.accounts[HIT]]
    assert [e.ok for e in kept] == ([True] if kind in ("timeout", "cut") else [False, True])
    world.clear()
    assert world.ingest(TABLE).calls == 0
    assert world.calls() == 0


def test_a_token_that_expires_mid_run_is_refreshed_once_for_all_calls(world):
    world.ingest("videos")
    world.clear()
    world.fault("item_play", "token_expired", HIT, after=3)
    done = world.ingest("item_play")

    reported = world.status("item_play", YESTERDAY)[HIT]
    videos = len([key for key in world.requested("item_play") if world.accounts[HIT] in key])
    assert videos > 4
    assert (reported.status, reported.rows) == (Outcome.LOADED, videos)
    # Calls that had already taken the old token are made twice.
    assert videos < reported.calls == world.calls_of("item_play", HIT) < 2 * videos
    assert world.calls("oauth_refresh_token") == 1
    assert world.calls_of("oauth_refresh_token", HIT) == 1
    check_the_others(world, "item_play")
    assert done.failures() == []


# --------------------------------------------------------------------------- faults that stay


@pytest.mark.slow
@pytest.mark.parametrize("kind", STAYING)
def test_a_fault_that_stays_fails_its_account_alone(world, kind: str):
    if kind == "timeout":
        world.restart(timeout_s=scaled(0.2))
    code, tries, words = STAYING[kind]
    world.fault(OPERATION, kind, HIT, times=None)
    done = world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.FAILED, code, tries, 0)
    assert words in reported.reason
    check_the_others(world)
    assert done.calls == tries + 2
    assert world.calls_of(OPERATION, HIT) == tries
    assert [s.open_id for s in done.failures()] == [world.accounts[HIT]]
    assert YESTERDAY in done.partitions
    check_mended(world)


def test_a_token_that_cannot_be_refreshed_needs_consent_and_stops_the_account_alone(world):
    world.fault(OPERATION, "token_dead", HIT)
    world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.rows) == (Outcome.NEEDS_CONSENT, 0)
    assert reported.code == 10010
    assert "douyin authorize" in reported.reason
    check_the_others(world)

    # No futile request is made for the account, in this run and in the next.
    for restart in (False, True):
        world.clear()
        if restart:
            world.restart()
        world.ingest("user_like")
        assert world.calls_of("user_like", HIT) == 0
        assert world.status("user_like", YESTERDAY)[HIT].status is Outcome.NEEDS_CONSENT
        check_the_others(world, "user_like")

    # A renewed consent fixes it.
    world.authorize()
    check_mended(world)


def test_a_token_that_is_refused_again_after_its_refresh_needs_consent(world):
    world.fault(OPERATION, "token_expired", HIT, times=2)
    world.ingest(TABLE)

    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.calls, reported.rows) == (Outcome.NEEDS_CONSENT, 2, 0)
    assert world.calls("oauth_refresh_token") == 1
    check_the_others(world)
    world.authorize()
    check_mended(world)


def test_a_private_account_is_skipped_and_not_requested_again(world):
    world.fault(OPERATION, "private", HIT)
    done = world.ingest(TABLE)

    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.SKIPPED, 28001047, 1, 0)
    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    check_the_others(world)
    assert done.failures() == []
    # The outcome is final for this slot: the next request is made in the next slot.
    world.clear()
    assert world.ingest(TABLE).calls == 0
    assert world.status(TABLE, YESTERDAY)[HIT].status is Outcome.SKIPPED
    world.at("2026-11-17T11:00:00+08:00")
    assert world.ingest(TABLE).calls == 1
    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}


def test_a_deregistered_account_is_stopped_for_all_operations_and_runs(world):
    world.fault(OPERATION, "account_gone", HIT)
    world.ingest(TABLE)

    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.STOPPED, 28001045, 1, 0)
    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    check_the_others(world)
    for restart in (False, True):
        world.clear()
        if restart:
            world.restart()
        for table in ("user_like", "fans_profile", TABLE):
            world.ingest(table)
            dt = TODAY if table == "fans_profile" else YESTERDAY
            assert world.status(table, dt)[HIT].status is Outcome.STOPPED, table
            assert "deregistered" in world.status(table, dt)[HIT].reason
            assert world.accounts_in(table, dt) == set(OTHERS)
        assert not any(world.accounts[HIT] in key for o in world.stats()["operations"].values() for key in o["by_key"])


def test_a_used_up_quota_stops_its_scope_until_tomorrow(world):
    world.restart(concurrency=1)  # one after the other, so that it is known who comes before the refusal
    world.fault(OPERATION, "quota_used_up", after=1)
    done = world.ingest(TABLE)

    assert done.calls == world.calls(OPERATION) == 2
    outcomes = sorted(str(s.status) for s in world.status(TABLE, YESTERDAY).values())
    assert outcomes == ["loaded", "quota", "quota"]
    assert len(world.accounts_in(TABLE, YESTERDAY)) == 1
    refused = [s for s in done.statuses if s.status is Outcome.QUOTA]
    assert all("quota" in s.reason for s in refused)
    assert sorted(s.calls for s in refused) == [0, 1]

    # The same day: no call of the scope is tried, another scope goes on. Tomorrow: only what is missing.
    world.clear()
    world.restart()
    assert world.ingest("user_like").calls == 0
    assert {s.status for s in world.status("user_like", YESTERDAY).values()} == {Outcome.QUOTA}
    assert world.ingest("fans_profile").calls == 3
    world.clear()
    world.at("2026-11-17T11:00:00+08:00")
    assert world.ingest(TABLE).calls == 2
    assert world.calls(OPERATION) == 2
    assert {s.status for s in world.status(TABLE, YESTERDAY).values()} == {Outcome.LOADED}
    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}


def test_a_capability_that_went_offline_stops_its_operation_alone(world):
    world.restart(concurrency=1)
    world.fault(OPERATION, "capability_offline", times=None)
    done = world.ingest(TABLE)

    assert done.calls == world.calls(OPERATION) == 1, "the others would get the same answer and are not requested"
    for reported in world.status(TABLE, YESTERDAY).values():
        assert (reported.status, reported.code, reported.rows) == (Outcome.UNAVAILABLE, 28001056, 0)
        assert "console" in reported.reason
    assert done.missing == [YESTERDAY]
    assert not world.runtime.lake.path(TABLE, YESTERDAY).exists()
    assert world.ingest("user_like").failures() == []
    assert world.accounts_in("user_like", YESTERDAY) == {0, 1, 2}

    world.clear()
    world.restart()
    world.switch_on(OPERATION)
    assert world.ingest(TABLE).calls == 3
    assert {s.status for s in world.status(TABLE, YESTERDAY).values()} == {Outcome.LOADED}


def test_one_billboard_offline_leaves_the_others_of_its_table(world):
    world.fault("billboard_music_soar", "capability_offline", times=None)
    done = world.ingest("billboard_music")

    assert {r["board"] for r in world.rows("billboard_music", TODAY)} == {"hot", "original"}
    status = world.status("billboard_music", TODAY)
    assert {name: str(s.status) for name, s in status.items()} == {
        "billboard_music_hot": "loaded",
        "billboard_music_soar": "unavailable",
        "billboard_music_original": "loaded",
    }
    assert status["billboard_music_soar"].code == 28001056
    assert done.failures() == [], "what the platform took away could not have been had"
    world.clear()
    world.restart()
    world.switch_on("billboard_music_soar")
    assert world.ingest("billboard_music").calls == 1
    assert world.calls() == world.calls("billboard_music_soar") == 1
    assert {r["board"] for r in world.rows("billboard_music", TODAY)} == {"hot", "soar", "original"}
