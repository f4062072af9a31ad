"""Videos: their listing, the growth of their numbers, and that daily, rolling and lifetime numbers agree."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from sandbox_platform import NOW, code_of

from catalog.records import BEIJING

START = datetime.fromisoformat(NOW)
STATISTICS = ("play_count", "digg_count", "comment_count", "share_count", "download_count", "forward_count")
METRICS = {"play": "play_count", "like": "digg_count", "comment": "comment_count", "share": "share_count"}


def created_day(video):
    return datetime.fromtimestamp(int(video["create_time"]), BEIJING).date()


def shown(videos):
    return [v for v in videos if int(v["create_time"])]


def young(platform, account, days=29):
    return [v for v in shown(platform.videos(account)) if (START.date() - created_day(v)).days <= days]


def totals(video):
    return [int(video["statistics"][s]) for s in STATISTICS]


def series(platform, name, account, item_id=None, days=30):
    rows = platform.data(name, account, item_id=item_id, date_type=days)["result_list"] or []
    return {r.pop("date"): {k: int(v) for k, v in r.items()} for r in rows}


@pytest.mark.parametrize("account", range(5))
def test_listing_is_whole_newest_first_with_pinned_videos_in_front(platform, account):
    pages = platform.pages("video_list", account, 20)
    rows = [v for page in pages for v in page["list"] or ()]
    unique = {v["item_id"]: v for v in rows}
    assert 30 <= len(unique) <= 50
    pinned = {v["item_id"] for v in rows if v["is_top"]}
    assert {v["item_id"] for v in pages[0]["list"][: len(pinned)]} == pinned
    times = [int(v["create_time"]) for v in rows[len(pinned) :] if int(v["create_time"])]
    assert times == sorted(times, reverse=True)
    assert min(times) < (START - timedelta(days=40)).timestamp()
    assert max(times) <= START.timestamp()


def test_ids_titles_and_addresses(platform):
    videos = [v for account in range(5) for v in platform.videos(account)]
    assert all(v["item_id"].startswith("@") and {"/", "+", "="} <= set(v["item_id"]) for v in videos)
    assert len({v["item_id"] for v in videos}) == len(videos)
    assert all("#" in v["title"] for v in videos)
    assert any("@" in v["title"] for v in videos)
    assert all("example.cn/" in v["cover"] + v["share_url"] for v in videos)
    assert {int(v["media_type"]) for v in videos} == {2, 4}
    assert any(v["is_top"] for v in videos)


def test_pages_of_other_sizes_hold_the_same_videos(platform):
    for account in range(5):
        small = {v["item_id"] for page in platform.pages("video_list", account, 7) for v in page["list"] or ()}
        assert small == {v["item_id"] for v in platform.videos(account)}


def test_some_account_shows_an_empty_page_that_is_not_the_last(platform):
    pages = platform.pages("video_list", 1, 20)
    assert not pages[1]["list"]
    assert pages[1]["has_more"] is True
    assert pages[2]["list"]
    assert len({str(p["cursor"]) for p in pages}) == len(pages)


def test_page_sizes_differ_from_count_as_the_contract_allows(platform):
    sizes = {len(platform.data("video_list", account, count=20)["list"]) for account in range(5)}
    assert min(sizes) <= 20 < max(sizes)


def test_pages_may_overlap(platform):
    rows = [v["item_id"] for page in platform.pages("video_list", 2, 20) for v in page["list"] or ()]
    assert len(set(rows)) < len(rows)


def test_new_video_does_not_shift_the_next_page(platform):
    first = platform.data("video_list", 0, count=10)
    second = platform.data("video_list", 0, count=10, cursor=first["cursor"])["list"]
    platform.at(START + timedelta(days=6))
    newer = platform.data("video_list", 0, count=10)
    assert newer["list"] != first["list"]
    assert [v["item_id"] for v in platform.data("video_list", 0, count=10, cursor=first["cursor"])["list"]] == [
        v["item_id"] for v in second
    ]


def test_totals_grow_and_plays_lead(platform):
    before = {v["item_id"]: totals(v) for v in shown(platform.videos(0))}
    platform.at(START + timedelta(hours=5))
    after = {v["item_id"]: totals(v) for v in shown(platform.videos(0))}
    both = before.keys() & after.keys()
    assert len(both) > 30
    assert all(a >= b for i in both for a, b in zip(after[i], before[i], strict=True))
    assert sum(after[i][0] for i in both) > sum(before[i][0] for i in both)
    assert all(plays >= likes >= comments for plays, likes, comments, *_ in after.values())


def test_plays_per_day_decay_with_age(platform):
    by_age = defaultdict(int)
    for account in (0, 1, 4):
        for video in young(platform, account):
            for day, row in series(platform, "item_play", account, video["item_id"]).items():
                by_age[(datetime.fromisoformat(day).date() - created_day(video)).days] += row["play"]
    assert by_age[1] > by_age[4] > by_age[12] > 0


@pytest.mark.parametrize("account", [0, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_days_add_up_to_the_lifetime_total_at_midnight(platform, account, metric):
    videos = young(platform, account, 28)
    assert videos
    sums = {
        v["item_id"]: sum(r[metric] for r in series(platform, f"item_{metric}", account, v["item_id"]).values())
        for v in videos
    }
    platform.at("2026-11-16T00:00:00+08:00")
    midnight = {v["item_id"]: int(v["statistics"][METRICS[metric]]) for v in platform.videos(account)}
    assert sums == {i: midnight[i] for i in sums}


def test_base_is_the_sum_of_the_days(platform):
    for video in young(platform, 1):
        body = platform.get("item_base", 1, item_id=video["item_id"])
        result = body["data"]["result"]
        if result is None:
            assert created_day(video) == START.date()
            continue
        for metric in METRICS:
            days = series(platform, f"item_{metric}", 1, video["item_id"])
            assert int(result[f"total_{metric}"]) == sum(r[metric] for r in days.values())
        assert 3 < float(result["avg_play_duration"]) < 60


def test_account_series_is_the_sum_over_its_videos(platform):
    """For every day of the window: videos made within it are requested, older ones are differenced at midnights."""
    account = 4
    young_sums = defaultdict(int)
    for video in young(platform, account, 30):
        for day, row in series(platform, "item_play", account, video["item_id"]).items():
            young_sums[day] += row["play"]
    user = series(platform, "user_item", account)
    day = "2026-11-12"
    lifetime = {}
    for midnight in ("2026-11-12T00:00:00+08:00", "2026-11-13T00:00:00+08:00"):
        platform.at(midnight)
        lifetime[midnight[:10]] = {v["item_id"]: v for v in platform.videos(account)}
    before, after = lifetime.values()
    seen = sum(
        int(v["statistics"]["play_count"]) - int(before[i]["statistics"]["play_count"] if i in before else 0)
        for i, v in after.items()
    )
    became_private = sum(
        int(v["create_time"]) == 0 and int(before[i]["create_time"]) != 0 for i, v in after.items() if i in before
    )
    assert became_private == 0
    assert user[day]["new_play"] == seen
    assert all(young_sums[d] <= row["new_play"] for d, row in user.items())


def test_issues_count_the_videos(platform):
    rows = series(platform, "user_item", 0)
    days = sorted(rows)
    assert len(days) == 30
    for before, day in itertools.pairwise(days):
        assert rows[day]["total_issue"] - rows[before]["total_issue"] == rows[day]["new_issue"]
    made = [created_day(v).isoformat() for v in platform.videos(0) if int(v["create_time"])]
    private = sum(int(v["create_time"]) == 0 for v in platform.videos(0))
    assert (
        sum(d in made for d in made if d in rows)
        <= sum(r["new_issue"] for r in rows.values())
        <= sum(d in rows for d in made) + private
    )


def test_a_video_older_than_a_month_is_refused(platform):
    video = young(platform, 0, 29)[-1]
    platform.at(START + timedelta(days=31))
    assert (
        code_of(platform.get("item_like", 0, token=_fresh(platform, 0), item_id=video["item_id"], date_type=30))
        == 2100006
    )


def _fresh(platform, account):
    return platform.redeem(platform.accounts()[account]["code"])["data"]["access_token"]


def test_videos_are_taken_down_only_when_they_have_no_more_plays(platform):
    before = {v["item_id"]: v for v in shown(platform.videos(0))}
    platform.at(START + timedelta(days=14))
    after = {v["item_id"] for v in platform.videos(0)}
    gone = [v for i, v in before.items() if i not in after]
    assert gone
    assert all((START.date() - created_day(v)).days > 91 for v in gone)
