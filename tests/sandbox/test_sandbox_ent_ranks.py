"""Films, series and variety shows: weeks, final lists, the running one; subscriptions and counted calls."""

from __future__ import annotations

import people_requests
import pytest
from contract_reading import contract
from sandbox_platform import code_of

SIZES = {1: 30, 2: 10, 3: 10}


def _week(platform, kind: int, version: int | None = None) -> dict[str, float]:
    """id -> heat, hottest first."""
    rows = platform.data("ent_rank_item", type=kind, version=version)["list"]
    return {r["id"]: float(r["hot"]) for r in rows}


@pytest.mark.parametrize("kind", SIZES)
def test_weeks_are_listed_newest_first(platform, kind):
    weeks = people_requests.versions(platform, kind)
    numbers = [int(w["version"]) for w in weeks]
    assert numbers == list(range(numbers[0], numbers[0] - 60, -1))
    assert {int(w["type"]) for w in weeks} == {kind}
    assert (weeks[0]["start_time"], weeks[0]["end_time"], weeks[0]["active_time"]) == (
        "2026-11-02 00:00:00",
        "2026-11-08 00:00:00",
        "2026-11-09 12:00:00",
    )
    platform.at("2026-11-16T12:00:00+08:00")
    newest = people_requests.versions(platform, kind)[0]
    assert (int(newest["version"]), newest["start_time"]) == (numbers[0] + 1, "2026-11-09 00:00:00")


@pytest.mark.parametrize("kind", SIZES)
def test_a_final_list_stays(platform, kind):
    weeks = people_requests.versions(platform, kind)
    lists = {w["version"]: _week(platform, kind, w["version"]) for w in (weeks[0], weeks[20], weeks[-1])}
    for heat in lists.values():
        assert 0 < len(heat) <= SIZES[kind]
        assert list(heat.values()) == sorted(heat.values(), reverse=True)
    platform.at("2026-11-16T23:00:00+08:00")
    for version in (weeks[0]["version"], weeks[20]["version"]):
        assert _week(platform, kind, version) == lists[version]
    assert (
        code_of(platform.get("ent_rank_item", type=kind, version=weeks[-1]["version"])) == 2100005
    )  # 60 weeks back no more


def test_titles_rise_and_fall(platform):
    """A film that leads one week is further down some weeks later, and gone after a quarter."""
    weeks = [int(w["version"]) for w in people_requests.versions(platform, 1)]
    best = next(iter(_week(platform, 1, weeks[20])))
    ranks = [
        list(_week(platform, 1, weeks[20 - n])).index(best) if best in _week(platform, 1, weeks[20 - n]) else 99
        for n in (0, 6, 14)
    ]
    assert ranks[0] == 0 < ranks[1] <= ranks[2]
    assert best not in _week(platform, 1, weeks[6])


def test_the_running_week_is_refreshed_between_noon_and_midnight(platform):
    for day in (11, 12):
        platform.at(f"2026-11-{day}T11:59:00+08:00")
        before = platform.data("ent_rank_item", type=1)
        assert before["active_time"][:10] == f"2026-11-{day - 1}"
        platform.at(f"2026-11-{day}T23:30:00+08:00")
        after = platform.data("ent_rank_item", type=1)
        assert after["active_time"][:10] == f"2026-11-{day}"
        assert {r["id"]: float(r["hot"]) for r in after["list"]} != {r["id"]: float(r["hot"]) for r in before["list"]}


def test_the_last_refresh_of_a_week_becomes_its_final_list(platform):
    platform.at("2026-11-15T23:30:00+08:00")
    last = _week(platform, 2)
    platform.at("2026-11-16T11:00:00+08:00")
    assert _week(platform, 2) == last
    platform.at("2026-11-16T12:00:00+08:00")
    version = people_requests.versions(platform, 2)[0]["version"]
    assert _week(platform, 2, version) == last


@pytest.mark.parametrize("version", ["0", "9999", "-3", "next", "1.0"])
def test_unknown_versions(platform, version):
    assert code_of(platform.get("ent_rank_item", type=1, version=version)) == 2100005


def test_running_week_has_no_version_yet(platform):
    newest = int(people_requests.versions(platform, 1)[0]["version"])
    assert code_of(platform.get("ent_rank_item", type=1, version=newest + 1)) == 2100005


@pytest.mark.parametrize("kind", ["0", "4", "film"])
def test_there_are_three_lists(platform, kind):
    assert code_of(platform.get("ent_rank_version", type=kind, count=5)) == 2100005


def test_forms_of_the_older_answers(platform):
    """Names in one text, missing members, empty dates, heat with an exponent."""
    rows = []
    for minute in range(6):
        platform.reset(f"2026-11-16T10:3{minute}:00+08:00")
        versions = people_requests.versions(platform, 1)
        rows += [
            r for w in versions[:20:4] for r in platform.data("ent_rank_item", type=1, version=w["version"])["list"]
        ]
    assert any(r.get("actors") and r["actors"][0].startswith("[") for r in rows)
    assert any(len(r.get("actors") or ()) > 2 for r in rows)
    assert any("e+" in str(r["hot"]) for r in rows)
    assert any(r.get("release_date") == "" for r in rows)
    for member in ("release_date", "name_en", "areas", "tags", "poster", "maoyan_id"):
        assert {member in r for r in rows} == {True, False}, member


def test_extras_hold_only_logid_and_now(platform):
    assert platform.get("ent_rank_version", type=1, count=5)["extra"].keys() == {"logid", "now"}


# ---- the app itself


def test_every_event_of_the_contract_has_a_status(platform):
    rows = platform.data("event_status_list")["list"]
    assert [r["event"] for r in rows] == list(contract()["webhooks"])
    assert {int(r["status"]) for r in rows} == {0, 1}


def test_the_platform_cancels_a_subscription_now_and_then(platform):
    counts = set()
    for day in range(1, 31):
        platform.reset(f"2026-11-{day:02d}T12:00:00+08:00")
        counts.add(sum(int(r["status"]) for r in platform.data("event_status_list")["list"]))
    assert counts == {19, 18}


def test_counted_calls(platform):
    begin, end = people_requests.last_days(platform, 3, "%Y%m%d")
    rows = platform.data("devtool_monitor_call", time_type="day", begin_time=begin, end_time=end)["result_list"]
    assert {r["date_time"] for r in rows} == {"2026-11-13", "2026-11-14", "2026-11-15"}
    some = platform.data(
        "devtool_monitor_call", time_type="day", begin_time=begin, end_time=end, scope_list=["hotsearch"]
    )["result_list"]
    assert [(r["interface"], int(r["pv"])) for r in some] == [
        (r["interface"], int(r["pv"])) for r in rows if r["scope"] == "hotsearch"
    ]
    one = platform.data(
        "devtool_monitor_call", time_type="day", begin_time=begin, end_time=end, interface_list=[some[0]["interface"]]
    )["result_list"]
    assert {r["interface"] for r in one} == {some[0]["interface"]}
    for wrong in (
        {"time_type": "hour"},
        {"begin_time": "2026-11-13"},
        {"begin_time": "20261140"},
        {"scope_list": "hotsearch"},
        {"interface_list": [1]},
    ):
        params = {"time_type": "day", "begin_time": begin, "end_time": end} | wrong
        assert code_of(platform.get("devtool_monitor_call", **params)) == 2100005
