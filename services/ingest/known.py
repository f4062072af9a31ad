"""Query what the lake already has: known videos, how far comments were read, numbers of replies.

Each question is one SQL query over the files.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from resources.storage.lake import Lake
from services.ingest.extract import connect

_OVERLAP = timedelta(days=1)
"""This much is read again: comments appear after their review, with the time at which they were written."""


def _query(lake: Lake, table: str, days: Iterable[date], sql: str, parameters: list) -> list[tuple]:
    """Run ``sql`` over ``rows``, the partitions of some days; return no rows if there are none."""
    relation = lake.scan(table, days)
    if relation is None:
        return []
    connection = connect()
    try:
        return connection.execute(f"WITH rows AS (SELECT * FROM {relation}) {sql}", parameters).fetchall()
    finally:
        connection.close()


def known_videos(lake: Lake, client_key: str, days: list[date]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return (open_id, item_id) of all videos of the days, and of those in each account's last list."""
    found = _query(
        lake,
        "videos",
        days,
        "SELECT DISTINCT open_id, item_id, dt = max(dt) OVER (PARTITION BY open_id) AS listed FROM rows "
        "WHERE client_key = $1",
        [client_key],
    )
    return {(o, i) for o, i, _ in found}, {(o, i) for o, i, listed in found if listed}


def comments_known_until(lake: Lake, client_key: str, before: date) -> dict[tuple[str, str], datetime]:
    """Return the time until which the comments of each (open_id, item_id) are certainly known, before a day."""
    days = [d for d in lake.days("comments") if d < before]
    found = _query(
        lake,
        "comments",
        days,
        "SELECT open_id, item_id, epoch_us(max(created_at)) FROM rows WHERE client_key = $1 AND "
        "created_at IS NOT NULL GROUP BY ALL",
        [client_key],
    )
    return {(o, i): datetime.fromtimestamp(us / 1e6, UTC) - _OVERLAP for o, i, us in found}


def replies_known(lake: Lake, client_key: str, before: date) -> dict[tuple[str, str, str], int]:
    """Count the distinct replies of each (open_id, item_id, comment_id) in partitions before a day."""
    days = [d for d in lake.days("comment_replies") if d < before]
    found = _query(
        lake,
        "comment_replies",
        days,
        "SELECT open_id, item_id, comment_id, count(DISTINCT reply_id) FROM rows WHERE client_key = $1 GROUP BY ALL",
        [client_key],
    )
    return {(o, i, c): n for o, i, c, n in found}
