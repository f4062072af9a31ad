"""Each fault of the platform while one table is loaded: what becomes of the rows, the status, the other accounts, and the next run."""

from __future__ import annotations

from datetime import date

import pytest
from installation import TODAY, YESTERDAY

from resources.state.load_status import Outcome

TABLE = OPERATION = "user_fans"
HIT, OTHERS = 1, (0, 2)
TRIES = 5
"""Requests made for a fault that is answered by asking again (catalog/errors.py; resources/douyin/retry.py)."""

PASSING = {
    "too_frequent": "28003018", "busy": "28001005", "risk_control": "28001052", "token_expired": None,
    "http_502": "http 502", "truncated_json": "http 200", "timeout": None, "cut": None,
}  # fmt: skip
"""Kind -> how the refused request is counted in ``codes``. No response came of the last two; an expired token has two codes."""

STAYING = {
    "too_frequent": (28003018, TRIES, "too frequent"), "busy": (28001005, TRIES, "busy"), "risk_control": (28001052, 3, "risk control"),
    "http_502": (None, TRIES, "HTTP 502"), "truncated_json": (None, TRIES, "not JSON"), "timeout": (None, TRIES, ""), "cut": (None, TRIES, ""),
}  # fmt: skip
"""Kind -> (code, requests made before giving up, words of the reason)."""


def check_the_others(world, table: str = TABLE, dt: date = YESTERDAY, hit: int = HIT) -> None:
    """The accounts that were not hit are loaded, each with its one row or more."""
    status = world.status(table, dt)
    for account in {0, 1, 2} - {hit}:
        told = status[account]
        assert (told.status, told.code, told.quarantined) == (Outcome.LOADED, 0, 0), told
        assert told.rows > 0
    assert {0, 1, 2} - {hit} <= world.accounts_in(table, dt)


def check_mended(world, calls: int = 1, table: str = TABLE, operation: str = OPERATION, dt: date = YESTERDAY) -> None:
    """The next run in good weather asks for what is missing and nothing else; the one after it asks for nothing."""
    world.clear()
    world.restart()
    done = world.ingest(table, dt)
    assert world.calls_of(operation, HIT) == calls
    assert world.calls(operation) == calls
    assert done.calls == calls
    assert world.accounts_in(table, dt) == {0, 1, 2}
    assert {s.status for s in world.status(table, dt).values()} == {Outcome.LOADED}
    world.clear()
    before = world.lake_files()
    assert world.ingest(table, dt).calls == 0
    assert world.calls() == 0
    assert world.lake_files() == before


# --------------------------------------------------------------------------- faults that pass


@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_costs_one_more_call(world, kind: str):
    if kind == "timeout":
        world.restart(timeout_s=0.25)
    world.fault(OPERATION, kind, HIT)
    done = world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}
    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.LOADED, 0, 2, 1)
    check_the_others(world)
    assert done.failures() == []
    assert done.calls == 4
    assert world.calls(OPERATION) == 4
    assert done.codes["0"] == 3
    assert done.codes.total() == 3 if kind in ("timeout", "cut") else 4
    if counted := PASSING[kind]:
        assert done.codes[counted] == 1
    # Every response is kept, the refused one too; where nothing whole came back there is nothing to keep.
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

    told = world.status("item_play", YESTERDAY)[HIT]
    videos = len([key for key in world.asked("item_play") if world.accounts[HIT] in key])
    assert videos > 4
    assert (told.status, told.rows) == (Outcome.LOADED, videos)
    # Calls that had already taken the old token ask twice.
    assert videos < told.calls == world.calls_of("item_play", HIT) < 2 * videos
    assert world.calls("oauth_refresh_token") == 1
    assert world.calls_of("oauth_refresh_token", HIT) == 1
    check_the_others(world, "item_play")
    assert done.failures() == []


# --------------------------------------------------------------------------- faults that stay


@pytest.mark.parametrize("kind", STAYING)
def test_a_fault_that_stays_fails_its_account_alone(world, kind: str):
    if kind == "timeout":
        world.restart(timeout_s=0.12)
    code, tries, words = STAYING[kind]
    world.fault(OPERATION, kind, HIT, times=None)
    done = world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.FAILED, code, tries, 0)
    assert words in told.reason
    check_the_others(world)
    assert done.calls == tries + 2
    assert world.calls_of(OPERATION, HIT) == tries
    assert [s.open_id for s in done.failures()] == [world.accounts[HIT]]
    assert YESTERDAY in done.partitions
    check_mended(world)


def test_a_token_that_cannot_be_refreshed_asks_for_consent_and_stops_the_account_alone(world):
    world.fault(OPERATION, "token_dead", HIT)
    world.ingest(TABLE)

    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.rows) == (Outcome.NEEDS_CONSENT, 0)
    assert told.code == 10010
    assert "douyin authorize" in told.reason
    check_the_others(world)

    # Nothing is asked in vain for the account, in this run and in the next.
    for restart in (False, True):
        world.clear()
        if restart:
            world.restart()
        world.ingest("user_like")
        assert world.calls_of("user_like", HIT) == 0
        assert world.status("user_like", YESTERDAY)[HIT].status is Outcome.NEEDS_CONSENT
        check_the_others(world, "user_like")

    # Consent given again mends it.
    world.authorize()
    check_mended(world)


def test_a_token_that_is_refused_again_after_its_refresh_asks_for_consent(world):
    world.fault(OPERATION, "token_expired", HIT, times=2)
    world.ingest(TABLE)

    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.calls, told.rows) == (Outcome.NEEDS_CONSENT, 2, 0)
    assert world.calls("oauth_refresh_token") == 1
    check_the_others(world)
    world.authorize()
    check_mended(world)


def test_a_private_account_is_skipped_and_not_asked_again(world):
    world.fault(OPERATION, "private", HIT)
    done = world.ingest(TABLE)

    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.SKIPPED, 28001047, 1, 0)
    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    check_the_others(world)
    assert done.failures() == []
    # A settled answer: it is not asked for again in this slot, and asked for in the next.
    world.clear()
    assert world.ingest(TABLE).calls == 0
    assert world.status(TABLE, YESTERDAY)[HIT].status is Outcome.SKIPPED
    world.at("2026-11-17T11:00:00+08:00")
    assert world.ingest(TABLE).calls == 1
    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}


def test_a_deregistered_account_is_stopped_for_all_operations_and_runs(world):
    world.fault(OPERATION, "account_gone", HIT)
    world.ingest(TABLE)

    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.STOPPED, 28001045, 1, 0)
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

    assert done.calls == world.calls(OPERATION) == 1, "the others would get the same answer and are not asked for"
    for told in world.status(TABLE, YESTERDAY).values():
        assert (told.status, told.code, told.rows) == (Outcome.UNAVAILABLE, 28001056, 0)
        assert "console" in told.reason
    assert done.missing == [YESTERDAY]
    assert not world.runtime.lake.path(TABLE, YESTERDAY).exists()
    assert world.ingest("user_like").failures() == []
    assert world.accounts_in("user_like", YESTERDAY) == {0, 1, 2}

    world.clear()
    world.restart()
    assert world.ingest(TABLE).calls == 3
    assert {s.status for s in world.status(TABLE, YESTERDAY).values()} == {Outcome.LOADED}


def test_one_billboard_offline_leaves_the_others_of_its_table(world):
    world.fault("billboard_music_soar", "capability_offline", times=None)
    done = world.ingest("billboard_music")

    assert {r["board"] for r in world.rows("billboard_music", TODAY)} == {"hot", "original"}
    status = world.status("billboard_music", TODAY)
    assert {name: str(s.status) for name, s in status.items()} == {
        "billboard_music_hot": "loaded", "billboard_music_soar": "unavailable", "billboard_music_original": "loaded",
    }  # fmt: skip
    assert status["billboard_music_soar"].code == 28001056
    assert [s.operation for s in done.failures()] == ["billboard_music_soar"]
    world.clear()
    world.restart()
    assert world.ingest("billboard_music").calls == 1
    assert world.calls() == world.calls("billboard_music_soar") == 1
    assert {r["board"] for r in world.rows("billboard_music", TODAY)} == {"hot", "soar", "original"}


# --------------------------------------------------------------------------- answers that are spoiled


def test_an_account_whose_series_is_not_ready_is_asked_again(world):
    world.fault(OPERATION, "not_ready", HIT)
    done = world.ingest(TABLE)

    told = world.status(TABLE, YESTERDAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.NOT_READY, 0, 1, 0)
    assert "not produced yet" in told.reason
    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    check_the_others(world)
    assert done.failures() == []
    check_mended(world)


def test_a_billboard_that_is_not_ready_is_no_empty_billboard(world):
    world.fault("billboard_stars", "not_ready")
    done = world.ingest("billboard_stars")

    assert done.missing == [TODAY]
    assert not world.runtime.lake.path("billboard_stars", TODAY).exists()
    assert world.status("billboard_stars", TODAY)["billboard_stars"].status is Outcome.NOT_READY
    assert world.ingest("billboard_live").missing == []
    world.clear()
    assert world.ingest("billboard_stars").calls == 1
    assert len(world.rows("billboard_stars", TODAY)) == 30


def test_a_malformed_row_goes_to_quarantine_and_the_rest_lands(make_world):
    world, good = make_world(), make_world(home="good")
    good.ingest("videos")
    expected = good.rows("videos", TODAY)
    world.clear()
    world.fault("video_list", "malformed_row", HIT, row=2)
    done = world.ingest("videos")

    rows = world.rows("videos", TODAY)
    quarantine = world.runtime.lake.read("_quarantine/videos", TODAY).to_pylist()
    assert len(quarantine) == 1
    bad = quarantine[0]
    assert (bad["operation"], bad["open_id"], bad["position"]) == ("video_list", world.accounts[HIT], 3)
    assert "expected a 64-bit integer" in bad["reason"]
    assert "'abc'" in bad["reason"]
    # All else is as if nothing had happened.
    assert len(rows) == len(expected) - 1
    landed = {r["item_id"] for r in rows}
    assert rows == [r for r in expected if r["item_id"] in landed]
    # Where its bytes lie is told, and they are there.
    record = next(
        body for address, _, body in world.runtime.archive.records("video_list", [TODAY])
        if (address.segment, address.number) == (bad["segment"], bad["record"])
    )  # fmt: skip
    assert b'"abc"' in record

    told = world.status("videos", TODAY)[HIT]
    assert (told.status, told.quarantined) == (Outcome.LOADED, 1)
    check_the_others(world, "videos", TODAY)
    assert done.failures() == []
    # The table that reads other members of the same row has it.
    world.ingest("video_totals")
    assert len(world.rows("video_totals", TODAY)) == len(expected)
    assert not world.runtime.lake.path("_quarantine/video_totals", TODAY).exists()

    # The next observation mends it, and the quarantine of the day keeps what was seen.
    world.at("2026-11-17T11:00:00+08:00")
    world.ingest("videos", date(2026, 11, 17))
    assert world.status("videos", date(2026, 11, 17))[HIT].quarantined == 0


def test_a_row_that_is_a_text_goes_to_quarantine_of_all_its_tables(world):
    world.fault("video_list", "malformed_row", HIT, row=1, **{"as": "text"})
    for table in ("videos", "video_totals"):
        world.ingest(table)
        reasons = world.runtime.lake.read(f"_quarantine/{table}", TODAY)["reason"].to_pylist()
        assert reasons == ["the row is VARCHAR, not an object"]
        assert world.status(table, TODAY)[HIT].quarantined == 1
        check_the_others(world, table, TODAY)


def test_an_account_of_which_nothing_could_be_read_has_failed(world):
    world.fault("fans_data", "malformed_row", HIT)
    world.ingest("fans_profile")

    told = world.status("fans_profile", TODAY)[HIT]
    assert (told.status, told.rows, told.quarantined) == (Outcome.FAILED, 0, 1)
    assert "quarantine" in told.reason
    assert world.accounts_in("fans_profile", TODAY) == set(OTHERS)
    check_the_others(world, "fans_profile", TODAY)
    world.ingest("fans_flow")
    assert world.accounts_in("fans_flow", TODAY) == {0, 1, 2}


def test_a_series_row_without_a_readable_day_goes_to_the_quarantine_of_yesterday(world):
    world.fault(OPERATION, "malformed_row", HIT, row=0)
    world.ingest(TABLE)

    quarantine = world.runtime.lake.read(f"_quarantine/{TABLE}", YESTERDAY).to_pylist()
    assert [q["open_id"] for q in quarantine] == [world.accounts[HIT]]
    assert "yyyy-MM-dd" in quarantine[0]["reason"]
    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}
    assert world.status(TABLE, YESTERDAY)[HIT].quarantined == 1
    check_the_others(world)


def test_unknown_members_land_nowhere_and_are_reported(make_world):
    world, good = make_world(), make_world(home="good")
    good.ingest("videos")
    world.clear()
    world.fault("video_list", "unknown_member", HIT)
    done = world.ingest("videos")

    assert world.rows("videos", TODAY) == good.rows("videos", TODAY)
    drift = {d["member"]: d["rows"] for d in world.runtime.lake.read("_drift/videos", TODAY).to_pylist()}
    assert drift.keys() == {"data.list.sandbox_new_column", "data.sandbox_new_member"}
    assert drift["data.sandbox_new_member"] == 1
    assert drift["data.list.sandbox_new_column"] >= 19
    assert {s.status for s in world.status("videos", TODAY).values()} == {Outcome.LOADED}
    assert done.failures() == []
    # What it was stays in the archive.
    bodies = [body for _, _, body in world.runtime.archive.records("video_list", [TODAY])]
    assert sum(b'"sandbox_new_member":{"reason":"drift"}' in b for b in bodies) == 1


def test_a_cursor_that_comes_again_is_no_short_list(world):
    world.fault("video_list", "repeated_cursor", HIT)
    done = world.ingest("videos")

    assert world.accounts_in("videos", TODAY) == set(OTHERS), "the first page alone would be a short table"
    told = world.status("videos", TODAY)[HIT]
    assert (told.status, told.code, told.calls, told.rows) == (Outcome.FAILED, None, 2, 0)
    assert "cursor that was used before" in told.reason
    check_the_others(world, "videos", TODAY)
    assert len(done.failures()) == 1
    # The list is asked for anew from its beginning, only for this account.
    world.clear()
    world.restart()
    world.ingest("videos")
    keys = world.asked("video_list")
    assert all(world.accounts[HIT] in key for key in keys)
    assert any("cursor=0&" in key for key in keys)
    assert world.accounts_in("videos", TODAY) == {0, 1, 2}
    assert {s.status for s in world.status("videos", TODAY).values()} == {Outcome.LOADED}
    world.clear()
    assert world.ingest("videos").calls == 0


# --------------------------------------------------------------------------- a list that others iterate over


def test_without_todays_list_of_videos_those_of_the_last_list_are_asked_for(world):
    world.ingest("videos")
    world.at("2026-11-17T11:00:00+08:00")
    tomorrow = date(2026, 11, 17)
    world.fault("video_list", "repeated_cursor", HIT)
    world.ingest("videos", tomorrow)
    assert world.accounts_in("videos", tomorrow) == set(OTHERS)
    done = world.ingest("item_play", TODAY)

    assert world.accounts_in("item_play", TODAY) == {0, 1, 2}
    assert done.failures() == []
    assert world.calls_of("item_play", HIT) >= 10


def test_an_account_without_any_list_of_videos_is_not_passed_over_in_silence(world):
    world.fault("video_list", "repeated_cursor", HIT)
    world.ingest("videos")
    done = world.ingest("item_play")

    told = world.status("item_play", YESTERDAY)[HIT]
    assert (told.status, told.calls, told.rows) == (Outcome.FAILED, 0, 0)
    assert "`videos`" in told.reason
    assert world.accounts_in("item_play", YESTERDAY) == set(OTHERS)
    check_the_others(world, "item_play")
    assert len(done.failures()) == 1
    world.clear()
    world.ingest("videos")
    done = world.ingest("item_play")
    assert done.calls == world.calls_of("item_play", HIT) >= 10
    assert world.accounts_in("item_play", YESTERDAY) == {0, 1, 2}


def test_an_account_without_young_videos_has_nothing_to_be_asked_for(make_world):
    # A video or so in half a year: not every account has a young one.
    world = make_world(platform={"videos": 1})
    world.ingest("videos")
    young = {world.accounts.index(r["open_id"]) for r in world.rows("videos", TODAY) if r["created_at"] and (world.runtime.clock.now() - r["created_at"]).days < 30}
    done = world.ingest("item_play")
    status = world.status("item_play", YESTERDAY)
    assert status.keys() == {0, 1, 2}
    for account, told in status.items():
        assert told.status is (Outcome.LOADED if account in young else Outcome.EMPTY), told
    assert {told.status for told in status.values()} >= {Outcome.EMPTY}
    assert done.failures() == []


# --------------------------------------------------------------------------- some objects of an account


def test_some_videos_of_an_account_fail(world):
    world.ingest("videos")
    world.clear()
    world.restart(concurrency=1)  # one after the other: five tries of one video, then five of the next
    world.fault("item_play", "busy", HIT, times=2 * TRIES)
    done = world.ingest("item_play")

    told = world.status("item_play", YESTERDAY)[HIT]
    videos = len({key for key in world.asked("item_play") if world.accounts[HIT] in key})
    assert (told.status, told.code) == (Outcome.PARTIAL, 28001005)
    assert told.reason.startswith(f"2 of {videos} failed: ")
    assert told.rows == videos - 2
    assert world.accounts_in("item_play", YESTERDAY) == {0, 1, 2}
    check_the_others(world, "item_play")
    assert len(done.failures()) == 1
    check_mended(world, calls=2, table="item_play", operation="item_play")


def test_a_private_video_is_skipped_and_the_account_is_loaded(world):
    world.ingest("videos")
    world.clear()
    world.fault("item_play", "private", HIT)
    done = world.ingest("item_play")

    told = world.status("item_play", YESTERDAY)[HIT]
    assert told.status is Outcome.LOADED
    assert told.reason == f"1 of {told.calls} without rows"
    assert told.rows == told.calls - 1
    check_the_others(world, "item_play")
    assert done.failures() == []
    world.clear()
    assert world.ingest("item_play").calls == 0


def test_one_hot_word_fails_and_the_others_land(world):
    world.ingest("hot_words")
    world.clear()
    world.restart(concurrency=1)
    world.fault("hotsearch_videos", "cut", times=TRIES)
    done = world.ingest("hot_word_videos")

    told = world.status("hot_word_videos", TODAY)["hotsearch_videos"]
    assert (told.status, told.code, told.calls) == (Outcome.PARTIAL, None, 49 + TRIES)
    assert told.reason.startswith("1 of 50 failed: ")
    assert told.rows == done.partitions[TODAY].rows.num_rows > 0
    hit = {r["sentence"] for r in world.rows("hot_words", TODAY)} - {r["sentence"] for r in world.rows("hot_word_videos", TODAY)}
    assert len(hit) >= 1
    world.clear()
    assert world.ingest("hot_word_videos").calls == world.calls("hotsearch_videos") == 1
    assert world.status("hot_word_videos", TODAY)["hotsearch_videos"].status is Outcome.LOADED


def test_an_app_that_is_banned_stops_everything_plainly(world):
    world.restart(concurrency=1)
    world.fault(OPERATION, "busy", code=28001016)
    done = world.ingest(TABLE)

    assert done.calls == 1
    assert done.missing == [YESTERDAY]
    for told in done.statuses:
        assert (told.status, told.code) == (Outcome.FAILED, 28001016)
        assert "console" in told.reason
    assert world.ingest("user_like").calls == 0
    world.restart()
    assert world.ingest(TABLE).calls == 3
