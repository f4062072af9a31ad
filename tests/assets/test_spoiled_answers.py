"""Malformed responses, and objects of an account that fail: which rows land, what is reported and retried."""

from __future__ import annotations

from datetime import date

import pytest
from fault_checks import HIT, OPERATION, OTHERS, TABLE, TRIES, check_mended, check_the_others
from installation import TODAY, YESTERDAY

from assets.tables import _only_waiting
from catalog import TABLES
from catalog.records import STANDARD_FIELDS, Table
from resources.state.load_status import Outcome
from services.ingest.replay import replay

# --------------------------------------------------------------------------- malformed responses


def test_an_account_whose_series_is_not_ready_is_requested_again(world):
    world.fault(OPERATION, "not_ready", HIT)
    done = world.ingest(TABLE)

    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.NOT_READY, 0, 1, 0)
    assert "not produced yet" in reported.reason
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


def test_a_malformed_value_goes_to_quarantine_and_its_row_lands(make_world):
    world, good = make_world(), make_world(home="good")
    good.ingest("videos")
    expected = good.rows("videos", TODAY)
    world.clear()
    world.fault("video_list", "malformed_row", HIT, row=2)
    done = world.ingest("videos")

    rows = world.rows("videos", TODAY)
    (bad,) = world.runtime.lake.read("_quarantine/videos", TODAY).to_pylist()
    assert (bad["operation"], bad["open_id"], bad["position"]) == ("video_list", world.accounts[HIT], 3)
    assert (bad["value"], bad["reason"].rpartition(": ")[2]) == ("abc", "expected a 64-bit integer")
    column = bad["column_name"]
    # The rest is unaffected: the row has landed, with null in that one column.
    assert [r | {column: None} for r in rows] == [r | {column: None} for r in expected]
    assert [(r[column], e["open_id"]) for r, e in zip(rows, expected, strict=True) if r != e] == [
        (None, world.accounts[HIT])
    ]
    # The place of its bytes is reported, and they are there.
    record = next(
        body
        for address, _, body in world.runtime.archive.records("video_list", [TODAY])
        if (address.segment, address.number) == (bad["segment"], bad["record"])
    )
    assert b'"abc"' in record

    reported = world.status("videos", TODAY)[HIT]
    assert (reported.status, reported.quarantined) == (Outcome.LOADED, 0)
    check_the_others(world, "videos", TODAY)
    assert done.failures() == []
    # The table that reads other members of the same row has it.
    world.ingest("video_totals")
    assert len(world.rows("video_totals", TODAY)) == len(expected)
    assert not world.runtime.lake.path("_quarantine/video_totals", TODAY).exists()

    # The next observation fixes it, and the quarantine of the day keeps the observed value.
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


def test_an_account_whose_only_value_could_not_be_read_lands_without_it(world):
    world.fault("fans_data", "malformed_row", HIT)
    world.ingest("fans_profile")

    reported = world.status("fans_profile", TODAY)[HIT]
    assert (reported.status, reported.rows, reported.quarantined) == (Outcome.LOADED, 1, 0)
    (bad,) = world.runtime.lake.read("_quarantine/fans_profile", TODAY).to_pylist()
    assert (bad["column_name"], bad["value"], bad["open_id"]) == ("all_fans_num", "abc", world.accounts[HIT])
    assert {r["open_id"] for r in world.rows("fans_profile", TODAY) if r["all_fans_num"] is None} == {
        world.accounts[HIT]
    }
    check_the_others(world, "fans_profile", TODAY)
    world.ingest("fans_flow")
    assert world.accounts_in("fans_flow", TODAY) == {0, 1, 2}


def test_an_account_of_which_nothing_could_be_read_has_failed(world, monkeypatch):
    """Its only row cannot do without the value."""
    monkeypatch.setattr(
        Table,
        "not_null",
        property(
            lambda table: (
                *STANDARD_FIELDS,
                *table.primary_key,
                *(["all_fans_num"] if table.name == "fans_profile" else []),
            )
        ),
    )
    world.fault("fans_data", "malformed_row", HIT)
    world.ingest("fans_profile")

    reported = world.status("fans_profile", TODAY)[HIT]
    assert (reported.status, reported.rows, reported.quarantined) == (Outcome.FAILED, 0, 1)
    assert "quarantine" in reported.reason
    assert world.accounts_in("fans_profile", TODAY) == set(OTHERS)
    check_the_others(world, "fans_profile", TODAY)


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
    assert {s.status for s in world.status("videos", TODAY).values()} == {Outcome.LOADED, Outcome.NOT_ASKED}
    assert done.failures() == []
    # The archive keeps it as it was.
    bodies = [body for _, _, body in world.runtime.archive.records("video_list", [TODAY])]
    assert sum(b'"sandbox_new_member":{"reason":"drift"}' in b for b in bodies) == 1


def test_a_cursor_that_comes_again_is_no_short_list(world):
    world.fault("video_list", "repeated_cursor", HIT)
    done = world.ingest("videos")

    assert world.accounts_in("videos", TODAY) == set(OTHERS), "the first page alone would be a short table"
    reported = world.status("videos", TODAY)[HIT]
    assert (reported.status, reported.code, reported.calls, reported.rows) == (Outcome.FAILED, None, 2, 0)
    assert "cursor that was used before" in reported.reason
    check_the_others(world, "videos", TODAY)
    assert len(done.failures()) == 1
    # The list is requested again from its beginning, only for this account.
    world.clear()
    world.restart()
    world.ingest("videos")
    keys = world.requested("video_list")
    assert all(world.accounts[HIT] in key for key in keys)
    assert any("cursor=0&" in key for key in keys)
    assert world.accounts_in("videos", TODAY) == {0, 1, 2}
    assert {s.status for s in world.status("videos", TODAY).values()} == {Outcome.LOADED, Outcome.NOT_ASKED}
    world.clear()
    assert world.ingest("videos").calls == 0


# --------------------------------------------------------------------------- a list that others iterate over


def test_without_todays_list_of_videos_those_of_the_last_list_are_requested(world):
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


def test_an_account_without_any_list_of_videos_is_reported(world):
    world.fault("video_list", "repeated_cursor", HIT)
    world.ingest("videos")
    done = world.ingest("item_play")

    reported = world.status("item_play", YESTERDAY)[HIT]
    assert (reported.status, reported.calls, reported.rows) == (Outcome.FAILED, 0, 0)
    assert "`videos`" in reported.reason
    assert world.accounts_in("item_play", YESTERDAY) == set(OTHERS)
    check_the_others(world, "item_play")
    assert len(done.failures()) == 1
    world.clear()
    world.ingest("videos")
    done = world.ingest("item_play")
    assert done.calls == world.calls_of("item_play", HIT) >= 10
    assert world.accounts_in("item_play", YESTERDAY) == {0, 1, 2}


def test_an_account_without_young_videos_has_nothing_to_request(make_world):
    # About one video in half a year: not every account has a young one.
    world = make_world(platform={"videos": 1})
    world.ingest("videos")
    young = {
        world.accounts.index(r["open_id"])
        for r in world.rows("videos", TODAY)
        if r["created_at"] and (world.runtime.clock.now() - r["created_at"]).days < 30
    }
    done = world.ingest("item_play")
    status = world.status("item_play", YESTERDAY)
    assert status.keys() == {0, 1, 2}
    for account, reported in status.items():
        assert reported.status is (Outcome.LOADED if account in young else Outcome.EMPTY), reported
    assert {reported.status for reported in status.values()} >= {Outcome.EMPTY}
    assert done.failures() == []


# --------------------------------------------------------------------------- some objects of an account


def test_some_videos_of_an_account_fail(world):
    world.ingest("videos")
    world.clear()
    world.restart(concurrency=1)  # one after the other: five tries of one video, then five of the next
    world.fault("item_play", "busy", HIT, times=2 * TRIES)
    done = world.ingest("item_play")

    reported = world.status("item_play", YESTERDAY)[HIT]
    videos = len({key for key in world.requested("item_play") if world.accounts[HIT] in key})
    assert (reported.status, reported.code) == (Outcome.PARTIAL, 28001005)
    assert reported.reason.startswith(f"2 of {videos} failed: ")
    assert reported.rows == videos - 2
    assert world.accounts_in("item_play", YESTERDAY) == {0, 1, 2}
    check_the_others(world, "item_play")
    assert len(done.failures()) == 1
    check_mended(world, calls=2, table="item_play", operation="item_play")


def test_a_private_video_is_skipped_and_the_account_is_loaded(world):
    world.ingest("videos")
    world.clear()
    world.fault("item_play", "private", HIT)
    done = world.ingest("item_play")

    reported = world.status("item_play", YESTERDAY)[HIT]
    assert reported.status is Outcome.LOADED
    assert reported.reason == f"1 of {reported.calls} without rows"
    assert reported.rows == reported.calls - 1
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

    reported = world.status("hot_word_videos", TODAY)["hotsearch_videos"]
    assert (reported.status, reported.code, reported.calls) == (Outcome.PARTIAL, None, 49 + TRIES)
    assert reported.reason.startswith("1 of 50 failed: ")
    assert reported.rows == done.partitions[TODAY].rows.num_rows > 0
    hit = {r["sentence"] for r in world.rows("hot_words", TODAY)} - {
        r["sentence"] for r in world.rows("hot_word_videos", TODAY)
    }
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
    for reported in done.statuses:
        assert (reported.status, reported.code) == (Outcome.FAILED, 28001016)
        assert "console" in reported.reason
    assert world.ingest("user_like").calls == 0
    world.restart()
    assert world.ingest(TABLE).calls == 3


# --------------------------------------------------------------------------- series with impossible days, and data that
# is no object


@pytest.mark.parametrize("day", ["9999-12-31", "2026-11-17"])
def test_a_series_of_a_day_to_come_settles_nothing(world, day):
    """One such row once marked all requested days as produced: they were never requested again."""
    world.fault(OPERATION, "other_value", HIT, member="date", value=day)
    done = world.ingest(TABLE)

    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.rows) == (Outcome.NOT_READY, 0)
    assert reported.quarantined > 0
    reasons = world.runtime.lake.read(f"_quarantine/{TABLE}", YESTERDAY)["reason"].to_pylist()
    assert set(reasons) == {
        "stat_date: a day that was not asked for, which no partition would take"
        if day < "2101"
        else f"date: expected a day yyyy-MM-dd: {day!r}"
    }
    assert world.accounts_in(TABLE, YESTERDAY) == set(OTHERS)
    check_the_others(world)
    assert done.failures() == []
    check_mended(world)


def test_a_day_of_which_only_days_to_come_were_sent_is_not_materialised(world):
    for account in (HIT, *OTHERS):
        world.fault(OPERATION, "other_value", account, member="date", value="9999-12-31")
    done = world.ingest(TABLE)
    assert done.missing == [YESTERDAY]
    assert not world.runtime.lake.path(TABLE, YESTERDAY).exists()
    assert world.runtime.lake.read(f"_quarantine/{TABLE}", YESTERDAY).num_rows > 0
    assert _only_waiting(done), "it is requested again, and no failure of the run"
    assert {s.status for s in done.statuses} == {Outcome.NOT_READY}
    assert [one.replaces for one in replay(world.runtime, TABLES[TABLE], YESTERDAY, YESTERDAY)] == [False]
    world.clear()
    world.restart()
    assert world.ingest(TABLE).calls == 3
    assert world.accounts_in(TABLE, YESTERDAY) == {0, 1, 2}
    assert world.runtime.lake.read(f"_quarantine/{TABLE}", YESTERDAY).num_rows > 0, "what was seen stays seen"


@pytest.mark.parametrize("value", ["", "[]", [], 7, True], ids=repr)
def test_data_that_is_no_object_is_a_failure_and_not_one_of_a_day_that_is_not_ready(world, value):
    world.fault(OPERATION, "other_value", HIT, times=TRIES, value=value)
    done = world.ingest(TABLE)
    reported = world.status(TABLE, YESTERDAY)[HIT]
    assert (reported.status, reported.rows) == (Outcome.FAILED, 0)
    assert "not an object" in reported.reason
    check_the_others(world)
    assert len(done.failures()) == 1
    check_mended(world)
