"""A home with just the rows that a test of the report needs, in a published file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog import TABLES
from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state.load_status import Outcome
from resources.storage.schema import STATUS_SCHEMA, arrow_schema
from resources.warehouse.mart_files import load_marts
from services.marts.binding import CompiledMart, bind

DAY = date(2026, 11, 22)
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""20:00 in Beijing on DAY."""
HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{7*7}}&amp;\u202egnp.exe"
"""A hostile nickname."""


@cache
def bound() -> dict[str, CompiledMart]:
    return bind(load_marts())


@cache
def _published_nothing() -> Path:
    """Return a file published from an empty lake, made once: publishing takes more than a second of CPU."""
    home = Path(tempfile.mkdtemp(prefix="report-rows-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    runtime = Runtime(Settings(_env_file=None, home=home))
    runtime.warehouse.publish()
    runtime.close()
    return runtime.warehouse.path


@dataclass
class Home:
    """``put`` rows of a table or mart into a published file."""

    path: Path

    def __post_init__(self) -> None:
        self.runtime = Runtime(Settings(_env_file=None, home=self.path))
        self.path.mkdir(exist_ok=True)
        self.file = self.runtime.warehouse.path
        shutil.copy(_published_nothing(), self.file)
        self._writer: duckdb.DuckDBPyConnection | None = None

    def put(self, name: str, *rows: dict[str, Any], day: date = DAY) -> None:
        """Put rows of one day; missing members are null, ids have a default."""
        is_mart = name in bound()
        schema = bound()[name].schema if is_mart else arrow_schema(TABLES[name])
        standard = {
            "dt": day,
            "client_key": "app",
            "open_id": "a",
            "observed_at": AT,
            "source": "test",
            "item_id": "v",
            "nickname": None,
            "move": "enter",
            "created_date": day,
            "action_date": day,
        }
        self._insert(
            f'marts."{name}"' if is_mart else f'main."{name}"',
            pa.Table.from_pylist(
                [{column: (standard | row).get(column) for column in schema.names} for row in rows], schema
            ),
        )
        self.write("INSERT INTO meta.partitions VALUES (?, ?, 1, 1)", [f"marts/{name}" if is_mart else name, day])

    def loaded(self, table: str, outcome: Outcome, open_id: str = "a", day: date = DAY) -> None:
        """Record the outcome of a table for an account."""
        line = {
            "table_name": table,
            "dt": day,
            "operation": "operation",
            "client_key": "app",
            "open_id": open_id,
            "status": str(outcome),
            "calls": 1,
            "rows": 0,
            "quarantined": 0,
        }
        self._insert("meta.load_status", pa.Table.from_pylist([line], STATUS_SCHEMA))

    def write(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Execute any statement."""
        if self._writer is None:
            self._writer = duckdb.connect(str(self.file))
            self._writer.execute("CREATE SCHEMA IF NOT EXISTS marts")
        self._writer.execute(sql, values)

    def _insert(self, name: str, rows: pa.Table) -> None:
        self.write("SELECT 1")
        self._writer.register("given", rows)
        self.write(f"CREATE TABLE IF NOT EXISTS {name} AS FROM given LIMIT 0")
        self.write(f"INSERT INTO {name} BY NAME FROM given")
        self._writer.unregister("given")

    def publish(self) -> Runtime:
        """Publish all rows and close the file for readers."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return self.runtime


def account_days(
    open_id: str, plays: list[int | None], *, last: date = DAY - timedelta(days=1), fans: int = 1000, **more: Any
) -> list[tuple[date, dict[str, Any]]]:
    """An account's days up to ``last``: None is a day that lacks the plays."""
    days = [last - timedelta(days=len(plays) - 1 - n) for n in range(len(plays))]
    return [
        (
            day,
            {
                "open_id": open_id,
                "nickname": f"账号{open_id}",
                "new_play": value,
                "total_fans": fans,
                "net_fans": 1,
                "interactions": 10,
                "profile_uv": 5,
                "new_issue": 1,
                "missing": "" if value is not None else "user_item",
                "is_gap": value is None,
            }
            | more,
        )
        for day, value in zip(days, plays, strict=True)
    ]


def put_accounts(home: Home, *accounts: list[tuple[date, dict[str, Any]]]) -> None:
    """Days of several accounts, each day as one partition."""
    by_day: dict[date, list[dict[str, Any]]] = {}
    for account in accounts:
        for day, row in account:
            by_day.setdefault(day, []).append(row)
    for day, rows in by_day.items():
        home.put("account_daily", *rows, day=day)


def put_everything(home: Home, text: str = HOSTILE) -> None:
    """Put data for every section, with ``text`` as every text of the platform or of people."""
    put_accounts(
        home,
        account_days("a", [100, 200, None, 400, 300, 200, 100, 250, 50], nickname=text),
        account_days("b", [10] * 9, fans=20, nickname=text),
    )
    home.put("account_profiles", {"nickname": text}, {"open_id": "b", "nickname": text})
    for hours in (0, 4, 8):
        home.put(
            "hot_words",
            *[
                {
                    "rank": n + 1,
                    "sentence": text if n == 4 - hours // 2 else f"词{n}",
                    "observed_at": AT - timedelta(days=1, hours=hours),
                }
                for n in range(8)
            ],
            day=DAY - timedelta(days=1 + hours),
        )
    home.put("hot_words", *[{"rank": n + 1, "sentence": text if n == 0 else f"词{n}"} for n in range(8)])
    home.put(
        "hot_words_now",
        {
            "sentence": text,
            "listed_at": AT,
            "rank": 1,
            "rank_change": 4,
            "is_new": False,
            "is_back": False,
            "is_rising": True,
            "is_on_rising_list": True,
            "label": 4,
            "hot_level": 9,
        },
        {
            "sentence": "词1",
            "listed_at": AT,
            "rank": 2,
            "rank_change": 7,
            "is_new": True,
            "is_back": False,
            "is_rising": True,
            "is_on_rising_list": False,
            "hot_level": 8,
        },
    )
    home.put(
        "topic_opportunity",
        {
            "sentence": text,
            "rank": 1,
            "rank_change": 4,
            "matched_terms": text,
            "own_videos": 2,
            "best_own_title": text,
            "own_median_ratio": 1.5,
            "comment_mentions": 3,
            "score": 2.0,
            "evidence": text,
        },
    )
    home.put(
        "billboard_moves",
        {"board": "hot_video", "entry": text, "move": "enter", "rank": 2, "days_on_board": 1, "best_rank": 2},
        {"board": text, "entry": "掉", "move": "leave", "rank_before": 3, "days_on_board": 4, "best_rank": 1},
        {
            "board": "topic",
            "entry": "升",
            "move": "up",
            "rank": 2,
            "rank_before": 9,
            "rank_change": 7,
            "days_on_board": 4,
            "best_rank": 1,
        },
    )
    young = {
        "title": text,
        "published_date": DAY - timedelta(days=4),
        "counted_age_days": 3,
        "counted_until": DAY - timedelta(days=1),
        "median_play_count": 100.0,
        "compared_videos": 6,
    }
    home.put(
        "video_performance",
        {**young, "item_id": "h", "play_count": 900, "ratio_to_median": 9.0, "is_hit": True, "is_low_play": False},
        {**young, "item_id": "l", "play_count": 0, "ratio_to_median": 0.0, "is_hit": False, "is_low_play": True},
        {**young, "item_id": "u", "play_count": 90, "ratio_to_median": 0.9, "is_hit": False, "is_low_play": False},
    )
    for age, plays in ((0, 500), (1, 300), (3, 100)):
        home.put(
            "video_daily",
            {"item_id": "h", "plays": plays},
            {"item_id": "l", "plays": 0},
            day=DAY - timedelta(days=4 - age),
        )
    home.put(
        "fan_portrait",
        {
            "dimension": "gender",
            "bucket": "1",
            "fans": 60,
            "share_ratio": 0.6,
            "compared_with": DAY - timedelta(days=7),
            "fans_before": 40,
            "share_change": 0.1,
        },
        {
            "dimension": "gender",
            "bucket": "2",
            "fans": 40,
            "share_ratio": 0.4,
            "compared_with": DAY - timedelta(days=7),
            "fans_before": 40,
            "share_change": -0.1,
        },
        {"dimension": "interest", "bucket": text, "fans": 5, "share_ratio": 1.0},
    )
    home.put(
        "comment_labels",
        {
            "comment_id": "1",
            "commenter_open_id": "p",
            "digg_count": 5,
            "text_masked": text,
            "needs": "ask_price",
            "is_asking": True,
            "sentiment": 0.5,
        },
        {
            "comment_id": "2",
            "commenter_open_id": "q",
            "text_masked": "好",
            "needs": "ask_price,praise",
            "is_asking": False,
            "sentiment": 1.0,
        },
        {"comment_id": "3", "commenter_open_id": "q", "text_masked": "嗯", "needs": "", "is_asking": False},
    )
    home.put("comment_keywords", {"term": text, "comments": 3, "score": 1.0, "position": 1})
    home.put(
        "lead_funnel",
        {
            "action_source": text,
            "action_type": 1,
            "action_flag": 0,
            "actions": 9,
            "people": 4,
            "leads": 4,
            "contacts": 1,
        },
        {
            "action_source": "未知",
            "action_type": 2,
            "action_flag": 0,
            "actions": 1,
            "people": 1,
            "leads": 0,
            "contacts": 0,
        },
    )
    home.put(
        "poi_daily",
        {
            "poi_id": "1",
            "poi_name": text,
            "detail_views": 50,
            "views_ratio": 2.0,
            "exposure_uv": 10,
            "click_ratio": 0.1,
            "order_count": 0,
        },
        day=DAY - timedelta(days=1),
    )
    home.put(
        "publishing_rhythm",
        {"weekday": 1, "hour": 9, "videos": 3, "judged_videos": 2, "judged_plays": 20, "expected_plays": 10, "hits": 1},
        {"weekday": 7, "hour": 23, "videos": 1, "judged_videos": 0, "hits": 0},
    )
    home.put(
        "data_health",
        {
            "area": "failures",
            "subject": text,
            "subject_name": text,
            "level": "bad",
            "says_en": text,
            "says_zh": text,
            "as_of": AT,
        },
        {"area": "quota", "subject": "x", "level": "ok", "says_en": "", "says_zh": "", "as_of": AT},
    )
