"""Describe the endpoints of places (门店, POI).

They cover page views, services, visitors, the heat list, and the search for places. Most are unverified on the live
platform.
"""

from __future__ import annotations

from typing import Any

from catalog.cadences import DAILY_SNAPSHOT, DAILY_T1, TWICE_DAILY
from catalog.endpoints._columns import (
    ACCOUNT,
    CURSOR,
    NUMBER,
    OPEN_ID,
    RANK,
    STAT_DATE,
    const,
    count,
    left_out,
    member,
    page_size,
    param,
)
from catalog.iterations import IterateBy
from catalog.records import Cadence, EmptyMeaning, Endpoint, Output, Parse, Status, Token
from catalog.requests import Paging, Param, ParamSource, TimeFormat

_POI = param("poi_id")
_POI_ID = Param("poi_id", ParamSource.SUBJECT)
_PERIOD = (
    Param("begin_date", ParamSource.SINCE, moment=TimeFormat.DAY),
    Param("end_date", ParamSource.UNTIL, moment=TimeFormat.DAY),
)
_LAST_30_DAYS = Param("date_type", ParamSource.CONST, const=30)


def _poi(
    name: str, path: str, over: IterateBy, cadence: Cadence, en: str, zh: str, doc_en: str, doc_zh: str, *outputs: Output,
    scope: str = "data.external.poi", status: Status = Status.UNVERIFIED, **more: Any,
) -> Endpoint:  # fmt: skip
    return Endpoint(
        name=f"poi_{name}", domain="poi", method="GET", path=path, scope=scope, token=Token.CLIENT, status=status,
        en=en, zh=zh, doc_en=doc_en, doc_zh=doc_zh, cadence=cadence, over=over, outputs=outputs, **more,
    )  # fmt: skip


def _audience(who: str) -> tuple[Output, ...]:
    """Return three lists of label and value; whether a value is a share or a count is undocumented."""
    return tuple(
        Output(
            "poi_audience", f"data.{path}",
            (
                _POI, const("audience", who), const("dimension", dimension), member("bucket_raw", "key"), member("bucket", "key", Parse.BUCKET),
                member("value_raw", "value"), member("bucket_value", "value", Parse.NUMBER_OR_NULL),
            ),
        )
        for dimension, path in (("gender", "gender_list"), ("age", "age_list"), ("city", "city_list"))
    )  # fmt: skip


def _by_amap(name: str, path: str, scope: str, en: str, zh: str, doc_en: str, doc_zh: str, **more: Any) -> Endpoint:
    return _poi(
        name, path, IterateBy.AMAP_IDS, DAILY_SNAPSHOT, en, zh, doc_en, doc_zh,
        Output(
            "poi_amap", "data",
            (
                member("amap_id"), member("poi_id"), member("poi_name"), member("address"), member("city_name", "city"),
                member("latitude", parse=NUMBER), member("longitude", parse=NUMBER),
            ),
            single=True,
        ),
        scope=scope, status=Status.ACTIVE, params=(Param("amap_id", ParamSource.SUBJECT),), **more,
    )  # fmt: skip


ENDPOINTS = (
    _poi(
        "claim_list", "/data/external/poi/claim/list/", IterateBy.ACCOUNTS, DAILY_SNAPSHOT, "Claimed places", "POI 认领列表",
        "The places that an account claimed. Requested with the app's token; a user token may be meant.", "账号认领的门店。使用 client_token 请求，平台或需用户 token。",
        Output("poi_claims", "data.list", (ACCOUNT, member("poi_id"), member("poi_name", "name"), member("address"))),
        params=(OPEN_ID, CURSOR, page_size(20)), paging=Paging(),
    ),
    _poi(
        "base", "/data/external/poi/base/", IterateBy.POIS, DAILY_T1, "Page views of a place per day", "POI 基础数据",
        "Views of a place's page per day, within the last 30 days.", "门店详情页每日浏览量，近 30 天。",
        Output("poi_views", "data.result_list", (_POI, STAT_DATE, count("detail_views", "detail_vv"))),
        params=(_POI_ID, *_PERIOD), windows=(7, 15, 30), empty=EmptyMeaning.NOT_READY,
    ),
    _poi(
        "service_base", "/data/external/poi/service_base/", IterateBy.POIS, DAILY_T1, "Services of a place per day", "POI 服务基础数据",
        "Exposures, clicks and orders of a place's services per day, within the last 30 days.", "门店服务每日曝光、点击与成单，近 30 天。",
        Output(
            "poi_services", "data.result_list",
            (_POI, STAT_DATE, count("exposure_uv"), count("click_uv"), count("order_count", "success_order_cnt")),
        ),
        params=(_POI_ID, left_out("service_type"), *_PERIOD), windows=(7, 15, 30), empty=EmptyMeaning.NOT_READY,
    ),
    _poi(
        "user", "/data/external/poi/user/", IterateBy.POIS, DAILY_SNAPSHOT, "Visitors of a place", "POI 用户数据",
        "Gender, age and city of a place's visitors over the last 30 days.", "近 30 天门店访客的性别、年龄与城市分布。",
        *_audience("visitors"), params=(_POI_ID, _LAST_30_DAYS),
    ),
    _poi(
        "service_user", "/data/external/poi/service_user/", IterateBy.POIS, DAILY_SNAPSHOT, "Buyers of a place", "POI 服务成交用户数据",
        "Gender, age and city of those who bought a place's services over the last 30 days.", "近 30 天门店服务成交用户的性别、年龄与城市分布。",
        *_audience("buyers"), params=(_POI_ID, _LAST_30_DAYS, left_out("service_type")),
    ),
    _poi(
        "billboard", "/data/external/poi/billboard/", IterateBy.CHOICES, TWICE_DAILY, "Heat list of places", "POI 热度榜",
        "The 500 hottest places of the last 30 days: catering, scenic spots, lodging.", "近 30 天热度前 500 的门店：餐饮、景点、住宿。",
        Output(
            "poi_billboard", "data.result_list",
            (
                param("poi_category", "billboard_type", Parse.INT), RANK, member("poi_id"), member("poi_name"), member("score_raw", "score"),
                member("score", parse=Parse.NUMBER_OR_NULL),
            ),
        ),
        params=(Param("billboard_type", ParamSource.SUBJECT, choices=(10, 20, 30)),), empty=EmptyMeaning.NOT_READY,
    ),
    _poi(
        "search_keyword", "/poi/search/keyword/", IterateBy.POI_WORDS, DAILY_SNAPSHOT, "Places by keyword", "查询 POI 信息",
        "Places that a watched word finds. A report of early 2025 says that the capability could not be applied for.", "按关注的关键词查询门店。2025 年初有反馈称该能力无法申请。",
        Output(
            "poi_places", "data.pois",
            (
                param("keyword"), member("poi_id"), member("poi_name"), member("location"), member("country_name", "country"), member("country_code"),
                member("province_name", "province"), member("city_name", "city"), member("city_code"), member("district"), member("address"),
            ),
        ),
        scope="poi.search", status=Status.RESTRICTED,
        params=(Param("keyword", ParamSource.SUBJECT), left_out("city"), CURSOR, page_size(20)), paging=Paging(),
    ),
    _by_amap(
        "query", "/poi/query/", "poi.product (inferred)", "Place by AMap id", "查询抖音 POI ID",
        "The place that belongs to a watched AMap id.", "关注的高德 POI id 对应的抖音门店。",
    ),
    _by_amap(
        "base_query_amap", "/poi/base/query/amap/", "poi.base (inferred)", "Place by AMap id, base ability", "通过高德 POI ID 获取抖音 POI ID",
        "The same through another capability, where the app does not own the first.", "应用未获得前一能力时，通过另一能力查询同样的数据。",
        instead_of="poi_query",
    ),
)  # fmt: skip
