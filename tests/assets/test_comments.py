"""Comments are read to the end while a video is young, and later as far as they are new.

They are checked against the count that the video reports.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta

import pyarrow as pa
import pytest
from installation import TODAY

from catalog import ENDPOINTS, TABLES
from catalog.records import BEIJING, beijing_day
from resources.state.load_status import Outcome
from resources.storage.schema import arrow_schema
from services.ingest.fetch_context import FetchContext
from services.ingest.subjects import subjects_of
from services.maintenance.reconcile import reconcile_comments

TOMORROW = TODAY + timedelta(days=1)
LIST, REPLIES = "item_comment_list", "item_comment_reply_list"


@pytest.fixture
def world(make_world):
    """Few videos: the sandbox's popular accounts have thousands of comments."""
    return make_world(platform={"accounts": 3, "videos": 12})


def read_day(world, *tables: str) -> dict[str, int]:
    """Ingest the upstreams of comments, then comments; return the calls per table."""
    calls = {}
    for table in ("videos", "video_totals", "comments", "comment_reads", *tables):
        calls[table] = world.ingest(table).calls
    return calls


def pages_of(world, operation: str = LIST) -> Counter[str]:
    """Requests per video."""
    return Counter({key.split("item_id=")[1].split("&")[0]: 0 for key in world.requested(operation)}) + Counter(
        key.split("item_id=")[1].split("&")[0] for key in world.requested(operation)
    )


def born(world, dt: date = TODAY) -> dict[str, date | None]:
    """Publishing day of each video."""
    return {r["item_id"]: r["created_at"] and beijing_day(r["created_at"]) for r in world.rows("videos", dt)}


@pytest.mark.slow
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


def test_a_list_that_is_short_is_reported(world):
    read_day(world)
    totals = world.read("video_totals", TODAY)
    at = totals.column_names.index("comment_count")
    more = pa.array([(n or 0) + 1_000 for n in totals["comment_count"].to_pylist()], pa.int64())
    world.runtime.lake.write("video_totals", TODAY, totals.set_column(at, "comment_count", more))
    found = reconcile_comments(world.runtime.lake, TODAY)
    assert len(found.short) == found.videos > 0
    assert found.short[0].stated - found.short[0].listed >= 990


def test_the_next_day_requests_young_videos_and_what_changed(world):
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
    requested = set(pages_of(world))
    assert requested == young | changed
    assert requested != set(now), "quiet old videos are left alone"
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
    # No new comment is missed.
    before = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", first)}
    now = {r["item_id"]: r["comment_count"] for r in world.rows("video_totals", then)}
    fresh = Counter(c["item_id"] for c in world.rows("comments", then) if c["comment_id"] not in known)
    for item in large:
        assert fresh[item] <= 2 * (now[item] - before[item]), (
            "what is new, and at most some that stand in for deleted ones"
        )
    assert sum(fresh[item] for item in large) > 0


@pytest.mark.slow
def test_what_disappeared_is_distinguished_from_what_was_not_read(world):
    world.at("2026-11-18T11:30:00+08:00")
    read_day(world)
    world.at("2026-11-22T11:30:00+08:00")
    read_day(world)
    first, later = date(2026, 11, 18), date(2026, 11, 22)
    whole = {r["item_id"] for r in world.rows("comment_reads", later) if r["is_whole"]}
    then = {(c["item_id"], c["comment_id"]) for c in world.rows("comments", first) if c["item_id"] in whole}
    now = {(c["item_id"], c["comment_id"]) for c in world.rows("comments", later)}
    assert then - now, "a comment was withdrawn within four days"
    assert then & now


@pytest.mark.slow
def test_replies_are_requested_for_comments_that_have_some(world):
    read_day(world, "comment_replies")
    wanted = {c["comment_id"] for c in world.rows("comments", TODAY) if c["reply_count"]}
    assert {key.split("comment_id=")[1].split("&")[0] for key in world.requested(REPLIES)} == wanted
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
        requested = any(c["comment_id"] in key for key in world.requested(REPLIES))
        if c["reply_count"] and old.get(c["comment_id"]) == c["reply_count"] <= known[c["comment_id"]]:
            assert not requested, "all its replies are known"


@pytest.mark.slow
def test_an_account_whose_comments_failed_requests_the_same_videos_again(world):
    world.restart(comment_reread_days=0)
    read_day(world)
    world.at("2026-11-17T11:30:00+08:00")
    world.ingest("videos")
    world.ingest("video_totals")
    world.clear()
    world.fault(LIST, "busy", account=1, times=None)
    world.ingest("comments")
    assert world.status("comments", TOMORROW)[1].status in (Outcome.FAILED, Outcome.PARTIAL)
    missed = {key.split("item_id=")[1].split("&")[0] for key in world.requested(LIST) if world.accounts[1] in key}
    world.clear()
    world.at("2026-11-18T11:30:00+08:00")
    read_day(world)
    requested = {key.split("item_id=")[1].split("&")[0] for key in world.requested(LIST) if world.accounts[1] in key}
    listed = {r["item_id"] for r in world.rows("video_totals", date(2026, 11, 18)) if r["comment_count"]}
    assert missed & listed <= requested, "compared with the last day that was read, not with yesterday"


def changed(rows: pa.Table, **columns: dict[str, object]) -> pa.Table:
    """Rows with other values in some columns; keyed by the column that names the row."""
    found = rows.to_pylist()
    for row in found:
        for column, values in columns.items():
            row[column] = values.get(row["comment_id" if "comment_id" in row else "item_id"], row[column])
    return pa.Table.from_pylist(found, rows.schema)


@pytest.mark.slow
def test_age_is_measured_in_beijing_days(world):
    """Age is counted in Beijing days, although before eight in the morning UTC still has the day before."""
    read_day(world)
    world.at("2026-11-17T11:30:00+08:00")
    lake, app = world.runtime.lake, world.config.client_key

    def carried_over(table: str) -> pa.Table:
        """Yesterday's rows as today's: no count has changed."""
        rows = world.read(table, TODAY)
        return rows.set_column(
            rows.column_names.index("dt"), rows.schema.field("dt"), pa.array([TOMORROW] * rows.num_rows, pa.date32())
        )

    def requested(operation: str, param: str) -> list[str]:
        return [
            s.params[param]
            for s in subjects_of(FetchContext(world.runtime, app, ENDPOINTS[operation], (TOMORROW,)))
            if s.params
        ]

    totals, videos, comments = (carried_over(table) for table in ("video_totals", "videos", "comments"))
    item, open_id = min((r["item_id"], r["open_id"]) for r in totals.to_pylist() if r["comment_count"])
    comment, at = next((c["comment_id"], c["observed_at"]) for c in comments.to_pylist() if c["item_id"] == item)
    reply = {
        "dt": TODAY,
        "observed_at": at,
        "source": REPLIES,
        "client_key": app,
        "open_id": open_id,
        "item_id": item,
        "comment_id": comment,
        "reply_id": "r",
    }
    lake.write("comment_replies", TODAY, pa.Table.from_pylist([reply], arrow_schema(TABLES["comment_replies"])))
    lake.write("video_totals", TOMORROW, totals)
    first = datetime.combine(TOMORROW - timedelta(days=world.runtime.settings.comment_reread_days), time(), BEIJING)
    for edge, young in (
        (first - timedelta(seconds=1), False),
        (first, True),
        (first + timedelta(hours=7, minutes=59), True),
        (first + timedelta(hours=8), True),
    ):
        others = edge - timedelta(days=90)
        lake.write(
            "videos",
            TOMORROW,
            changed(videos, created_at={i: edge if i == item else others for i in videos["item_id"].to_pylist()}),
        )
        assert requested(LIST, "item_id") == [item] * young, edge
        every = comments["comment_id"].to_pylist()
        created = {c: edge if c == comment else others for c in every}
        lake.write(
            "comments",
            TOMORROW,
            changed(comments, created_at=created, reply_count=dict.fromkeys(every, 0) | {comment: 1}),
        )
        assert requested(REPLIES, "comment_id") == [comment] * young, "all replies of an old one are known"
