"""The report as one HTML file without a network: numbers from the published marts, charts as SVG, both languages in the page."""

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
from services.reporting.questions import TREND_DAYS, Answers, Rows, ask
from services.reporting.reasons import what_lacks, why_empty

DIMENSIONS = {
    "gender": ("性别", "Gender"),
    "age": ("年龄", "Age"),
    "active_days": ("月活跃天数", "Active days a month"),
    "province": ("地域", "Province"),
    "interest": ("兴趣", "Interest"),
    "device": ("设备", "Device"),
}
"""Dimensions of the portrait in their order on the page."""
BUCKETS = {("gender", "0"): "未知 unknown", ("gender", "1"): "男 male", ("gender", "2"): "女 female"}
"""Labels that the platform gives as numbers."""
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
"""Numbers of the headline in their order."""
LABELS = {
    1: ("新", "new"),
    2: ("荐", "recommended"),
    3: ("热", "hot"),
    4: ("爆", "explosive"),
    5: ("首发", "first release"),
}
"""Labels of the platform's own rising list."""


def board_names() -> dict[str, tuple[str, str]]:
    """Board of the mart ``billboard_moves`` -> its names in Chinese and English."""
    found = {e.name.removeprefix("billboard_"): (e.zh, e.en) for e in ENDPOINTS.values() if e.domain == "billboard"}
    return found | {
        f"poi_{category}": (f"门店热度榜（类目 {category}）", f"Heat list of places, category {category}")
        for category in ("10", "20", "30")
    }


def report_path(runtime: Runtime, day: date) -> Path:
    """Where the report of a day lies unless somebody wants it elsewhere."""
    return runtime.settings.home / "reports" / f"{day}.html"


def write_report(runtime: Runtime, day: date, path: Path | None = None) -> Path:
    """Make the report of a Beijing day; gives where it lies.

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
    """The last day that a report can tell of; None while the warehouse is empty.

    Raises:
        FileNotFoundError: nothing was published yet.
    """
    with runtime.warehouse.connect() as warehouse:
        found = [
            warehouse.execute(f"SELECT max(dt) FROM main.{table}").fetchone()[0]
            for table in ("hot_words", "videos", "user_item")
        ]
    return max((d for d in found if d is not None), default=None)


def render(answers: Answers, need_names: dict[str, tuple[str, str]]) -> str:
    """The page. ``need_names``: id of a need -> its names in Chinese and English."""
    folder = files("services.reporting").joinpath("templates")
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "language.js"))
    # Nothing but this very script may run, and nothing may be loaded, whatever stands in a title.
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
    """A text in both languages, of which the page shows one."""
    return Markup('<span class="zh" lang="zh-CN">{}</span><span class="en" lang="en">{}</span>').format(zh, en)


def named(row: dict[str, Any], key: str = "nickname") -> str:
    """An account's name, or the head of its id where the platform gave none."""
    return row[key] or f"{row['open_id'][:8]}…"


def figure(value: Any) -> str:
    """A number as people read it; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    sign = "−" if value < 0 else ""
    value = abs(value)
    return sign + (f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:,.1f}")


def signed(value: Any, digits: int = 0) -> str:
    """A difference with its sign."""
    return "–" if value is None else f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):,.{digits}f}"


def percent(value: Any, digits: int = 1) -> str:
    """A ratio in per cent."""
    return "–" if value is None else f"{value * 100:.{digits}f}%"


def times(value: Any) -> str:
    """A multiple of a median."""
    return "–" if value is None else f"{value:.1f}×" if value >= 10 else f"{value:.2f}×"


def series_names(tables: list[str] | None) -> tuple[str, str]:
    """Names of the series that an account lacks somewhere."""
    known = [TABLES[name] for name in tables or [] if name in TABLES]
    return "、".join(t.zh for t in known), ", ".join(t.en for t in known)


def _figures(answers: Answers) -> list[dict[str, Any]]:
    """Numbers of the headline, each with how many accounts it counts, its change and its days."""
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


def _words(answers: Answers) -> dict[str, Any]:
    """Rising words: those that entered the list, and those that climbed on it."""
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


def _trends(answers: Answers) -> list[dict[str, Any]]:
    """Accounts with their chart, or without where no day has plays."""
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


def _videos(answers: Answers) -> dict[str, Any]:
    """Judged videos as dots, and those that stand out with their days."""
    from services.reporting import drawings as draw

    plays: dict[tuple[str, str, str], dict[date, int]] = defaultdict(dict)
    for row in answers.many("video_days"):
        plays[row["client_key"], row["open_id"], row["item_id"]][row["dt"]] = row["plays"]

    def with_spark(row: dict[str, Any]) -> dict[str, Any]:
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


def _rhythm(answers: Answers) -> Markup | None:
    from services.reporting import drawings as draw

    rows = answers.many("rhythm")
    if not rows:
        return None
    return draw.both(
        lambda width: draw.rhythm(rows, width),
        "发布节奏 publishing rhythm",
        f"{sum(r['videos'] for r in rows)} 个视频 videos; 按星期与小时 by weekday and hour",
    )


def _lead_days(answers: Answers) -> Markup | None:
    from services.reporting import drawings as draw

    rows = answers.many("lead_days")
    if not rows:
        return None
    return draw.both(
        lambda width: draw.lead_days(rows, answers.day - timedelta(days=6), answers.day, width),
        "每日互动与留资人次 people who acted and who left a contact, by day",
        "近 7 日 seven days",
    )


def _portrait(answers: Answers) -> list[dict[str, Any]]:
    """Dimensions with a chart each.

    Ages and days stand in their order, the others by size; what is unknown stands last.
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
