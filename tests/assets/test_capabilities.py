"""Capabilities that the app does not own, or that are offline, are switched off with a plain reason.

They cause neither a failed run every day nor an empty success.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from installation import TODAY

from catalog import OPERATIONS
from resources.state.capabilities import read_capabilities, switch_on
from resources.state.load_status import Outcome, read_load_status
from services.capabilities.coverage import NEVER_TRIED, NOT_OWNED, OWNED, WITHDRAWN, coverage_of

TOMORROW = TODAY + timedelta(days=1)


def here(world) -> dict[str, str]:
    key = world.config.client_key
    return {
        c.operation: c.here for c in coverage_of(world.runtime.state, key, world.runtime.settings.for_app(key).app_type)
    }


def test_a_capability_that_the_app_lacks_is_tried_once(make_world):
    world = make_world(platform={"lacking": ("data.external.fans_source",)})
    world.ingest("fans_sources")
    assert world.calls("fans_source") <= len(world.accounts)
    assert {s.status for s in world.status("fans_sources", TODAY).values()} == {Outcome.UNAVAILABLE}
    assert not world.runtime.lake.path("fans_sources", TODAY).exists(), "never an empty success"

    world.clear()
    world.at("2026-11-17T11:00:00+08:00")
    world.ingest("fans_sources")
    assert world.calls() == 0
    (reported,) = read_load_status(world.runtime.state, table="fans_sources", dts=[TOMORROW])
    assert reported.status is Outcome.UNAVAILABLE
    assert reported.code == 28001018
    assert "douyin coverage --enable fans_source" in reported.reason
    assert "2026-11-16" in reported.reason

    # The operator switches it on: the next run tries it.
    assert switch_on(world.runtime.state, world.config.client_key, "fans_source")
    world.ingest("fans_sources")
    assert world.calls("fans_source") >= 1
    reported = read_load_status(world.runtime.state, table="fans_sources", dts=[TOMORROW])
    assert {s.open_id for s in reported} == set(world.accounts), "the line that spoke for all of them is gone"


def test_what_comes_back_is_collected_again(world):
    world.fault("user_share", "capability_offline", times=None)
    world.ingest("user_share")
    assert here(world)["user_share"] == WITHDRAWN
    world.clear()
    assert world.ingest("user_share").calls == 0
    switch_on(world.runtime.state, world.config.client_key, "user_share")
    assert here(world)["user_share"] == NEVER_TRIED
    world.restart()  # the next run is another process
    done = world.ingest("user_share")
    assert not done.failures()
    assert done.partitions
    assert here(world)["user_share"] == OWNED


def test_coverage_lists_every_operation_and_what_calls_showed(make_world):
    world = make_world(platform={"lacking": ("data.external.fans_source",)})
    for table in ("hot_words", "fans_sources", "user_fans"):
        world.ingest(table)
    found = here(world)
    assert set(found) == set(OPERATIONS)
    assert found["hotsearch_sentences"] == found["user_fans"] == OWNED
    assert found["fans_source"] == NOT_OWNED
    assert found["fans_data"] == NEVER_TRIED
    assert found["user_fans_apps_v1"] == "endpoint of other apps"
    assert found["im_send_msg"].startswith("writes")


@pytest.mark.slow
def test_another_operation_stands_in_for_the_one_that_the_app_lacks(make_world):
    world = make_world(platform={"accounts": 3, "videos": 12, "lacking": ("item.comment",)})
    for table in ("videos", "video_totals", "comments"):
        done = world.ingest(table)
    assert world.calls("video_comment_list") > 0, "in the same run"
    rows = world.rows("comments", TODAY)
    assert {r["source"] for r in rows} == {"video_comment_list"}
    # One of the three is no enterprise account, and says so.
    assert {s.status for s in done.statuses if s.operation == "video_comment_list"} == {Outcome.LOADED, Outcome.SKIPPED}
    known = read_capabilities(world.runtime.state, world.config.client_key)
    assert not known["item_comment_list"].owned
    assert known["video_comment_list"].owned


def test_where_the_app_owns_it_the_stand_in_is_not_called(make_world):
    world = make_world(platform={"accounts": 3, "videos": 12})
    for table in ("videos", "video_totals", "comments"):
        world.ingest(table)
    assert world.calls("video_comment_list") == 0
    assert "video_comment_list" not in {s.operation for s in read_load_status(world.runtime.state, table="comments")}
