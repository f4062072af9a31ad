"""An app that owns few capabilities: the missing ones, their consequences and the remedy are reported.

None of them counts as a failure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from installation import TODAY, YESTERDAY

from assets.tables import _only_waiting
from catalog import endpoints_of
from catalog.endpoints._columns import WEB_ONLY
from catalog.records import AppType
from resources.state.load_status import Outcome, read_load_status, scopes_refused
from services.alerts.conditions import lacking
from services.capabilities.coverage import NOT_OWNED, OWNED, WITHDRAWN
from services.capabilities.standing import Lack, Standing

FIVE = ("user_info", "fans.data.bind", "data.external.user", "data.external.item", "item.comment")
WATCH_VIDEO = "`douyin watch add video ITEM_ID --account OPEN_ID`"
APPLY = (
    "apply for `video.list.bind` on the app's capability page (能力管理) in the platform's console, then `douyin "
    "coverage --enable video_list`"
)


@pytest.fixture
def poor(make_world):
    """An app with five scopes, none of which gives a list of videos."""
    return make_world(platform={"scopes": FIVE, "videos": 12})


def standing(world) -> Standing:
    return Standing(world.runtime, world.config.client_key)


def test_the_effects_of_a_missing_capability_are_reported_with_the_way_out(poor):
    for table in ("videos", "video_totals", "user_fans"):
        assert poor.ingest(table).failures() == []
    poor.clear()
    for table, upstream in (
        ("item_play", "videos"),
        ("item_base", "videos"),
        ("comments", "video_totals"),
        ("comment_replies", "comments"),
    ):
        done = poor.ingest(table)
        assert {s.status for s in done.statuses} == {Outcome.UNAVAILABLE}, table
        (reason,) = {s.reason for s in done.statuses}
        assert reason == (
            f"`{upstream}` cannot be had: the app does not own `video_list`, and no video is watched. "
            f"{WATCH_VIDEO}, or {APPLY}"
        )
        assert done.failures() == []
        assert not poor.runtime.lake.days(table)
    assert poor.calls() == 0
    assert poor.accounts_in("user_fans", YESTERDAY) == {0, 1, 2}, "what the app owns is collected"


def test_each_cause_stands_once_with_its_tables(poor):
    for table in ("videos", "video_totals", "hot_words", "fans_sources", "user_fans"):
        poor.ingest(table)
    causes = {one.what: one for one in standing(poor).missing}
    assert causes.keys() == {
        "scope video.list.bind",
        "scope data.external.fans_source",
        "no longer granted by the platform",
    }
    videos = causes["scope video.list.bind"]
    assert videos.tables == ("videos", "video_totals")
    assert videos.follows == (
        "item_base",
        "item_like",
        "item_comment",
        "item_play",
        "item_share",
        "comments",
        "comment_reads",
        "comment_replies",
    )
    assert (videos.since, videos.way_out) == (TODAY, f"{WATCH_VIDEO}, or {APPLY}")
    gone = causes["no longer granted by the platform"]
    assert (gone.operations, gone.follows, gone.can_be_had) == (("hotsearch_sentences",), ("hot_word_videos",), False)
    assert gone.way_out.startswith("nothing to do")
    counted = standing(poor).counted()
    assert (counted[OWNED], counted[NOT_OWNED], counted[WITHDRAWN]) == (1, 3, 0)


def test_it_changes_when_something_is_lost_or_gained_and_at_no_other_time(poor):
    assert standing(poor).fingerprint == ""
    assert lacking(poor.runtime) == []
    poor.ingest("fans_sources")
    first = standing(poor).fingerprint
    poor.at("2026-11-17T11:00:00+08:00")
    poor.ingest("fans_sources")
    poor.fault("user_fans", "busy", times=None)
    poor.ingest("user_fans", TODAY)
    assert standing(poor).fingerprint == first, "another day, and a failure, change nothing of it"
    poor.ingest("fans_interests")
    assert standing(poor).fingerprint != first
    poor.switch_on("fans_favourite")
    assert standing(poor).fingerprint == first
    (reported,) = lacking(poor.runtime)
    assert (reported.subject, reported.stage) == (poor.config.client_key, first)


def test_a_table_that_only_web_apps_have_is_unavailable_to_mini_apps(make_world, monkeypatch):
    """A run of a mini-app does not fail because of it."""
    served = tuple(replace(e, apps=WEB_ONLY) for e in endpoints_of("hot_words"))
    monkeypatch.setattr("services.ingest.run.endpoints_of", lambda table: served)
    done = make_world(app_type=AppType.MINI_APP).ingest("hot_words")
    assert [(s.status, s.reason) for s in done.statuses] == [(Outcome.UNAVAILABLE, str(Lack(has_endpoint=False)))]
    assert (done.calls, done.failures(), _only_waiting(done)) == (0, [], True)
    web = make_world(home="web").ingest("hot_words")
    assert {s.status for s in web.statuses} == {Outcome.LOADED}


def test_an_app_without_lists_requests_what_is_watched(make_world):
    """Mini-apps know videos by id alone: the remedy is the watch list, for each account."""
    world = make_world(platform={"videos": 12}, app_type=AppType.MINI_APP)
    world.ingest("videos")
    done = world.ingest("item_play")
    assert {(s.status, s.reason) for s in done.statuses} == {
        (Outcome.NOT_ASKED, f"`videos` cannot be had: no video is watched. {WATCH_VIDEO}")
    }
    assert {one.what for one in standing(world).missing} == {"no video is watched"}
    assert standing(world).fingerprint == "", "no capability is lacking"

    world.at("2026-11-16T12:00:00+08:00")
    listed = make_world(home="other", platform={"videos": 12})
    listed.ingest("videos")
    young = max(
        listed.rows("videos", TODAY),
        key=lambda r: (
            r["open_id"] == listed.accounts[0],
            r["created_at"] or listed.runtime.clock.now() - timedelta(days=999),
        ),
    )
    world.watch(("video", young["item_id"]))
    assert "videos" not in standing(world).lacks
    world.ingest("videos")
    done = world.ingest("item_play")
    reported = {world.accounts.index(s.open_id): s for s in done.statuses if s.open_id}
    assert reported[0].status is Outcome.LOADED
    for account in (1, 2):
        assert reported[account].status is Outcome.NOT_ASKED
        assert "douyin watch add video" in reported[account].reason


def test_an_old_list_says_nothing_of_the_videos_since(make_world):
    """A lost capability: once the known videos are old, "no young video" would be unfounded."""
    world = make_world(platform={"videos": 12})
    world.ingest("videos")
    world.fault("video_list", "capability_missing", times=None)
    world.at("2026-11-17T11:00:00+08:00")
    world.ingest("videos")
    assert Outcome.LOADED in {s.status for s in world.ingest("item_play", TODAY).statuses}, (
        "what is known is requested until it is old"
    )
    world.at("2027-02-01T11:00:00+08:00")
    done = world.ingest("item_play", TODAY.replace(year=2027, month=1, day=31))
    assert {s.status for s in done.statuses} == {Outcome.UNAVAILABLE}
    assert all("the app does not own `video_list`" in s.reason for s in done.statuses)


def test_a_watched_place_is_requested_although_the_list_of_claims_is_lost(make_world):
    world = make_world()
    world.ingest("poi_claims")
    poi = world.rows("poi_claims", TODAY)[0]["poi_id"]
    lost = make_world(home="lost")
    lost.fault("poi_claim_list", "capability_offline", times=None)
    lost.ingest("poi_claims")
    (reported,) = lost.ingest("poi_views").statuses
    assert reported.status is Outcome.UNAVAILABLE
    assert "`douyin watch add poi …`" in reported.reason
    lost.watch(("poi", poi))
    assert "poi_views" not in standing(lost).lacks
    assert {s.status for s in lost.ingest("poi_views").statuses} == {Outcome.LOADED}


def test_a_consent_that_an_owner_did_not_give_is_named(world):
    """28001012 is about one scope of one account; the others go on."""
    world.fault("user_share", "busy", 1, times=None, code=28001012)
    done = world.ingest("user_share")
    assert done.failures() == []
    assert world.accounts_in("user_share", YESTERDAY) == {0, 2}
    (missing,) = standing(world).consents
    assert (missing.account.open_id, missing.scopes, missing.operations) == (
        world.accounts[1],
        ("data.external.user",),
        ("user_share",),
    )
    assert missing.way_out == "`douyin authorize` with the account's owner, who ticks data.external.user"
    assert lacking(world.runtime)[0].stage == standing(world).fingerprint != ""

    world.clear()
    world.restart()
    world.ingest("user_share")
    assert standing(world).consents == []
    assert scopes_refused(world.runtime.state, world.config.client_key, YESTERDAY) == []


def test_when_no_owner_gave_it_what_follows_is_known_too(world):
    world.fault("intention_log_list", "busy", times=None, code=28001012)
    assert world.ingest("lead_events").failures() == []
    done = world.ingest("im_consent_status")
    assert {s.status for s in done.statuses} == {Outcome.NEEDS_CONSENT}
    assert done.failures() == []
    assert {s.table_name for s in read_load_status(world.runtime.state, outcomes=[Outcome.FAILED])} == set()
