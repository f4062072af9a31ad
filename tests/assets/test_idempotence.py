"""A second run gives the same bytes and requests nothing that the archive has.

After an interruption only the rest is requested.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta

import children
import pytest
from installation import START, TODAY, YESTERDAY, World
from patience import scaled

from catalog import ENDPOINTS, TABLES, endpoints_of
from resources.client.client import DouyinClient
from resources.state.load_status import Outcome
from services.ingest.fetch_context import UpstreamMissing

SOME = (
    "hot_words",
    "hot_words_rising",
    "hot_word_videos",
    "billboard_music",
    "fans_distributions",
    "videos",
    "video_totals",
    "item_base",
    "item_play",
    "user_fans",
)
"""A table of every kind: app and account level, paged, iterating over words and videos, nested, series."""


def load(world, tables=SOME, *dts: date, call: bool = True) -> int:
    """Ingest tables; return the number of calls."""
    return sum(world.ingest(table, *dts, call=call).calls for table in tables)


# --------------------------------------------------------------------------- the same day again


@dataclass(frozen=True)
class Day:
    """A day of all tables, loaded once for the tests here that examine everything, since it takes seconds."""

    world: World
    calls: int
    requested: dict[str, dict[str, int]]
    """Requests per operation and request key."""
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def day(platforms, tmp_path_factory):
    world = World(
        *platforms(accounts=4, videos=12, most_fans=60_000), home=tmp_path_factory.mktemp("day") / "home", options={}
    )
    world.clear()
    world.open().at(START).authorize().watch(("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001"))
    world.receive()
    calls = load(world, TABLES)
    yield Day(world, calls, {name: world.requested(name) for name in ENDPOINTS}, world.lake_files())
    world.runtime.close()
    world.clear()


@pytest.mark.slow
def test_a_day_makes_each_call_at_most_once(day):
    """All tables, one after the other."""
    twice = {name: [key for key, n in keys.items() if n > 1] for name, keys in day.requested.items()}
    assert {name: keys for name, keys in twice.items() if keys} == {}
    assert {name for name, keys in day.requested.items() if keys} >= {
        "item_comment_reply_list",
        "leads_tag_user_list",
        "im_message_resources",
    }
    assert day.calls == sum(sum(keys.values()) for keys in day.requested.values()) > 250
    assert {name.split("/")[0] for name in day.files} == TABLES.keys()


@pytest.mark.slow
def test_the_same_day_twice_gives_the_same_bytes_and_requests_nothing(day):
    world = day.world
    world.clear()
    assert load(world, TABLES) == 0
    assert world.calls() == 0
    assert world.lake_files() == day.files

    # Lake and warehouse lost: normalised again from the archive alone.
    shutil.rmtree(world.runtime.lake.root)
    world.runtime.warehouse.path.unlink(missing_ok=True)
    assert load(world, TABLES, call=False) == 0
    assert world.calls() == 0
    assert world.lake_files() == day.files


def test_another_process_later_in_the_slot_requests_nothing(world):
    load(world)
    first = world.lake_files()
    world.clear()
    world.restart()
    world.at("2026-11-16T11:40:00+08:00")
    assert load(world) == 0
    assert world.calls() == 0
    assert world.lake_files() == first


@pytest.mark.slow
def test_two_installations_that_see_the_same_have_the_same_bytes(make_world):
    # One response a segment, against one segment for all; one call at a time, against sixteen.
    slow, fast = make_world(home="slow", concurrency=1, flush_s=1e-9), make_world(home="fast", flush_s=60)
    load(slow)
    load(fast)
    assert slow.lake_files() == fast.lake_files()
    segments = [len(list((w.runtime.archive.root / "video_list").rglob("*.zst"))) for w in (slow, fast)]
    assert segments[0] > segments[1] == 1


def test_normalising_again_does_not_change_files(world):
    load(world)
    root = world.runtime.lake.root
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*.parquet")}
    for table in SOME:
        assert not any(world.ingest(table, call=False).changes.values())
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*.parquet")} == before


def test_the_archive_alone_does_not_turn_failures_into_successes(world):
    world.ingest("videos")
    world.restart(concurrency=1)
    world.fault("item_play", "busy", 1, times=5)
    world.ingest("item_play")
    before = world.status("item_play", YESTERDAY)
    assert before[1].status is Outcome.PARTIAL
    world.ingest("item_play", call=False)
    after = world.status("item_play", YESTERDAY)
    assert {n: (s.status, s.rows) for n, s in after.items()} == {n: (s.status, s.rows) for n, s in before.items()}
    assert (after[1].code, after[1].reason) == (before[1].code, before[1].reason)


# --------------------------------------------------------------------------- a new slot


def test_an_hour_later_observations_are_added_to_the_same_file(world):
    world.ingest("hot_words")
    first = world.rows("hot_words", TODAY)
    world.clear()
    world.at("2026-11-16T12:05:00+08:00")
    assert world.ingest("hot_words").calls == world.calls("hotsearch_sentences") == 1
    rows = world.rows("hot_words", TODAY)
    assert len({r["observed_at"] for r in rows}) == 2
    assert [r for r in rows if r["observed_at"] == first[0]["observed_at"]] == first
    assert len(rows) == 100
    assert [str(p.relative_to(world.runtime.lake.root)) for p in world.runtime.lake.root.rglob("*.parquet")] == [
        "hot_words/dt=2026-11-16/data.parquet"
    ]
    assert world.ingest("hot_words").calls == 0


def test_a_listing_keeps_one_row_of_a_day_per_video(world):
    world.ingest("videos")
    first = {r["item_id"]: r for r in world.rows("videos", TODAY)}
    world.at("2026-11-16T11:30:00+08:00")
    assert world.ingest("videos").calls == 0, "10:00 to midnight is one slot of a daily snapshot"
    assert {r["item_id"]: r for r in world.rows("videos", TODAY)} == first


def test_what_was_requested_before_ten_is_requested_again_after_it(world):
    world.at("2026-11-16T09:00:00+08:00")
    assert world.ingest("fans_profile").calls == 3
    world.at("2026-11-16T10:45:00+08:00")
    assert world.ingest("fans_profile").calls == 3
    assert len(world.rows("fans_profile", TODAY)) == 6


# --------------------------------------------------------------------------- broken off


class _Broken(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("survivors", [0, 1, 7, 20])
def test_after_an_exception_only_the_rest_is_requested(make_world, monkeypatch, survivors: int):
    """The process dies of an unexpected error after so many responses."""
    whole = make_world(home="whole")
    load(whole, ("videos", "item_play"))
    expected, needed = whole.lake_files(), whole.calls("item_play")
    assert needed > 25
    whole.clear()

    world = make_world(home="broken", concurrency=1)
    world.ingest("videos")
    world.clear()
    answered = 0
    ask = DouyinClient.fetch

    async def dies(self, *args, **more):
        nonlocal answered
        if answered == survivors:
            raise _Broken
        answer = await ask(self, *args, **more)
        answered += 1
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(DouyinClient, "fetch", dies)
        with pytest.raises((BaseExceptionGroup, _Broken)):
            world.ingest("item_play")
    assert world.calls("item_play") == survivors
    assert not world.runtime.lake.path("item_play", YESTERDAY).exists(), "half a day is no day"

    world.restart()
    assert world.ingest("item_play").calls == needed - survivors
    assert set(world.requested("item_play").values()) == {1}, "nothing was requested twice"
    assert world.lake_files() == expected


_CHILD = """
import sys
from datetime import date, datetime
from pathlib import Path
from pydantic import SecretStr
from services.ingest.run import ingest
from catalog import TABLES
from resources.runtime import Runtime
from resources.config.settings import Settings
home, url, now = sys.argv[1:]
from apps.cli.simulation import SANDBOX_TOKEN_KEY
runtime = Runtime(Settings(_env_file=None, home=home, base_url=url, clock=now,
                           client_key="sandbox-key", client_secret="sandbox-secret",
                           token_key=SANDBOX_TOKEN_KEY, qps=1000, flush_s=0.05, concurrency=2))
ingest(runtime, TABLES["item_play"], [date(2026, 11, 15)])
"""


@pytest.mark.slow
def test_killed_at_any_instant_the_lake_ends_as_if_undisturbed(make_world):
    slow = {"latency_ms": 40}
    whole = make_world(home="whole", platform=slow)
    load(whole, ("videos", "item_play"))
    expected, needed = whole.lake_files(), whole.calls("item_play")
    world = make_world(home="killed", platform=slow)
    world.ingest("videos")
    world.runtime.close()
    world.clear()
    child = children.start(
        [sys.executable, "-c", _CHILD, str(world.home), world.url, world.now],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    try:
        deadline = time.monotonic() + scaled(60)
        while world.calls("item_play") < 15:
            assert child.poll() is None, "the child ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        children.end(child)

    before = world.calls("item_play")
    world.restart(concurrency=16)
    archived = len(world.archived("item_play"))
    assert 0 < archived <= before < needed
    assert world.ingest("item_play").calls == needed - archived
    # At 2 x 25 calls a second: responses of the last 0.05 s + the flusher's 0.025 s, and calls in flight.
    assert world.calls("item_play") - needed <= 10
    assert world.lake_files() == expected


@pytest.mark.parametrize("kind", ["cut", "http_502", "truncated_json"])
def test_a_paged_list_that_broke_off_goes_on_at_its_page(make_world, kind: str):
    whole = make_world(home="whole")
    whole.ingest("videos")
    expected = whole.lake_files()
    pages = whole.calls_of("video_list", 0)
    assert pages == 3

    world = make_world(home="broken")
    world.fault("video_list", kind, 0, times=5, after=1)
    done = world.ingest("videos")
    assert world.status("videos", TODAY)[0].status is Outcome.FAILED
    assert world.status("videos", TODAY)[0].calls == 1 + 5
    assert world.accounts_in("videos", TODAY) == {1, 2}, "one page of three is no list"
    assert len(done.failures()) == 1

    world.clear()
    world.restart()
    assert world.ingest("videos").calls == world.calls("video_list") == pages - 1
    assert not any("cursor=0&" in key for key in world.requested("video_list"))
    assert world.lake_files() == expected
    entries = [e for e in world.archived("video_list") if e.open_id == world.accounts[0] and e.ok]
    assert [e.page for e in entries] == [1, 2, 3]
    assert len({e.sequence for e in entries}) == len({e.began_at for e in entries}) == 1


def test_a_list_that_broke_off_in_an_earlier_slot_begins_anew(world):
    world.fault("hotsearch_trending_sentences", "busy", times=5, after=1)
    assert world.ingest("hot_words_rising").missing == [TODAY]
    assert world.status("hot_words_rising", TODAY)["hotsearch_trending_sentences"].status is Outcome.FAILED
    world.clear()
    world.at("2026-11-16T12:05:00+08:00")
    world.ingest("hot_words_rising")
    assert any("cursor=0" in key for key in world.requested("hotsearch_trending_sentences"))
    assert len({r["observed_at"] for r in world.rows("hot_words_rising", TODAY)}) == 1, (
        "two halves of two hours are no list"
    )


# --------------------------------------------------------------------------- days that cannot be had


@pytest.mark.parametrize("table", ["hot_words", "billboard_live", "fans_profile", "videos", "item_base"])
def test_a_past_snapshot_without_an_archive_is_not_invented(world, table: str):
    world.ingest("videos", TODAY)
    world.clear()
    past = YESTERDAY
    done = world.ingest(table, past)
    assert (done.missing, done.partitions, done.statuses) == ([past], {}, [])
    assert world.calls() == 0
    assert not world.runtime.lake.path(table, past).exists()


def test_a_past_snapshot_comes_from_the_archive(world):
    world.ingest("hot_words")
    world.ingest("fans_profile")
    before = world.lake_files()
    world.at("2026-11-19T11:00:00+08:00")
    shutil.rmtree(world.runtime.lake.root)
    world.clear()
    for table in ("hot_words", "fans_profile"):
        assert world.ingest(table, TODAY).missing == []
        assert {s.status for s in world.status(table, TODAY).values()} == {Outcome.LOADED}
    assert world.calls() == 0
    assert world.lake_files() == before


def test_yesterdays_series_before_ten_is_not_ready_and_requested_again(world):
    world.at("2026-11-16T09:30:00+08:00")
    done = world.ingest("user_fans")
    assert done.missing == [YESTERDAY]
    assert done.calls == 3
    assert not world.runtime.lake.path("user_fans", YESTERDAY).exists()
    for reported in world.status("user_fans", YESTERDAY).values():
        assert (reported.status, reported.code, reported.rows) == (Outcome.NOT_READY, 0, 0)
        assert reported.reason == "the series ends on 2026-11-14, 2026-11-15 is not produced yet"
    assert done.failures() == []
    # The day before is known from the same response, without another call.
    assert world.ingest("user_fans", date(2026, 11, 14)).calls == 0
    assert world.accounts_in("user_fans", date(2026, 11, 14)) == {0, 1, 2}

    world.at("2026-11-16T15:00:00+08:00")
    assert world.ingest("user_fans").calls == 3
    assert {s.status for s in world.status("user_fans", YESTERDAY).values()} == {Outcome.LOADED}
    assert world.accounts_in("user_fans", YESTERDAY) == {0, 1, 2}
    assert world.ingest("user_fans").calls == 0


@pytest.mark.slow
def test_a_window_is_requested_once_and_fills_every_day_in_it(world):
    days = [YESTERDAY - timedelta(days=n) for n in range(30)]
    done = world.ingest("user_fans", *days)
    assert done.calls == world.calls("user_fans") == 3
    assert all("date_type=30" in key for key in world.requested("user_fans"))
    assert (sorted(done.partitions), done.missing) == (sorted(days), [])
    assert {len(world.rows("user_fans", d)) for d in days} == {3}
    world.clear()
    for day in days[:9]:
        assert world.ingest("user_fans", day).calls == 0
    assert world.calls() == 0


def test_the_shortest_window_that_reaches_is_requested(world):
    for reach, window in ((1, 7), (7, 7), (8, 15), (15, 15), (16, 30), (30, 30)):
        world.clear()
        table = {7: "user_fans", 15: "user_like", 30: "user_share"}[window]
        shutil.rmtree(world.runtime.archive.root / table, ignore_errors=True)
        world.ingest(table, TODAY - timedelta(days=reach))
        assert all(f"date_type={window}&" in key for key in world.requested(table)), reach
        assert world.calls(table) == 3


def test_a_day_older_than_the_window_is_refused_plainly(world):
    old = TODAY - timedelta(days=31)
    done = world.ingest("user_fans", old)
    assert (done.missing, done.calls, world.calls()) == ([old], 0, 0)
    for reported in world.status("user_fans", old).values():
        assert reported.status is Outcome.FAILED
        assert reported.reason == "older than the platform's window of 30 days and not in the archive"
    assert not world.runtime.lake.path("user_fans", old).exists()
    # Together with available days, those are loaded.
    done = world.ingest("user_fans", old, YESTERDAY)
    assert (done.missing, sorted(done.partitions), done.calls) == ([old], [YESTERDAY], 3)


def test_a_day_older_than_the_window_comes_from_the_archive(world):
    world.ingest("user_fans")
    before = world.lake_files()
    world.at("2027-01-20T11:00:00+08:00")
    shutil.rmtree(world.runtime.lake.root)
    world.clear()
    done = world.ingest("user_fans")
    assert (done.missing, world.calls()) == ([], 0)
    assert world.lake_files() == before
    assert {s.status for s in world.status("user_fans", YESTERDAY).values()} == {Outcome.LOADED}


def test_what_is_iterated_over_must_be_there(world):
    with pytest.raises(UpstreamMissing, match="materialise `videos` first"):
        world.ingest("item_play")
    with pytest.raises(UpstreamMissing, match="materialise `hot_words` first"):
        world.ingest("hot_word_videos")


def test_without_accounts_it_is_said_how_to_get_them(make_world):
    done = make_world(authorize=False).ingest("user_fans")
    assert [(s.status, s.open_id, s.reason) for s in done.statuses] == [
        (Outcome.NEEDS_CONSENT, "", "no account is authorised: `douyin authorize`")
    ]
    assert done.calls == 0
    assert done.failures() == []


def test_an_account_added_later_is_requested_alone(make_world):
    world = make_world()
    from resources.state.accounts import AccountStatus, set_status

    set_status(world.runtime.state, "sandbox-key", world.accounts[1], AccountStatus.STOPPED, "stopped by a person")
    assert world.ingest("user_fans").calls == 2
    assert world.status("user_fans", YESTERDAY)[1].status is Outcome.STOPPED
    set_status(world.runtime.state, "sandbox-key", world.accounts[1], AccountStatus.ACTIVE)
    world.restart()
    world.clear()
    assert world.ingest("user_fans").calls == world.calls_of("user_fans", 1) == 1
    assert world.accounts_in("user_fans", YESTERDAY) == {0, 1, 2}


def test_tables_that_are_filled_by_the_same_answers_share_the_archive(world):
    assert {e.name for e in endpoints_of("videos")} == {e.name for e in endpoints_of("video_totals")} | {
        "video_basic_info"
    }
    assert world.ingest("videos").calls > 0
    assert world.ingest("video_totals").calls == 0
    assert world.ingest("fans_profile").calls == 3
    for table in ("fans_distributions", "fans_flow"):
        assert world.ingest(table).calls == 0
