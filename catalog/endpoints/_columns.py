"""Provide short constructors for the columns and parameters of endpoint records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.records import AppType, Column, Endpoint, Envelope, Origin, Parse, Status, Token
from catalog.requests import Param, ParamLocation, ParamSource

INT, NUMBER, BOOL, PERCENT = Parse.INT, Parse.NUMBER, Parse.BOOL, Parse.PERCENT


def member(field: str, path: str | None = None, parse: Parse = Parse.TEXT) -> Column:
    """Fill a field from a member of the row; ``path`` defaults to the field's name."""
    return Column(field, Origin.MEMBER, path or field, parse)


def count(field: str, path: str | None = None) -> Column:
    """Fill a field from a member of the row that is a whole number."""
    return member(field, path, INT)


def index(field: str, path: str | None = None) -> Column:
    """Fill a field from a member of the row that may have decimals."""
    return member(field, path, NUMBER)


def parent(field: str, path: str | None = None, parse: Parse = Parse.TEXT) -> Column:
    """Fill a field from the row's parent object, where rows come from a nested list."""
    return Column(field, Origin.PARENT, path or field, parse)


def body(field: str, path: str, parse: Parse) -> Column:
    """Fill a field from a member outside the list, at a path from the root of the body."""
    return Column(field, Origin.BODY, path, parse)


def param(field: str, path: str | None = None, parse: Parse = Parse.TEXT) -> Column:
    """Fill a field from a parameter of the request."""
    return Column(field, Origin.PARAM, path or field, parse)


def const(field: str, value: str) -> Column:
    """Fill a field with a constant of the endpoint."""
    return Column(field, Origin.CONST, value)


RANK_BY_ORDER = Column("rank", Origin.ORDINAL, parse=INT)
POSITION = Column("position", Origin.ORDINAL, parse=INT)
RANK = count("rank")
RANK_CHANGE = (member("rank_change"), member("rank_delta", "rank_change", Parse.INT_OR_NULL))
ACCOUNT = param("open_id")
ITEM = param("item_id")
STAT_DATE = member("stat_date", "date", Parse.DATE)

ASKED_BY = Column("open_id", Origin.ACCOUNT)
"""The account whose token was used, where the request does not name it."""

OPEN_ID = Param("open_id", ParamSource.ACCOUNT)
ITEM_ID = Param("item_id", ParamSource.SUBJECT)
DATE_TYPE = Param("date_type", ParamSource.WINDOW)
CURSOR = Param("cursor", ParamSource.CURSOR, required=False)


def page_size(count_: int) -> Param:
    """Request a fixed page size with the parameter ``count``."""
    return Param("count", ParamSource.COUNT, const=count_)


def left_out(name: str, place: ParamLocation = ParamLocation.QUERY) -> Param:
    """Declare an optional parameter that is never sent."""
    return Param(name, ParamSource.LEFT_OUT, required=False, place=place)


def mini_app(endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Derive the mini-app endpoint ``*_apps_v1`` of a record: other path and scope, body wrapped twice."""

    def inner(path: str) -> str:
        return "data.data" + path.removeprefix("data")

    outputs = tuple(
        replace(
            o,
            rows=inner(o.rows),
            columns=tuple(replace(c, path=inner(c.path)) if c.origin is Origin.BODY else c for c in o.columns),
        )
        for o in endpoint.outputs
    )
    paging = endpoint.paging and replace(
        endpoint.paging, cursor=inner(endpoint.paging.cursor), has_more=inner(endpoint.paging.has_more)
    )
    fixed = {
        "name": f"{endpoint.name}_apps_v1",
        "envelope": Envelope.MINI_APP,
        "apps": (AppType.MINI_APP,),
        "status": Status.ACTIVE,
    }
    return replace(endpoint, outputs=outputs, paging=paging, **(fixed | changes))


def business(endpoint: Endpoint) -> Endpoint:
    """Derive the ``*_bc`` twin of a mini-app endpoint.

    It serves accounts that gave business consent 经营授权 (GUIDE section 2).
    """
    domain = endpoint.path.split("/")[4]
    return replace(
        endpoint,
        name=endpoint.name.removesuffix("_apps_v1") + "_bc", path=endpoint.path.replace(f"/{domain}/", f"/{domain}_bc/"),
        token=Token.BUSINESS, apps=(AppType.BUSINESS,), twin_of=endpoint.name, en=f"{endpoint.en}, business consent",
        doc_en=f"{endpoint.doc_en} Twin of {endpoint.name} for business tokens.", doc_zh=f"{endpoint.doc_zh}{endpoint.name} 的经营授权版本。",
    )  # fmt: skip


VIDEO_COLUMNS = (
    member("video_id"),
    member("title"),
    member("cover_url", "cover"),
    member("created_at", "create_time", Parse.EPOCH),
    member("is_reviewed", parse=BOOL),
    member("is_top", parse=BOOL),
    member("share_url"),
    count("video_status"),
    count("media_type"),
)
VIDEO_TOTAL_COLUMNS = tuple(
    count(name, f"statistics.{name}")
    for name in ("comment_count", "digg_count", "download_count", "forward_count", "play_count", "share_count")
)
WEB_ONLY = (AppType.WEB,)
