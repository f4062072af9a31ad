"""Which subjects endpoints iterate over, in which order, and that futile requests are not made.

That a day makes each call at most once is tested in ``test_idempotence.py``, which loads a day of all tables anyway.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from installation import TODAY

from catalog import ENDPOINTS, TABLES
from catalog.iterations import IterateBy
from catalog.records import AppType
from catalog.requests import ParamSource
from resources.state.load_status import Outcome

WATCHED = (("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))


@pytest.fixture
def world(make_world):
    return make_world(platform={"accounts": 4, "videos": 12}).watch(*WATCHED)


def test_upstream_comes_before_what_iterates_over_it():
    order = list(TABLES)
    from catalog.iterations import ITERATIONS

    for endpoint in ENDPOINTS.values():
        upstream = ITERATIONS[endpoint.over].table
        for table in endpoint.tables:
            if upstream and upstream != table:
                assert order.index(upstream) < order.index(table), f"{table} goes through {upstream}"


def test_series_of_videos_older_than_thirty_days_are_not_requested(world):
    world.ingest("videos")
    world.ingest("item_play")
    requested = {key.split("item_id=")[1].split("&")[0] for key in world.requested("item_play")}
    oldest = TODAY - timedelta(days=30)
    young = {
        r["item_id"]
        for r in world.rows("videos", TODAY)
        if r["created_at"] is not None and (r["created_at"] + timedelta(hours=8)).date() >= oldest
    }
    assert requested == young
    assert len(requested) < len(world.rows("videos", TODAY))


def test_an_account_that_is_too_small_is_requested_again_after_a_week(world):
    """Account 2 has fewer than 3,000 fans, account 3 fewer than 100."""
    requested: dict[date, Counter[int]] = {}
    for n in range(9):
        day = TODAY + timedelta(days=n)
        world.at(f"{day}T11:00:00+08:00")
        world.clear()
        world.ingest("fans_interests")
        requested[day] = Counter({account: world.calls_of("fans_favourite", account) for account in range(4)})
    for account in (0, 1):
        assert [requested[day][account] for day in requested] == [1] * 9, "large accounts are requested every day"
    for account in (2, 3):
        assert [requested[day][account] for day in requested] == [1, 0, 0, 0, 0, 0, 0, 1, 0], "small ones weekly"
    reported = world.status("fans_interests", TODAY + timedelta(days=3))[2]
    assert reported.status is Outcome.BELOW_THRESHOLD
    assert "requested again on 2026-11-23" in reported.reason


def test_several_videos_share_one_request(world):
    """Mini-apps have no list of videos.

    Watched and known videos are requested by id, as many at once as one request takes.
    """
    world.ingest("videos")
    listed = [r["item_id"] for r in world.rows("videos", TODAY) if r["open_id"] == world.accounts[0]]
    world.watch(*(("video", item) for item in listed))
    world.at("2026-11-17T10:45:00+08:00")
    world.clear()
    world.ingest("videos")
    assert world.calls("video_data") == 0, "the account's own list shows them, and has more"
    for table in ("videos", "video_totals"):
        world.runtime.lake.remove(table, TODAY)
        world.runtime.lake.remove(table, TODAY + timedelta(days=1))

    world.restart(app_type=AppType.MINI_APP)
    world.at("2026-11-18T10:45:00+08:00")
    world.clear()
    world.ingest("videos")
    batch = next(p.batch for p in ENDPOINTS["video_query_apps_v1"].params if p.batch)
    assert world.calls("video_query_apps_v1") == world.calls() == -(-len(listed) // batch)
    assert {r["item_id"] for r in world.rows("videos", TODAY + timedelta(days=2))} <= set(listed)
    assert world.ingest("videos").calls == 0
    assert world.ingest("video_totals").calls == 0


def test_a_watch_list_without_words_is_no_failure(make_world):
    world = make_world()
    done = world.ingest("search_videos")
    assert world.calls("video_search") == 0
    assert done.failures() == []
    (reported,) = done.statuses
    assert reported.status is Outcome.NOT_ASKED
    assert "douyin watch add keyword" in reported.reason
    assert done.missing == [TODAY], "and nothing is shown as loaded"


def test_every_subject_is_named_by_parameters_that_exist():
    for endpoint in ENDPOINTS.values():
        if endpoint.over not in (IterateBy.NOTHING, IterateBy.ACCOUNTS):
            assert any(p.fill is ParamSource.SUBJECT for p in endpoint.params), endpoint.name
