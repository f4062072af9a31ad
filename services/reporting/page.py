"""Render the report as one HTML file that needs no network.

Its numbers come from the published marts. Charts are SVG, and the page has both languages.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import defaultdict
from datetime import date, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from catalog import ENDPOINTS, TABLES
from resources.runtime import Runtime
from resources.storage.atomic import write_atomic
from services.reporting.questions import TREND_DAYS, ReportData, Rows, ask
from services.reporting.reasons import what_lacks, why_empty

DIMENSIONS = {
    "gender": ("性别", "Gender"),
    "age": ("年龄", "Age"),
    "active_days": ("月活跃天数", "Active days a month"),
    "province": ("地域", "Province"),
    "interest": ("兴趣", "Interest"),
    "device": ("设备", "Device"),
}
"""Dimensions of the portrait, in page order."""
BUCKETS = {("gender", "0"): "未知 unknown", ("gender", "1"): "男 male", ("gender", "2"): "女 female"}
"""Labels for numeric codes of the platform."""
UNKNOWN = ("未知", "未知 unknown")
MOST_BARS = 8
AREAS = {
    "freshness": ("新鲜度", "Freshness"),
    "gaps": ("缺口", "Gaps"),
    "failures": ("采集失败", "Failures"),
    "quarantine": ("隔离", "Quarantine"),
    "quota": ("配额", "Quota"),
    "token": ("授权", "Consent"),
}
FIGURES = {
    "plays": ("播放", "Plays"),
    "interactions": ("互动", "Interactions"),
    "net_fans": ("净增粉丝", "Net fans"),
    "visitors": ("主页访客", "Profile visitors"),
    "issued": ("发布视频", "Videos published"),
    "fans": ("总粉丝", "Fans in total"),
}
"""Headline numbers, in page order."""
LABELS = {
    1: ("新", "new"),
    2: ("荐", "recommended"),
    3: ("热", "hot"),
    4: ("爆", "explosive"),
    5: ("首发", "first release"),
}
"""Labels of the platform's own list of rising words."""


def board_names() -> dict[str, tuple[str, str]]:
    """Map the boards of the mart ``billboard_moves`` to their names in Chinese and English."""
    found = {e.name.removeprefix("billboard_"): (e.zh, e.en) for e in ENDPOINTS.values() if e.domain == "billboard"}
    return found | {
        f"poi_{category}": (f"门店热度榜（类目 {category}）", f"Heat list of places, category {category}")
        for category in ("10", "20", "30")
    }


def report_path(runtime: Runtime, day: date) -> Path:
    """Return the default path of a day's report."""
    return runtime.settings.home / "reports" / f"{day}.html"


def write_report(runtime: Runtime, day: date, path: Path | None = None) -> Path:
    """Write the report of a Beijing day; return its path.

    Raises:
        FileNotFoundError: nothing was published yet.
        OSError: the file cannot be written.
    """
    from services.comments.rules import class_names, needs_dir

    with runtime.warehouse.connect() as warehouse:
        answers = ask(warehouse, day)
    path = path or report_path(runtime, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, render(answers, class_names(needs_dir(runtime.settings))).encode("utf-8"))
    return path


def latest_day(runtime: Runtime) -> date | None:
    """Return the last day with data for a report; None while the warehouse is empty.

    Raises:
        FileNotFoundError: nothing was published yet.
    """
    with runtime.warehouse.connect() as warehouse:
        found = [
            day
            for table in ("hot_words", "videos", "user_item")
            for (day,) in warehouse.execute(f"SELECT max(dt) FROM main.{table}").fetchall()
        ]
    return max((d for d in found if d is not None), default=None)


def render(answers: ReportData, need_names: dict[str, tuple[str, str]]) -> str:
    """Render the page; ``need_names`` maps the id of a need to its names in Chinese and English."""
    folder = files("services.reporting").joinpath("templates")
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "language.js"))
    # Only this script may run, and nothing may be loaded, whatever a title contains.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; script-src "
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'; base-uri 'none'; "
        "form-action 'none'"
    )
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals |= {
        "t": both,
        "figure": figure,
        "percent": percent,
        "signed": signed,
        "times": times,
        "series_names": series_names,
        "named": named,
    }
    template = environment.from_string((folder / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        a=answers,
        figures=_figures(answers),
        words=_words(answers),
        trends=_trends(answers),
        videos=_videos(answers),
        portrait=_portrait(answers),
        lead_days=_lead_days(answers),
        rhythm=_rhythm(answers),
        needs=answers.many("needs"),
        need_names=need_names,
        areas=AREAS,
        boards=board_names(),
        labels=LABELS,
        why=partial(why_empty, answers),
        lacks=partial(what_lacks, answers),
        style=Markup(style),
        script=Markup(script),
        policy=Markup(policy.replace('"', "&quot;")),
    )


def both(zh: Any, en: Any) -> Markup:
    """Mark up a text in both languages; the page shows one of them."""
    return Markup('<span class="zh" lang="zh-CN">{}</span><span class="en" lang="en">{}</span>').format(zh, en)


def named(row: dict[str, Any], key: str = "nickname") -> str:
    """Return an account's name, or the beginning of its id if the platform gave no name."""
    return row[key] or f"{row['open_id'][:8]}…"


def figure(value: Any) -> str:
    """Format a number for people; a dash if there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    sign = "−" if value < 0 else ""
    value = abs(value)
    return sign + (f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:,.1f}")


def signed(value: Any, digits: int = 0) -> str:
    """Format a difference with its sign."""
    return "–" if value is None else f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):,.{digits}f}"


def percent(value: Any, digits: int = 1) -> str:
    """Format a ratio in per cent."""
    return "–" if value is None else f"{value * 100:.{digits}f}%"


def times(value: Any) -> str:
    """Format a multiple of a median."""
    return "–" if value is None else f"{value:.1f}×" if value >= 10 else f"{value:.2f}×"


def series_names(tables: list[str] | None) -> tuple[str, str]:
    """Return the names, in both languages, of the series that an account partly lacks."""
    known = [TABLES[name] for name in tables or [] if name in TABLES]
    return "、".join(t.zh for t in known), ", ".join(t.en for t in known)


def _figures(answers: ReportData) -> list[dict[str, Any]]:
    """List the headline numbers, each with its count of accounts, its change and its days."""
    from services.reporting import drawings as draw

    rows = {row["measure"]: row for row in answers.many("figures")}
    found = []
    if answers.figures_day is not None and rows:
        all_accounts = next(iter(rows.values()))["all_accounts"]
        for measure, names in FIGURES.items():
            row = rows.get(
                measure,
                {"accounts": 0, "total": None, "median": None, "median_days": 0, "week_before": None, "curve": []},
            )
            values = {point["dt"]: point["value"] for point in row["curve"]}
            days = draw.day_grid(values, answers.figures_day - timedelta(days=TREND_DAYS - 1), answers.figures_day)
            found.append(
                row
                | {
                    "names": names,
                    "measure": measure,
                    "all_accounts": all_accounts,
                    "change": row["total"] / row["median"] - 1
                    if measure in ("plays", "interactions", "visitors") and row["median"] and row["total"] is not None
                    else None,
                    "gained": row["total"] - row["week_before"]
                    if measure == "fans" and row["week_before"] is not None and row["total"] is not None
                    else None,
                    "spark": draw.spark(days, low=min([0, *values.values()]) if measure != "fans" else None, width=140),
                }
            )
    return found


def _words(answers: ReportData) -> dict[str, Any]:
    """Collect the rising words: those that entered the list, and those that climbed."""
    from services.reporting import drawings as draw

    lists = answers.many("word_lists")
    ranks: dict[str, dict[Any, int]] = defaultdict(dict)
    for row in answers.many("word_ranks"):
        ranks[row["sentence"]][row["at"]] = row["rank"]
    length = max((r["length"] for r in lists), default=1)
    rows = [
        r
        | {
            "spark": draw.spark(
                [(x["at"], ranks[r["sentence"]].get(x["at"])) for x in lists], low=1, high=length, is_rank=True
            )
        }
        for r in answers.many("words")
    ]
    return {
        "rows": rows,
        "listed_at": rows[0]["listed_at"] if rows else None,
        "groups": [
            ([r for r in rows if r["is_entry"]], ("新上榜与重返", "Entered the list")),
            ([r for r in rows if not r["is_entry"]], ("名次上升", "Climbed on the list")),
        ],
    }


def _trends(answers: ReportData) -> list[dict[str, Any]]:
    """List the accounts with their charts; without a chart if no day has plays."""
    from services.reporting import drawings as draw

    days: dict[tuple[str, str], dict[date, int | None]] = defaultdict(dict)
    for row in answers.many("trend"):
        days[row["client_key"], row["open_id"]][row["dt"]] = row["plays"]
    found = []
    for account in answers.many("accounts"):
        plays = days[account["client_key"], account["open_id"]]
        last = answers.figures_day or answers.day
        grid = draw.day_grid(plays, last - timedelta(days=TREND_DAYS - 1), last)
        known_since = min(plays, default=last)
        gaps = sum(value is None and day >= known_since for day, value in grid)
        chart = None
        if any(value is not None for _, value in grid):
            title = f"{named(account)}：近 {TREND_DAYS} 日每日播放 plays a day"
            chart = draw.svg(
                draw.trend(grid, known_since),
                title,
                f"近 7 日播放 plays in 7 days {figure(account['plays_7d'])}；缺失 days missing {gaps}",
            )
        found.append(account | {"chart": chart, "gaps": gaps})
    return found


def _videos(answers: ReportData) -> dict[str, Any]:
    """Collect the judged videos as dots, and the outstanding ones with their days."""
    from services.reporting import drawings as draw

    plays: dict[tuple[str, str, str], dict[date, int]] = defaultdict(dict)
    for row in answers.many("video_days"):
        plays[row["client_key"], row["open_id"], row["item_id"]][row["dt"]] = row["plays"]

    def with_spark(row: dict[str, Any]) -> dict[str, Any]:
        """Add a sparkline of its days to a video."""
        days = plays[row["client_key"], row["open_id"], row["item_id"]]
        first = row["published_date"] or min(days, default=answers.day)
        return row | {
            "spark": draw.spark(
                draw.day_grid(days, first, max(row["counted_until"], *days, first)) if days else [], low=0
            )
        }

    dots = answers.many("videos")
    title, about = (
        "视频播放与账号中位数之比 plays against the account's median",
        f"横轴为发布天数，纵轴为倍数 age in days across, multiple of the median up; {len(dots)} videos",
    )
    chart = draw.both(lambda width: draw.against_median(dots, width), title, about) if dots else None
    return {
        "chart": chart,
        "shown": len(dots),
        "counts": answers.one("video_counts"),
        "hits": [with_spark(r) for r in answers.many("hits")],
        "lows": [with_spark(r) for r in answers.many("lows")],
    }


def _rhythm(answers: ReportData) -> Markup | None:
    from services.reporting import drawings as draw

    rows = answers.many("rhythm")
    if not rows:
        return None
    return draw.both(
        lambda width: draw.rhythm(rows, width),
        "发布节奏 publishing rhythm",
        f"{sum(r['videos'] for r in rows)} 个视频 videos; 按星期与小时 by weekday and hour",
    )


def _lead_days(answers: ReportData) -> Markup | None:
    from services.reporting import drawings as draw

    rows = answers.many("lead_days")
    if not rows:
        return None
    return draw.both(
        lambda width: draw.lead_days(rows, answers.day - timedelta(days=6), answers.day, width),
        "每日互动与留资人次 people who acted and who left a contact, by day",
        "近 7 日 seven days",
    )


def _portrait(answers: ReportData) -> list[dict[str, Any]]:
    """List the dimensions of the portrait, each with a chart.

    Ages and days are in natural order, the others by size; unknown values are last.
    """
    from services.reporting import drawings as draw

    found = []
    for dimension, names in DIMENSIONS.items():
        rows: Rows = [
            r | {"label": BUCKETS.get((dimension, r["bucket"]), r["bucket"])}
            for r in answers.many("portrait")
            if r["dimension"] == dimension
        ]
        if not rows:
            continue
        if dimension in ("age", "active_days"):
            rows.sort(
                key=lambda r: (
                    int((re.findall(r"\d+", r["label"]) or ["999"])[0]),
                    r["label"].endswith("+"),
                    r["label"],
                )
            )
        rows.sort(key=lambda r: r["label"] in UNKNOWN)
        about = ", ".join(f"{r['label']} {r['share']:.1%}" for r in rows[:MOST_BARS])
        found.append(
            {
                "names": names,
                "chart": draw.svg(draw.shares(rows, MOST_BARS), f"{names[0]} {names[1]}", about),
                "buckets": len(rows),
                "shown": min(len(rows), MOST_BARS),
                "accounts": rows[0]["accounts"],
            }
        )
    return found
