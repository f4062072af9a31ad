"""Find alert conditions in the published marts: videos with few plays, and watched hot words."""

from __future__ import annotations

from typing import Any

import duckdb

from catalog.alert_kinds import AlertCondition, AlertKind, Severity
from resources.delivery.routes import WordMatcher
from resources.runtime import Runtime
from resources.state.accounts import get_account
from services.alerts.conditions import called
from services.outreach.masking import mask_id

_LOW = """
SELECT dt, client_key, open_id, item_id, title, age_days, play_count, median_play_count, ratio_to_median
FROM marts.video_performance
WHERE is_low_play AND dt = (SELECT max(dt) FROM marts.video_performance)
ORDER BY client_key, open_id, item_id
"""
_HOT = """
SELECT sentence, hot_level, first_seen_at, is_new, is_rising
FROM marts.hot_words_now
WHERE dt = (SELECT max(dt) FROM marts.hot_words_now)
ORDER BY hot_level DESC NULLS LAST, sentence
"""


class NoMart(LookupError):
    """The published file lacks the mart; the message says what to do."""


def _rows(runtime: Runtime, mart: str, query: str) -> list[dict[str, Any]]:
    """Query the published file.

    Raises:
        NoMart: nothing is published, or the file lacks the mart or its columns.
    """
    try:
        with runtime.warehouse.connect() as connection:
            found = connection.execute(query)
            columns = [c[0] for c in found.description]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except FileNotFoundError as error:
        raise NoMart("nothing is published yet: `douyin publish`") from error
    except duckdb.CatalogException as error:
        raise NoMart(
            f"the warehouse has no marts.{mart} yet: `douyin run` makes it when the tables that it reads have days"
        ) from error
    except duckdb.BinderException as error:
        raise NoMart(
            f"marts.{mart} cannot be read ({str(error).splitlines()[0]}): `douyin publish`, and see "
            "meta.marts for why it was left out"
        ) from error


def low_plays(runtime: Runtime) -> list[AlertCondition]:
    """Find videos with far fewer plays than other videos of their account had at the same age.

    The mart judges them; its newest day is used.

    Raises:
        NoMart: the published file lacks the mart.
    """
    found = []
    for row in _rows(runtime, "video_performance", _LOW):
        account = get_account(runtime.state, row["client_key"], row["open_id"])
        who = called(account) if account else mask_id(row["open_id"])
        title = " ".join((row["title"] or row["item_id"]).split())
        title = title if len(title) <= 40 else title[:39] + "…"
        plays, usual, age = f"{row['play_count'] or 0:,}", f"{row['median_play_count'] or 0:,.0f}", row["age_days"]
        share = "" if row["ratio_to_median"] is None else f"（{row['ratio_to_median']:.0%}）"
        found.append(
            AlertCondition(
                AlertKind.LOW_PLAYS,
                f"{row['client_key']}/{row['open_id']}/{row['item_id']}",
                Severity.INFO,
                f"{who} 《{title}》",
                f"{who} 的视频《{title}》发布 {age} 天播放 {plays}，同期中位数 {usual}{share}",
                f"video {row['item_id']} of {who}, {age} days old, has {plays} plays; the median at that "
                f"age is {usual}",
                f"douyin sql -c \"FROM marts.video_performance WHERE item_id = '{row['item_id']}'\"",
                tags=account.tags if account else frozenset(),
            )
        )
    return found


def watched_words(runtime: Runtime, words: list[str]) -> list[AlertCondition]:
    """Find listed hot words that contain one of ``words``; without words nothing is read.

    Raises:
        NoMart: the published file lacks the mart.
    """
    if not words:
        return []
    matcher = WordMatcher(tuple(words))
    found: dict[str, AlertCondition] = {}
    for row in _rows(runtime, "hot_words_now", _HOT):
        word = matcher.matching(row["sentence"])
        if word is None:
            continue
        level = "" if row["hot_level"] is None else f"{row['hot_level']:,}"
        marks = [m for m, holds in (("新上榜 new", row["is_new"]), ("上升 rising", row["is_rising"])) if holds]
        suffix = f"（{'，'.join(marks)}）" if marks else ""
        one = AlertCondition(
            AlertKind.HOT_WORD,
            row["sentence"],
            Severity.INFO,
            row["sentence"],
            f"热点词「{row['sentence']}」命中关注词「{word}」，热度 {level}{suffix}",
            f"the hot word {row['sentence']} matches {word}; hot level {level}",
            "",
        )
        found.setdefault(one.key, one)
    return list(found.values())
