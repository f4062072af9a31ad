"""Serve places (门店): page views and services per day, visitors, the heat list, and the search for places.

Where the contract is silent: a place or AMap id that does not exist, and an open_id that is no account of the app, are
refused with 2100006. Days not produced yet are omitted (yesterday comes at 10:00); the heat list is empty or null
before 10:00. service_type 40 (homestays) has rows for lodgings only; pages contain at most 50 places.
"""

from __future__ import annotations

from typing import Any

from sandbox import errors
from sandbox.answers.call import Call, Handler
from sandbox.answers.pages import MAX_COUNT, integer, offset, page
from sandbox.answers.user import rows_or_nothing
from sandbox.clock import day_number, day_of, day_text
from sandbox.errors import Refusal
from sandbox.world.places import HOMESTAY, LODGING, Place

_WINDOWS = (7, 15, 30)


def _place(call: Call) -> Place:
    place = call.world.places.find(call.params["poi_id"])
    if place is None:
        raise Refusal(errors.NOT_BOUND)
    return place


def _days(call: Call) -> range:
    begin, end = day_number(call.params["begin_date"]), day_number(call.params["end_date"])
    return range(begin, min(end, call.last_day) + 1)


def _offers(call: Call, place: Place) -> bool:
    """Report whether the place has the services of the requested service_type."""
    return (
        "service_type" not in call.params
        or integer(call, "service_type", 0, 2**31) != HOMESTAY
        or place.category == LODGING
    )


def base(call: Call) -> dict[str, Any]:
    """Return page views per day, oldest first."""
    place, views = _place(call), call.world.places.day_views
    return rows_or_nothing(
        call, [{"date": day_text(day), "detail_vv": call.form.whole(views(place, day))} for day in _days(call)]
    )


def service_base(call: Call) -> dict[str, Any]:
    """Return exposures, clicks and orders per day, oldest first."""
    place, whole, rows = _place(call), call.form.whole, []
    for day in _days(call) if _offers(call, place) else ():
        seen, clicked, orders = call.world.places.day_services(place, day)
        rows.append(
            {
                "date": day_text(day),
                "exposure_uv": whole(seen),
                "click_uv": whole(clicked),
                "success_order_cnt": whole(orders),
            }
        )
    return rows_or_nothing(call, rows)


def _audience(who: str) -> Handler:
    def answer(call: Call) -> dict[str, Any]:
        place, days = _place(call), integer(call, "date_type", 1, 30)
        if days not in _WINDOWS:
            raise Refusal(errors.PARAM_WRONG, "date_type is wrong")
        if not _offers(call, place):
            return dict.fromkeys(("gender_list", "age_list", "city_list"))
        lists = call.world.places.audience(place, who, call.last_day, days)
        return {member: [{"key": label, "value": value} for label, value in rows] for member, rows in lists.items()}

    return answer


def billboard(call: Call) -> dict[str, Any]:
    """Return the hottest places of a category, at most 500."""
    if not call.ready:
        return rows_or_nothing(call, [])
    board = call.world.places.board(call.params["billboard_type"], day_of(call.instant))
    rows = [
        {"rank": i, "poi_id": p.poi_id, "poi_name": p.name, "score": score} for i, (p, score) in enumerate(board, 1)
    ]
    return {"result_list": rows}


def claim_list(call: Call) -> dict[str, Any]:
    """Return the places that an account claims, with their total."""
    account = call.world.account(call.params["open_id"])
    if account is None:
        raise Refusal(errors.NOT_BOUND)
    places = call.world.places.claimed_by(account)
    at, count = offset(call)
    rows = [{"poi_id": p.poi_id, "name": p.name, "address": p.address} for p in places[at : at + count]]
    return page(call, rows, at + len(rows), at + len(rows) < len(places)) | {"total": len(places)}


def search_keyword(call: Call) -> dict[str, Any]:
    """Return the places whose name contains the word."""
    found = call.world.places.search(call.params["keyword"], call.params.get("city") or None)
    at, count = integer(call, "cursor", 0, 2**31, 0), min(call.params["count"], MAX_COUNT)
    rows = [
        {
            "poi_id": p.poi_id,
            "poi_name": p.name,
            "location": f"{p.longitude:.6f},{p.latitude:.6f}",
            "country": "中国",
            "country_code": "CN",
            "province": p.province,
            "city": p.city,
            "city_code": p.city_code,
            "district": p.district,
            "address": p.address,
        }
        for p in found[at : at + count]
    ]
    answer = page(call, rows, at + len(rows), at + len(rows) < len(found))
    answer["pois"] = answer.pop("list")
    return answer


def by_amap(call: Call) -> dict[str, Any]:
    """Return the place of an AMap id (高德)."""
    place = call.world.places.of_amap(call.params["amap_id"])
    if place is None:
        raise Refusal(errors.NOT_BOUND)
    return {
        "poi_id": place.poi_id,
        "poi_name": place.name,
        "amap_id": place.amap_id,
        "address": place.address,
        "city": place.city,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }


ANSWERS = {
    "poi_base": base,
    "poi_service_base": service_base,
    "poi_user": _audience("visitors"),
    "poi_service_user": _audience("buyers"),
    "poi_billboard": billboard,
    "poi_claim_list": claim_list,
    "poi_search_keyword": search_keyword,
    "poi_query": by_amap,
    "poi_base_query_amap": by_amap,
}
