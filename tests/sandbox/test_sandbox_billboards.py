"""Billboards: produced at ten, ordered by value, moving slowly from day to day."""

from __future__ import annotations

import pytest

from catalog import ENDPOINTS

BOARDS = [n for n, e in ENDPOINTS.items() if e.domain == "billboard"]
CREATORS = [n for n in BOARDS if ENDPOINTS[n].tables[0] == "billboard_creators"]
VALUE = {"billboard_hot_video": "hot_value", "billboard_live": "hot_value"}


def board(platform, name, day):
    platform.reset(f"2026-11-{day:02d}T12:00:00+08:00")
    return platform.data(name)["list"]


@pytest.mark.parametrize("name", BOARDS)
def test_ranked_by_value(platform, name):
    rows = platform.data(name)["list"]
    assert [r["rank"] for r in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == 30
    member = "use_count" if "music" in name else VALUE.get(name, "effect_value")
    values = [float(r[member]) for r in rows]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("name", BOARDS[::6])
def test_not_there_before_ten_and_the_same_all_day_after(platform, name):
    platform.reset("2026-11-16T09:59:59+08:00")
    assert not platform.data(name).get("list")

    def essence(instant):
        platform.reset(instant)
        return [
            {k: str(v) for k, v in r.items() if isinstance(v, str | int) and k in ("rank", "nickname", "title")}
            for r in platform.data(name)["list"]
        ]

    assert essence("2026-11-16T10:00:00+08:00") == essence("2026-11-16T23:59:59+08:00")


def test_both_ways_of_saying_not_ready_occur(platform):
    platform.reset("2026-11-16T08:00:00+08:00")
    assert {"list" in platform.data(n) for n in BOARDS} == {True, False}


@pytest.mark.parametrize("name", ["billboard_food_overall", "billboard_cospa_new", "billboard_prop", "billboard_topic"])
def test_rank_change_is_against_the_day_before(platform, name):
    key = {"billboard_prop": "effect_value", "billboard_topic": "title"}.get(name, "nickname")
    before = {r[key]: r["rank"] for r in board(platform, name, 17)} if key != "effect_value" else {}
    changes = []
    for row in board(platform, name, 18):
        changes.append(row["rank_change"])
        if row.get(key) in before and row["rank_change"] != "new":
            assert int(row["rank_change"]) == before[row[key]] - row["rank"]
    numbers = [int(c) for c in changes if c != "new"]
    assert min(numbers) < 0 < max(numbers)


def test_some_rank_change_is_no_number(platform):
    assert any(r["rank_change"] == "new" for name in CREATORS for r in board(platform, name, 18))


def test_most_creators_stay_from_one_day_to_the_next(platform):
    before, after = ({r["nickname"] for r in board(platform, "billboard_travel_overall", day)} for day in (17, 18))
    assert 18 <= len(before & after) < 31
    far = {r["nickname"] for r in board(platform, "billboard_travel_overall", 28)}
    assert len(before & far) < len(before & after)


def test_times_on_the_board(platform):
    before = {r["nickname"]: r["onbillbaord_times"] for r in board(platform, "billboard_car_play", 17)}
    rows = board(platform, "billboard_car_play", 18)
    assert all(1 <= r["onbillbaord_times"] <= 30 for r in rows)
    assert all(0 <= r["onbillbaord_times"] - before[r["nickname"]] <= 1 for r in rows if r["nickname"] in before)


def test_video_lists_are_sometimes_null_or_missing(platform):
    kinds = set()
    for name in CREATORS[:8]:
        for row in platform.data(name)["list"]:
            kinds.add("missing" if "video_list" not in row else type(row["video_list"]))
    assert kinds == {"missing", type(None), list}


def test_hot_videos_and_topics_follow_the_hot_words(platform):
    platform.reset("2026-11-16T10:30:00+08:00")
    words = {r["sentence"] for r in platform.data("hotsearch_sentences")["list"]}
    videos = platform.data("billboard_hot_video")["list"]
    assert all(any(w in r["title"] for w in words) for r in videos if "title" in r)
    topics = {r["title"] for r in platform.data("billboard_topic")["list"]}
    assert topics & {"#" + w for w in words}


def test_own_accounts_stand_on_boards_of_their_category(make_platform):
    platform = make_platform(accounts=24)
    names = {a["name"]: a for a in platform.accounts()}
    found = [
        (r, name)
        for name in CREATORS
        for r in platform.data(name)["list"]
        if r["nickname"] in names and int(r["follower_count"]) < 4_000_000
    ]
    assert any(name.split("_")[1] == names[r["nickname"]]["category"] for r, name in found)


def test_prop_percent_is_issues_per_shoot(platform):
    for row in platform.data("billboard_prop")["list"]:
        assert row["daily_issue_percent"].endswith("%")
        assert float(row["daily_issue_percent"][:-1]) == pytest.approx(
            100 * int(row["daily_issue_cnt"]) / int(row["shoot_cnt"]), abs=0.01
        )
