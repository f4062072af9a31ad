"""The report as one HTML file without a network: numbers from the published marts, charts as SVG, both languages in the page."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from assets.report.questions import Answers, Rows, ask
from catalog import ENDPOINTS
from resources.pending import write_whole
from resources.runtime import Runtime

DIMENSIONS = {
    "gender": ("性别", "Gender"), "age": ("年龄", "Age"), "province": ("地域", "Province"), "device": ("设备", "Device"), "interest": ("兴趣", "Interest"),
    "active_days": ("活跃天数", "Active days"),
}  # fmt: skip
BUCKETS = {("gender", "0"): "未知 unknown", ("gender", "1"): "男 male", ("gender", "2"): "女 female"}
"""Labels that the platform gives as numbers."""
AREAS = {"freshness": ("新鲜度", "Freshness"), "gaps": ("缺口", "Gaps"), "quarantine": ("隔离", "Quarantine"), "failures": ("失败", "Failures"), "quota": ("配额", "Quota"), "token": ("授权", "Consent")}


def board_names() -> dict[str, tuple[str, str]]:
    """Board of the mart ``billboard_moves`` -> its names in Chinese and English."""
    found = {e.name.removeprefix("billboard_"): (e.zh, e.en) for e in ENDPOINTS.values() if e.domain == "billboard"}
    return found | {f"poi_{category}": (f"门店热度榜（类目 {category}）", f"heat list of places, category {category}") for category in ("10", "20", "30")}


def report_path(runtime: Runtime, day: date) -> Path:
    return runtime.settings.home / "reports" / f"{day}.html"


def write_report(runtime: Runtime, day: date, path: Path | None = None) -> Path:
    """Make the report of a Beijing day; gives where it lies.

    Raises:
        FileNotFoundError: nothing was published yet.
    """
    from assets.needs.functions import class_names

    with runtime.warehouse.connect() as warehouse:
        answers = ask(warehouse, day)
    path = path or report_path(runtime, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render(answers, class_names()).encode())
    return path


def latest_day(runtime: Runtime) -> date | None:
    """The last day that a report can tell of."""
    with runtime.warehouse.connect() as warehouse:
        found = [warehouse.execute(f"SELECT max(dt) FROM {table}").fetchone()[0] for table in ("main.hot_words", "main.videos", "main.user_item")]
    return max((d for d in found if d is not None), default=None)


def render(answers: Answers, need_names: dict[str, tuple[str, str]]) -> str:
    """The page. ``need_names``: id of a need -> its names in Chinese and English."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.globals |= {"t": _both, "figure": figure, "percent": percent, "signed": signed, "boards": board_names()}
    template = environment.from_string(files("assets.report").joinpath("templates/report.html.j2").read_text(encoding="utf-8"))
    return template.render(a=answers, pictures=_pictures(answers), need_names=need_names, dimensions=DIMENSIONS, areas=AREAS, health=_health(answers.health))


def _both(zh: str, en: str) -> Markup:
    return Markup('<span class="zh" lang="zh">{}</span><span class="en" lang="en">{}</span>').format(escape(zh), escape(en))


def figure(value: Any) -> str:
    """A number as people read it; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.2f}"


def signed(value: Any) -> str:
    return "–" if value is None else f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):,.0f}"


def percent(value: Any, digits: int = 1) -> str:
    return "–" if value is None else f"{value * 100:.{digits}f}%"


def _pictures(answers: Answers) -> dict[str, Any]:
    """All charts by name. Altair and the renderer are loaded here, not when definitions load."""
    from assets.report import drawings as draw

    by_account: dict[str, Rows] = defaultdict(list)
    for row in answers.trend:
        by_account[row["open_id"]].append(row)
    curves: dict[str, list] = defaultdict(list)
    for row in answers.word_curves:
        curves[row["sentence"]].append((row["at"], row["rank"]))
    video_curves: dict[str, list] = defaultdict(list)
    for row in answers.video_curves:
        video_curves[row["item_id"]].append((row["dt"], row["plays"]))
    found: dict[str, Any] = {
        "trend": {r["open_id"]: Markup(draw.svg(draw.trend(by_account[r["open_id"]]), f"{r['nickname']}: 每日播放 plays a day")) for r in answers.accounts if r["plays_7d"] is not None},
        "words": {word: Markup(draw.spark(points, low_is_up=True)) for word, points in curves.items()},
        "videos_lines": {item: Markup(draw.spark(points)) for item, points in video_curves.items()},
        "portrait": {},
    }
    if answers.videos:
        found["videos"] = Markup(draw.svg(draw.against_median(answers.videos), "视频播放与账号中位数之比 plays against the account's median by age"))
    if any(r["videos"] for r in answers.rhythm):
        found["rhythm"] = Markup(draw.svg(draw.rhythm(answers.rhythm), "发布时间与表现 when videos were published and how they did"))
    if answers.leads:
        found["leads"] = Markup(draw.svg(draw.bars(answers.leads, "source", "people", color="#5b6abf"), "各来源互动人数 people by source"))
    for dimension in DIMENSIONS:
        rows = [r for r in answers.portrait if r["dimension"] == dimension]
        total = sum(r["fans"] or 0 for r in rows)
        if total:
            shares = [{"bucket": BUCKETS.get((dimension, r["bucket"]), r["bucket"]), "share": r["fans"] / total} for r in rows]
            found["portrait"][dimension] = Markup(draw.svg(draw.bars(shares, "bucket", "share", color="#25a7b7", format=".1%", most=8), f"{dimension}"))
    return found


def _health(rows: Rows) -> dict[str, Any]:
    """Matters that want somebody, and per area how many are well."""
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row["area"], {"ok": 0, "warn": 0, "bad": 0})[row["level"]] += 1
    return {"matters": [r for r in rows if r["level"] != "ok"][:30], "areas": counted, "more": max(0, sum(r["level"] != "ok" for r in rows) - 30)}
