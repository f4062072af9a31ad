"""Accounts over time: T+1, windows, fans that follow plays, thresholds, portraits."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest

from catalog import ENDPOINTS

SERIES = [
    pytest.param(n, w, id=f"{n}-{w}")
    for n, e in ENDPOINTS.items()
    for w in e.windows
    if any(p.fill == "window" for p in e.params)
]
TODAY = date(2026, 11, 16)


def rows_of(platform, name, account, window, item_id=None):
    return platform.data(name, account, date_type=window, item_id=item_id)["result_list"] or []


def test_default_accounts_stand_on_all_sides_of_the_thresholds(platform):
    fans = [a["fans"] for a in platform.accounts()]
    assert any(n < 100 for n in fans)
    assert any(100 < n < 3_000 for n in fans)
    assert sum(n > 10_000 for n in fans) >= 3
    for account, n in enumerate(fans):
        assert (platform.data("fans_data", account).get("fans_data") is None) == (n <= 100)
        assert (platform.data("fans_favourite", account)["list"] is None) == (n < 3_000)
        assert (platform.data("fans_comment", account)["list"] is None) == (n < 3_000)


@pytest.mark.parametrize(("name", "window"), SERIES)
def test_windows_end_yesterday_and_yesterday_comes_at_ten(platform, name, window):
    item_id = None
    if name.startswith("item_"):
        oldest = [v for v in platform.videos(0) if int(v["create_time"]) > 1_792_300_000][-1]
        item_id = oldest["item_id"]
    days = [r["date"] for r in rows_of(platform, name, 0, window, item_id)]
    assert days[-1] == "2026-11-15"
    assert days == sorted(set(days))
    platform.at("2026-11-16T09:59:59+08:00")
    early = [r["date"] for r in rows_of(platform, name, 0, window, item_id)]
    assert early == days[:-1]
    if item_id is None:
        assert days == [(TODAY - timedelta(days=n)).isoformat() for n in range(window, 0, -1)]


def test_a_past_day_stays_as_it_was(platform):
    """Except for their form, rows of a day are the same in every later window."""
    before = {r["date"]: int(r["new_like"]) for r in rows_of(platform, "user_like", 0, 15)}
    platform.at("2026-11-20T15:00:00+08:00")
    after = {r["date"]: int(r["new_like"]) for r in rows_of(platform, "user_like", 0, 30)}
    assert before.items() <= after.items()


def test_video_of_today_has_no_rows_yet(platform):
    for hour in range(11, 24):
        platform.at(f"2026-11-16T{hour:02d}:59:00+08:00")
        for account in range(5):
            newest = platform.videos(account)[0]
            if int(newest["create_time"]) >= 1_794_758_400:
                assert not rows_of(platform, "item_play", account, 7, newest["item_id"])
                assert platform.data("item_base", account, item_id=newest["item_id"])["result"] is None
                return
    pytest.fail("no account published on that day")


@pytest.mark.parametrize("account", range(5))
def test_new_fans_are_the_difference_of_totals(platform, account):
    rows = rows_of(platform, "user_fans", account, 30)
    for before, row in itertools.pairwise(rows):
        assert int(row["new_fans"]) == int(row["total_fans"]) - int(before["total_fans"])


def test_fans_come_and_go_and_follow_plays(platform):
    new, days = [], []
    for account in (0, 1, 4):
        fans = [int(r["new_fans"]) for r in rows_of(platform, "user_fans", account, 30)]
        plays = [int(r["new_play"]) for r in rows_of(platform, "user_item", account, 30)]
        new += fans
        order = sorted(range(30), key=plays.__getitem__)
        days.append((sum(fans[i] for i in order[:10]), sum(fans[i] for i in order[20:])))
    assert min(new) < 0 < max(new)
    assert sum(quiet for quiet, _ in days) < sum(busy for _, busy in days)


def test_portrait_adds_up_and_drifts(platform):
    def portrait(instant):
        platform.reset(instant)
        return platform.data("fans_data", 0)["fans_data"]

    today, later = portrait("2026-11-16T10:30:00+08:00"), portrait("2026-11-26T10:30:00+08:00")
    total = int(today["all_fans_num"])
    for name in ("gender", "age", "geographical", "active_days", "device", "interest"):
        values = [int(b["value"]) for b in today[f"{name}_distributions"]]
        assert sum(values) == total
        labels = [b["item"] for b in today[f"{name}_distributions"]]
        assert len(set(labels)) == len(labels)
    assert total == int(rows_of(platform, "user_fans", 0, 15)[-11]["total_fans"])
    assert {b["item"] for b in today["geographical_distributions"]} >= {"<nil>"}
    assert "" in {b["item"] for b in today["device_distributions"]}
    assert [int(b["value"]) for b in today["age_distributions"]] != [
        int(b["value"]) for b in later["age_distributions"]
    ]
    assert all(0 <= int(f["fans_sum"]) <= int(f["all_sum"]) for f in today["flow_contributions"])


def test_age_labels_of_both_spellings_occur(platform):
    labels = {b["item"] for a in (0, 1, 2, 4) for b in platform.data("fans_data", a)["fans_data"]["age_distributions"]}
    assert {"24~29", "24-30"} <= labels


def test_sources_are_percentages(platform):
    for account in range(5):
        rows = platform.data("fans_source", account)["list"]
        assert all(r["percent"].endswith("%") for r in rows)
        assert round(sum(float(r["percent"][:-1]) for r in rows), 2) == 100.00


def test_interests_are_ranked(platform):
    rows = platform.data("fans_favourite", 0)["list"]
    assert [r["rank"] for r in rows] == list(range(1, len(rows) + 1))
    heat = [float(r["hot_value"]) for r in rows]
    assert heat == sorted(heat, reverse=True)


def test_visitors(platform):
    assert all(int(r["profile_uv"]) >= 0 for r in rows_of(platform, "user_profile", 3, 30))
    assert sum(int(r["profile_uv"]) for r in rows_of(platform, "user_profile", 0, 30)) > 1_000


@pytest.mark.parametrize("name", ["user_fans", "user_profile", "item_play", "item_like"])
def test_mini_apps_see_series_of_accounts_above_a_thousand_fans(platform, name):
    for account, has_rows in ((0, True), (2, True), (3, False)):
        item_id = (
            next(v["item_id"] for v in platform.videos(account)[2:] if int(v["create_time"]))
            if name.startswith("item")
            else None
        )
        assert len(rows_of(platform, name, account, 7, item_id)) > 0
        for suffix in ("apps_v1", "bc"):
            assert bool(rows_of(platform, f"{name}_{suffix}", account, 7, item_id)) == has_rows


def test_mini_apps_see_totals_of_videos_of_any_account(platform):
    item_id = next(v["item_id"] for v in platform.videos(3)[2:] if int(v["create_time"]))
    assert platform.data("item_base_apps_v1", 3, item_id=item_id)["result"] is not None
