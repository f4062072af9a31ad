"""Comments: read to the end while a video is young, later until what is known, and held against the count that the video states."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from installation import TODAY

from assets.reconcile import reconcile_comments
from catalog.records import beijing_day
from resources.state.load_status import Outcome

TOMORROW = TODAY + timedelta(days=1)
LIST, REPLIES = "item_comment_list", "item_comment_reply_list"


@pytest.fixture
def world(make_world):
    """Few videos: the sandbox's popular accounts have thousands of comments."""
    return make_world(platform={"accounts": 3, "videos": 12})


def read_day(world, *tables: str) -> dict[str, int]:
    """Ingest what comments need, then comments; calls per table."""
    calls = {}
    for table in ("videos", "video_totals", "comments", "comment_reads", *tables):
        calls[table] = world.ingest(table).calls
    return calls


def pages_of(world, operation: str = LIST) -> Counter[str]:
    """Requests per video."""
    return Counter({key.split("item_id=")[1].split("&")[0]: 0 for key in world.asked(operation)}) + Counter(
        key.split("item_id=")[1].split("&")[0] for key in world.asked(operation)
    )


def born(world, dt: date = TODAY) -> dict[str, date | None]:
    """Publishing day of each video."""
    return {r["item_id"]: r["created_at"] and beijing_day(r["created_at"]) for r in world.rows("videos", dt)}


def test_the_first_day_reads_everything_and_the_count_agrees(world):
    calls = read_day(world)
    assert calls["comments"] > 0
    assert calls["comment_reads"] == 0, "the same answers fill both tables"
    reads = world.rows("comment_reads", TODAY)
    assert all(r["is_whole"] for r in reads)
    comments = world.rows("comments", TODAY)
    per_video = Counter(c["item_id"] for c in comments)
    for r in reads:
        assert r["listed_count"] == per_video[r["item_id"]]
    found = reconcile_comments(world.runtime.lake, TODAY)
    assert found.videos == len(reads)
    assert found.short == ()
    assert 0.99 < found.listed / found.stated < 1.01


def test_a_list_that_is_short_is_told(world):
    read_day(world)
    totals = world.read("video_totals", TODAY)
    at = totals.column_names.index("comment_count")
    import pyarrow as pa

    more = pa.array([(n or 0) + 1_000 for n in totals["comment_count"].to_pylist()], pa.int64())
    world.runtime.lake.write("video_totals", TODAY, totals.set_column(at, "comment_count", more))
    found = reconcile_comments(world.runtime.lake, TODAY)
    assert len(found.short) == found.videos > 0
    assert found.short[0].stated - found.short[0].listed >= 990


def test_the_next_day_asks_for_young_videos_and_for_what_changed(world):
    read_day(world)
    first = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", TODAY)}
    world.clear()
    world.at("2026-11-17T11:30:00+08:00")
    read_day(world)
    now = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", TOMORROW)}
    young_from = TOMORROW - timedelta(days=world.runtime.settings.comment_reread_days)
    days = born(world, TOMORROW)
    young = {item for item, day in days.items() if day is not None and day >= young_from and now[item]}
    changed = {item for item in now if now[item] and now[item] != first.get(item)}
    asked = set(pages_of(world))
    assert asked == young | changed
    assert asked != set(now), "quiet old videos are left alone"
    whole = {r["item_id"] for r in world.rows("comment_reads", TOMORROW) if r["is_whole"]}
    assert young <= whole


def test_an_old_video_is_read_only_until_what_is_known(world):
    world.restart(comment_reread_days=0)
    world.at("2026-11-19T11:30:00+08:00")
    read_day(world)
    first, full = date(2026, 11, 19), pages_of(world)
    known = {c["comment_id"] for c in world.rows("comments", first)}
    world.clear()
    world.at("2026-11-20T11:30:00+08:00")
    read_day(world)
    then, again = date(2026, 11, 20), pages_of(world)
    large = [item for item, n in full.items() if n > 2 and item in again]
    assert large, "a video with several pages of comments has got more"
    assert all(again[item] < full[item] for item in large)
    reads = {r["item_id"]: r["is_whole"] for r in world.rows("comment_reads", then)}
    assert not any(reads[item] for item in large)
    # Nothing new is missed.
    before = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", first)}
    now = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", then)}
    fresh = Counter(c["item_id"] for c in world.rows("comments", then) if c["comment_id"] not in known)
    for item in large:
        assert fresh[item] <= 2 * (now[item] - before[item]), "what is new, and at most some that stand in for deleted ones"
    assert sum(fresh[item] for item in large) > 0


def test_what_disappeared_can_be_told_from_what_was_not_read(world):
    world.at("2026-11-18T11:30:00+08:00")
    read_day(world)
    world.at("2026-11-22T11:30:00+08:00")
    read_day(world)
    first, later = date(2026, 11, 18), date(2026, 11, 22)
    whole = {r["item_id"] for r in world.rows("comment_reads", later) if r["is_whole"]}
    then = {(c["item_id"], c["comment_id"]) for c in world.rows("comments", first) if c["item_id"] in whole}
    now = {(c["item_id"], c["comment_id"]) for c in world.rows("comments", later)}
    assert then - now, "somebody took a comment back within four days"
    assert then & now


def test_replies_are_asked_for_comments_that_have_some(world):
    read_day(world, "comment_replies")
    wanted = {c["comment_id"] for c in world.rows("comments", TODAY) if c["reply_count"]}
    assert {key.split("comment_id=")[1].split("&")[0] for key in world.asked(REPLIES)} == wanted
    replies = world.rows("comment_replies", TODAY)
    assert {r["comment_id"] for r in replies} <= wanted
    assert replies
    world.clear()
    world.restart(comment_reread_days=0)
    world.at("2026-11-17T11:30:00+08:00")
    read_day(world, "comment_replies")
    old = {c["comment_id"]: c["reply_count"] for c in world.rows("comments", TODAY)}
    known = Counter(r["comment_id"] for r in replies)
    for c in world.rows("comments", TOMORROW):
        asked = any(c["comment_id"] in key for key in world.asked(REPLIES))
        if c["reply_count"] and old.get(c["comment_id"]) == c["reply_count"] <= known[c["comment_id"]]:
            assert not asked, "all its replies are known"


def test_an_account_whose_comments_failed_is_asked_for_the_same_videos_again(world):
    world.restart(comment_reread_days=0)
    read_day(world)
    world.at("2026-11-17T11:30:00+08:00")
    world.ingest("videos")
    world.ingest("video_totals")
    world.clear()
    world.fault(LIST, "busy", account=1, times=None)
    world.ingest("comments")
    assert world.status("comments", TOMORROW)[1].status in (Outcome.FAILED, Outcome.PARTIAL)
    missed = {key.split("item_id=")[1].split("&")[0] for key in world.asked(LIST) if world.accounts[1] in key}
    world.clear()
    world.at("2026-11-18T11:30:00+08:00")
    read_day(world)
    asked = {key.split("item_id=")[1].split("&")[0] for key in world.asked(LIST) if world.accounts[1] in key}
    listed = {r["item_id"] for r in world.rows("video_totals", date(2026, 11, 18)) if r["comment_count"]}
    assert missed & listed <= asked, "compared with the last day that was read, not with yesterday"
