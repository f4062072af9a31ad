"""The report compares the same accounts on both sides, breaks lines at missing days, and explains missing data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from report_rows import DAY, Home, account_days, put_accounts

from resources.state.load_status import Outcome
from services.reporting.page import render
from services.reporting.questions import ask
from services.reporting.reasons import what_lacks, why_empty

SERIES = DAY - timedelta(days=1)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def answers(home: Home, day=DAY):
    with home.publish().warehouse.connect() as warehouse:
        return ask(warehouse, day)


def figures(home: Home) -> dict[str, dict]:
    return {row["measure"]: row for row in answers(home).many("figures")}


def test_a_missing_account_lowers_no_median(home):
    put_accounts(home, account_days("a", [100] * 8), account_days("b", [900] * 7 + [None]))
    found = figures(home)["plays"]
    assert (found["total"], found["median"], found["median_days"], found["accounts"], found["all_accounts"]) == (
        100,
        100.0,
        7,
        1,
        2,
    )
    assert figures(home)["fans"]["accounts"] == 2


def test_a_day_that_lacks_an_account_is_no_day_of_the_median(home):
    put_accounts(home, account_days("a", [100, 100, 100, 200]), account_days("b", [900, None, 900, 800]))
    found = figures(home)["plays"]
    assert (found["total"], found["median"], found["median_days"]) == (1000, 1000.0, 2)
    assert [point["dt"] for point in found["curve"]] == [SERIES - timedelta(days=3), SERIES - timedelta(days=1), SERIES]


def test_the_day_of_the_figures_is_one_that_most_accounts_have(home):
    put_accounts(
        home,
        account_days("a", [1, 1]),
        account_days("b", [1, None], total_fans=None),
        account_days("c", [1, None], total_fans=None),
    )
    assert answers(home).figures_day == SERIES - timedelta(days=1)


def test_a_series_that_the_app_may_not_have_hides_no_other(home):
    put_accounts(home, account_days("a", [5, 6], profile_uv=None, is_gap=True, missing="user_profile"))
    found = answers(home)
    assert found.figures_day == SERIES
    assert "visitors" not in {row["measure"] for row in found.many("figures")}
    assert found.many("accounts")[0]["missing"] == ["user_profile"]
    assert "仅 0/1 个账号" in render(found, {})


def test_zero_is_not_nothing(home):
    put_accounts(home, account_days("a", [0] * 8, total_fans=None, net_fans=None))
    found = figures(home)
    assert (found["plays"]["total"], found["plays"]["median"]) == (0, 0.0)
    assert "fans" not in found


def test_many_accounts_are_counted_and_few_are_drawn(home):
    put_accounts(home, *[account_days(f"{n:03}", [n] * 3, fans=n) for n in range(60)])
    found = answers(home)
    assert found.many("figures")[0]["all_accounts"] == 60
    assert len(found.many("accounts")) == 20
    assert {row["open_id"] for row in found.many("trend")} == {f"{n:03}" for n in range(40, 60)}
    assert found.many("accounts")[0]["all_accounts"] == 60


def test_a_share_changes_only_against_accounts_that_were_there(home):
    before = DAY - timedelta(days=7)
    home.put(
        "fan_portrait",
        {
            "dimension": "age",
            "bucket": "18-23",
            "fans": 60,
            "share_ratio": 0.6,
            "compared_with": before,
            "fans_before": 10,
            "share_change": 0.1,
        },
        {
            "dimension": "age",
            "bucket": "24-30",
            "fans": 40,
            "share_ratio": 0.4,
            "compared_with": before,
            "fans_before": 10,
            "share_change": -0.1,
        },
        {"open_id": "new", "dimension": "age", "bucket": "18-23", "fans": 900, "share_ratio": 1.0},
    )
    rows = {row["bucket"]: row for row in answers(home).many("portrait")}
    assert rows["18-23"]["share"] == pytest.approx(0.96)
    assert rows["18-23"]["change"] == pytest.approx(0.1)
    assert (rows["18-23"]["accounts"], rows["18-23"]["compared"]) == (2, 1)


def test_two_apps_that_see_one_list_are_not_two_lists(home):
    home.put(
        "billboard_moves",
        *[
            {
                "client_key": app,
                "board": "topic",
                "entry": "升",
                "move": "up",
                "rank": 2,
                "rank_before": 9,
                "rank_change": 7,
            }
            for app in ("one", "two")
        ],
    )
    found = answers(home)
    assert len(found.many("moves")) == 1
    assert found.one("boards")["boards"] == 1


def test_why_a_section_is_empty(home):
    home.loaded("fans_distributions", Outcome.BELOW_THRESHOLD)
    home.loaded("fans_distributions", Outcome.BELOW_THRESHOLD, "b")
    home.loaded("comments", Outcome.UNAVAILABLE)
    home.loaded("comments", Outcome.LOADED, "b", DAY - timedelta(days=8))
    home.put("hot_words_now", {"sentence": "词", "rank": 1, "is_rising": True}, day=DAY - timedelta(days=2))
    home.put("hot_words", {"sentence": "词", "rank": 1}, day=DAY - timedelta(days=2))
    home.loaded("hot_words", Outcome.LOADED, "", DAY - timedelta(days=2))
    found = answers(home)
    assert why_empty(found, "portrait") == [
        (
            "粉丝分布：账号未达平台门槛（2 个账号）。",
            "Fan distributions: the account is too small for this (2 accounts).",
        )
    ]
    assert [en for _, en in why_empty(found, "needs")] == [
        "Comments: the app lacks the capability, or it was withdrawn (1 account)."
    ]
    assert [en for _, en in why_empty(found, "words")] == [
        f"Nothing was seen on {DAY}; the warehouse has {DAY - timedelta(days=2)} to {DAY - timedelta(days=2)}."
    ]
    page = render(found, {})
    assert all(en in page for _, en in why_empty(found, "portrait"))


def test_what_a_section_may_lack_is_said_beside_it(home):
    home.loaded("fans_distributions", Outcome.QUOTA)
    home.loaded("fans_distributions", Outcome.LOADED, "b")
    assert [en for _, en in what_lacks(answers(home), "portrait")] == [
        "Fan distributions: the day's quota was used up (1 account)."
    ]


def test_a_file_of_an_earlier_version_is_reported(home):
    home.put("poi_daily", {"poi_id": "1", "detail_views": 5})
    home.write("ALTER TABLE marts.poi_daily DROP COLUMN views_ratio")
    found = answers(home)
    assert "views_ratio" in found.missing["places"]
    assert [en for _, en in why_empty(found, "places")] == [
        "The warehouse lacks this table, or is of an earlier version: run douyin publish."
    ]
