"""Places: days, services, audiences, heat lists, claims, and finding them."""

from __future__ import annotations

import people_requests
import pytest
from sandbox_platform import code_of

CITY_CODES = {"大理市": "532901"}


def _place(platform, amap_id: str = "B0SANDBOX0001") -> dict:
    return platform.data("poi_query", amap_id=amap_id)


def _days(platform, name: str, poi_id: str, begin: str, end: str, **params) -> dict[str, dict]:
    rows = platform.data(name, poi_id=poi_id, begin_date=begin, end_date=end, **params)["result_list"] or ()
    return {r["date"]: {k: int(v) for k, v in r.items() if k != "date"} for r in rows}


def test_yesterday_comes_at_ten(platform):
    poi_id = _place(platform)["poi_id"]
    span = people_requests.last_days(platform)
    for name in ("poi_base", "poi_service_base"):
        platform.at("2026-11-16T10:00:00+08:00")
        days = list(_days(platform, name, poi_id, *span))
        assert (days[0], days[-1], len(days)) == ("2026-10-17", "2026-11-15", 30)
        platform.at("2026-11-16T09:59:59+08:00")
        assert list(_days(platform, name, poi_id, *span)) == days[:-1]
        assert not _days(platform, name, poi_id, "2026-11-15", "2026-11-16")


def test_a_past_day_stays_as_it_was(platform):
    poi_id = _place(platform)["poi_id"]
    before = _days(platform, "poi_service_base", poi_id, "2026-11-10", "2026-11-15")
    platform.at("2026-11-22T12:00:00+08:00")
    after = _days(platform, "poi_service_base", poi_id, "2026-11-08", "2026-11-20")
    assert before.items() <= after.items()


def test_services_are_a_funnel(platform):
    poi_id = _place(platform)["poi_id"]
    views = _days(platform, "poi_base", poi_id, *people_requests.last_days(platform))
    for day, row in _days(platform, "poi_service_base", poi_id, *people_requests.last_days(platform)).items():
        assert views[day]["detail_vv"] >= row["exposure_uv"] >= row["click_uv"] >= row["success_order_cnt"]


def test_homestays_are_lodgings(platform):
    span = people_requests.last_days(platform)
    for amap_id, rows in (("B0SANDBOX0001", 0), ("B0SANDBOX1590", 30)):
        assert (
            len(_days(platform, "poi_service_base", _place(platform, amap_id)["poi_id"], *span, service_type=40))
            == rows
        )


@pytest.mark.parametrize("name", ["poi_user", "poi_service_user"])
def test_audiences_are_shares_and_of_cities_numbers(platform, name):
    unknown = set()
    for poi_id in people_requests.place_ids(platform):
        data = platform.data(name, poi_id=poi_id, date_type=30)
        for member in ("gender_list", "age_list"):
            assert sum(float(r["value"]) for r in data[member]) == pytest.approx(1)
            unknown.update(r["key"] for r in data[member])
        assert all(r["value"].isdigit() for r in data["city_list"])
        assert data["city_list"][-1]["key"] == ""
    assert {"", "未知"} <= unknown


def test_city_numbers_add_up_to_the_views(platform):
    poi_id = _place(platform)["poi_id"]
    views = _days(platform, "poi_base", poi_id, *people_requests.last_days(platform))
    cities = platform.data("poi_user", poi_id=poi_id, date_type=30)["city_list"]
    assert sum(int(r["value"]) for r in cities) == sum(r["detail_vv"] for r in views.values())


@pytest.mark.parametrize(("kind", "size"), [(10, 500), (20, 500), (30, 430)])
def test_heat_lists(platform, kind, size):
    rows = platform.data("poi_billboard", billboard_type=kind)["result_list"]
    assert [r["rank"] for r in rows] == list(range(1, size + 1))
    scores = [float(r["score"]) for r in rows]
    assert scores == sorted(scores, reverse=True)
    assert len({r["poi_id"] for r in rows}) == size
    platform.at("2026-11-17T10:30:00+08:00")
    assert [r["poi_id"] for r in platform.data("poi_billboard", billboard_type=kind)["result_list"]] != [
        r["poi_id"] for r in rows
    ]
    platform.at("2026-11-17T09:30:00+08:00")
    assert not platform.data("poi_billboard", billboard_type=kind)["result_list"]


@pytest.mark.parametrize("kind", ["40", "ten", "0", "-10"])
def test_there_are_three_heat_lists(platform, kind):
    assert code_of(platform.get("poi_billboard", billboard_type=kind)) == 2100005


def test_claims(platform):
    totals = []
    for account in range(5):
        pages = people_requests.pages(
            platform, "poi_claim_list", account, **people_requests.claims_of(platform, account, count=1)
        )
        rows = [r for p in pages for r in p["list"] or ()]
        assert {p["total"] for p in pages} == {len(rows)}
        assert len({r["poi_id"] for r in rows}) == len(rows)
        totals.append(len(rows))
    assert totals[3] == 0
    assert all(1 <= n <= 3 for i, n in enumerate(totals) if i != 3)
    assert code_of(platform.get("poi_claim_list", open_id="unknown", count=5)) == 2100006


def test_search(platform):
    everywhere = [
        p
        for page in people_requests.pages(platform, "poi_search_keyword", keyword="古镇", count=20)
        for p in page["pois"] or ()
    ]
    there = platform.data("poi_search_keyword", keyword="古镇", city="大理", count=50)["pois"]
    assert all("古镇" in p["poi_name"] for p in everywhere)
    assert {p["poi_id"] for p in there} == {p["poi_id"] for p in everywhere if p["city"] == "大理市"}
    assert there
    assert all(p["city_code"] == CITY_CODES[p["city"]] for p in there)
    assert not platform.data("poi_search_keyword", keyword="没有这个词", count=5)["pois"]


def test_amap_ids(platform):
    one, other = _place(platform), platform.data("poi_base_query_amap", amap_id="B0SANDBOX0001")
    assert {k: one[k] for k in ("poi_id", "poi_name", "city", "latitude")} == {
        k: other[k] for k in ("poi_id", "poi_name", "city", "latitude")
    }
    for unknown in ("B0SANDBOX0000", "B0SANDBOX1591", "B0SANDBOX1", "B0FF", "B0SANDBOX①001"):
        assert code_of(platform.get("poi_query", amap_id=unknown)) == 2100006
    assert code_of(platform.get("poi_user", poi_id="x", date_type=30)) == 2100006
    assert code_of(platform.get("poi_user", poi_id=one["poi_id"], date_type=8)) == 2100005


def test_place_by_amap_id_has_no_extra(platform):
    assert "extra" not in platform.get("poi_query", amap_id="B0SANDBOX0001")
    assert "extra" in platform.get("poi_base_query_amap", amap_id="B0SANDBOX0001")
