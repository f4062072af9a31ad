"""What the platform states against what was listed: the comments of a video, and the count that the video itself shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assets.ingest.extract import connect
from resources.lake import Lake

TOLERANCE_RATIO, TOLERANCE = 0.1, 3
"""So much less than the stated count may be listed: moderation hides comments that the count still has, and counts lag."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A video whose list shows fewer comments than it states. Replies are counted as their comments say."""

    client_key: str
    open_id: str
    item_id: str
    stated: int
    listed: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Videos whose comments were read to the end on a day, against their counts of the same day."""

    videos: int
    stated: int
    listed: int
    short: tuple[Difference, ...]
    """Those that are short by more than the tolerance, the largest difference first."""


def reconcile_comments(lake: Lake, dt: date) -> Reconciled:
    """Compare ``comment_reads`` and ``comments`` with ``video_totals`` of one day; nothing is compared where one is missing."""
    reads, comments, totals = (lake.scan(name, [dt]) for name in ("comment_reads", "comments", "video_totals"))
    if not (reads and comments and totals):
        return Reconciled(0, 0, 0, ())
    connection = connect()
    try:
        rows = connection.execute(
            f"""
            WITH reads AS (SELECT client_key, open_id, item_id, listed_count FROM {reads} WHERE is_whole),
                 replies AS (SELECT client_key, open_id, item_id, sum(coalesce(reply_count, 0))::BIGINT AS n FROM {comments} GROUP BY ALL),
                 totals AS (
                     SELECT client_key, open_id, item_id, arg_max(comment_count, observed_at) AS stated
                     FROM {totals} WHERE comment_count IS NOT NULL GROUP BY ALL
                 )
            SELECT client_key, open_id, item_id, stated, listed_count + coalesce(n, 0) AS listed
            FROM reads JOIN totals USING (client_key, open_id, item_id) LEFT JOIN replies USING (client_key, open_id, item_id)
            ORDER BY stated - listed DESC, client_key, open_id, item_id
            """
        ).fetchall()
    finally:
        connection.close()
    found = [Difference(*row) for row in rows]
    short = tuple(d for d in found if d.listed < d.stated * (1 - TOLERANCE_RATIO) - TOLERANCE)
    return Reconciled(len(found), sum(d.stated for d in found), sum(d.listed for d in found), short)
