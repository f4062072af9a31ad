"""Verify rows of the lake against totals that the platform states elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb

from catalog.records import Table
from resources.storage.lake import Lake
from resources.storage.partition import LakeCorrupt
from services.ingest.extract import connect
from services.maintenance.reconcile import reconcile_comments
from services.maintenance.verification import VerificationFinding, VerificationReport, span_options

SUMS_TOLERANCE_RATIO = 0.02
"""Tolerated difference between the sum of a series and the stated total: numbers are counted late."""


def check_stated_totals(
    lake: Lake, tables: list[Table], first: date, last: date, result: VerificationReport
) -> Iterator[VerificationFinding]:
    """Compare totals that the platform states in one place with rows that it gave in another."""
    chosen = {t.name for t in tables}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    try:
        if "comment_reads" in chosen:
            for dt in days:
                found = reconcile_comments(lake, dt)
                result.totals += found.videos
                for short in found.short:
                    what = f"{dt}: video {short.item_id} states {short.stated} comments, {short.listed} are listed"
                    yield VerificationFinding("comments", str(dt), what, "the next run reads them again", is_hint=True)
        if "item_base" in chosen:
            yield from _month_sums(lake, days, result)
        if "user_fans" in chosen:
            yield from _fans(lake, days, result)
    except (LakeCorrupt, duckdb.Error) as error:
        yield VerificationFinding("totals", "lake", f"cannot be compared: {error}", "mend the lake first", is_hint=True)


_SUMS = {
    "item_play": ("plays", "plays_30d"),
    "item_like": ("likes", "likes_30d"),
    "item_comment": ("comments", "comments_30d"),
    "item_share": ("shares", "shares_30d"),
}
"""Series, their column, and the column of ``item_base`` with their sum over 30 days."""


def _month_sums(lake: Lake, days: list[date], result: VerificationReport) -> Iterator[VerificationFinding]:
    """Compare sums of a video's series over 30 days with the stated total, if all days are present.

    A series may begin within the 30 days; then only videos without a row on its first day are compared.
    """
    for dt in days:
        base = lake.scan("item_base", [dt])
        month = [dt - timedelta(days=n) for n in range(1, 31)]
        for series, (column, stated) in _SUMS.items():
            there = [d for d in month if lake.partition(series, d) is not None]
            if base is None or not there or there != month[: len(there)]:
                continue
            since = there[-1] if len(there) < len(month) else date.min
            connection = connect()
            try:
                rows = connection.execute(
                    f"""
                    WITH base AS (
                             SELECT client_key, open_id, item_id, arg_max({stated}, observed_at) AS stated
                             FROM {base} GROUP BY ALL
                         ),
                         sums AS (
                             SELECT client_key, open_id, item_id, sum({column})::BIGINT AS n
                             FROM {lake.scan(series, there)} GROUP BY ALL HAVING min(dt) > $1
                         )
                    SELECT item_id, stated, n FROM base JOIN sums USING (client_key, open_id, item_id)
                    WHERE stated IS NOT NULL ORDER BY ALL
                    """,
                    [since],
                ).fetchall()
            finally:
                connection.close()
            result.totals += len(rows)
            for item, sum_stated, summed in rows:
                if abs(sum_stated - summed) > max(3, sum_stated * SUMS_TOLERANCE_RATIO):
                    what = (
                        f"{dt}: video {item} has {summed:,} {column} over 30 days, the platform states {sum_stated:,}"
                    )
                    yield VerificationFinding(
                        series,
                        str(dt),
                        what,
                        f"douyin backfill --select {series} {span_options(month[-1], month[0])}",
                        is_hint=True,
                    )


def _fans(lake: Lake, days: list[date], result: VerificationReport) -> Iterator[VerificationFinding]:
    """Compare an account's total fans with the previous day's total plus the day's new fans."""
    relation = lake.scan("user_fans", [days[0] - timedelta(days=1), *days])
    if relation is None:
        return
    connection = connect()
    try:
        rows = connection.execute(
            f"""
            SELECT dt, open_id, total_fans, new_fans, lag(total_fans) OVER w AS before, lag(dt) OVER w AS day
            FROM {relation}
            WHERE total_fans IS NOT NULL WINDOW w AS (PARTITION BY client_key, open_id ORDER BY dt)
            """
        ).fetchall()
    finally:
        connection.close()
    for dt, open_id, fans, new, before, day in rows:
        if before is None or new is None or day != dt - timedelta(days=1):
            continue
        result.totals += 1
        if before + new != fans:
            what = f"{dt}: account {open_id[:8]}… has {fans:,} fans, the day before {before:,} and {new:+,} new ones"
            yield VerificationFinding(
                "user_fans", str(dt), what, f"douyin backfill --select user_fans {span_options(day, dt)}", is_hint=True
            )
