"""Short words for writing columns and parameters of endpoint records."""

from __future__ import annotations

from catalog.records import Column, Fill, Origin, Param, Parse

INT, NUMBER, BOOL, PERCENT = Parse.INT, Parse.NUMBER, Parse.BOOL, Parse.PERCENT


def member(field: str, path: str | None = None, parse: Parse = Parse.TEXT) -> Column:
    """A member of the row; it is named like the field unless ``path`` says otherwise."""
    return Column(field, Origin.MEMBER, path or field, parse)


def count(field: str, path: str | None = None) -> Column:
    return member(field, path, INT)


def index(field: str, path: str | None = None) -> Column:
    return member(field, path, NUMBER)


def parent(field: str, path: str | None = None, parse: Parse = Parse.TEXT) -> Column:
    return Column(field, Origin.PARENT, path or field, parse)


def body(field: str, path: str, parse: Parse) -> Column:
    return Column(field, Origin.BODY, path, parse)


def param(field: str, path: str | None = None) -> Column:
    return Column(field, Origin.PARAM, path or field)


def const(field: str, value: str) -> Column:
    return Column(field, Origin.CONST, value)


RANK_BY_ORDER = Column("rank", Origin.ORDINAL, parse=INT)
POSITION = Column("position", Origin.ORDINAL, parse=INT)
RANK = count("rank")
RANK_CHANGE = (member("rank_change"), member("rank_delta", "rank_change", Parse.INT_OR_NULL))
ACCOUNT = param("open_id")
ITEM = param("item_id")
STAT_DATE = member("stat_date", "date", Parse.DATE)

OPEN_ID = Param("open_id", Fill.ACCOUNT)
ITEM_ID = Param("item_id", Fill.SUBJECT)
DATE_TYPE = Param("date_type", Fill.WINDOW)
CURSOR = Param("cursor", Fill.CURSOR, required=False)


def page_size(count_: int) -> Param:
    return Param("count", Fill.COUNT, const=count_)


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
