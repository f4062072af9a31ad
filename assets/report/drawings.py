"""The report's charts as SVG: drawn 360 pixels wide, which a phone shows as it is and a desk in columns."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

import altair as alt
import vl_convert

from assets.charts import ACCENT, BAD, GOOD, GRID, INK, MUTED, themed
from assets.report.questions import Rows

WIDTH = 340


def svg(chart: alt.TopLevelMixin, about: str) -> str:
    """The chart as an SVG element that scales down with its place; ``about`` is read out in its stead."""
    drawn = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version=_version())
    start = drawn.index("<svg")
    head, _, body = drawn[start:].partition(">")
    label = about.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'{head} role="img" aria-label="{label}">{body}'


@cache
def _version() -> str:
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _days(rows: Rows, *names: str) -> Rows:
    return [{"dt": row["dt"].isoformat(), **{name: row[name] for name in names}} for row in rows]


def trend(rows: Rows) -> alt.TopLevelMixin:
    """Plays of one account day by day: the line breaks where a day is missing, and the day is marked."""
    data = alt.Data(values=_days(rows, "plays", "is_gap"))
    x = alt.X("dt:T", title=None, axis=alt.Axis(format="%m-%d", tickCount=5, grid=False))
    base = alt.Chart(data)
    gaps = base.transform_filter("datum.is_gap").mark_rule(color=BAD, opacity=0.35, strokeWidth=6).encode(x=x)
    line = base.mark_line(color=ACCENT, strokeWidth=2, invalid="break-paths-show-domains").encode(x=x, y=alt.Y("plays:Q", title=None, axis=alt.Axis(format="~s", tickCount=3)))
    # A day between two gaps is no line: it needs a point to be seen.
    points = base.transform_filter("datum.plays !== null").mark_point(color=ACCENT, size=8, filled=True).encode(x=x, y="plays:Q")
    return themed((gaps + line + points).properties(width=WIDTH, height=90))


def against_median(rows: Rows) -> alt.TopLevelMixin:
    """Every young video: its age, and its plays against the median of its account at that age."""
    values = [
        {"age": r["counted_age_days"], "ratio": max(r["ratio_to_median"], 0.01), "kind": "hit" if r["is_hit"] else "low" if r["is_low_play"] else "usual"}
        for r in rows
    ]  # fmt: skip
    base = alt.Chart(alt.Data(values=values))
    y = alt.Y("ratio:Q", title=None, scale=alt.Scale(type="log"), axis=alt.Axis(values=[0.01, 0.2, 1, 3, 10, 100], format="~g"))
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["usual", "hit", "low"], range=["#b6bcc8", GOOD, BAD]))
    points = base.mark_circle(size=60, opacity=0.85).encode(x=alt.X("age:Q", title=None, axis=alt.Axis(tickMinStep=1, grid=False)), y=y, color=color)
    line = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(y=y)
    return themed((points + line).properties(width=WIDTH, height=200))


def bars(rows: Rows, label: str, value: str, *, color: str = ACCENT, format: str = "~s", most: int = 10) -> alt.TopLevelMixin:
    """Horizontal bars with their values written beside them, in the order of the rows."""
    values = [{"label": str(r[label]), "value": r[value]} for r in rows[:most] if r[value] is not None]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=110, ticks=False, domain=False, labelColor=INK)),
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domainMin=0, padding=8)),
    )
    most_value = max((v["value"] for v in values), default=1) or 1
    bar = base.mark_bar(color=color, height=14, cornerRadiusEnd=2)
    text = base.mark_text(align="left", dx=4, color=MUTED, fontSize=12).encode(text=alt.Text("value:Q", format=format))
    room = alt.Chart(alt.Data(values=[{"value": most_value * 1.22}])).mark_point(opacity=0).encode(x="value:Q")
    return themed((bar + text + room).properties(width=WIDTH - 100, height=max(24, 24 * len(values))))


_WEEKDAYS = ["一 Mo", "二 Tu", "三 We", "四 Th", "五 Fr", "六 Sa", "日 Su"]


def rhythm(rows: Rows) -> alt.TopLevelMixin:
    """When videos were published, and how they did: size is number, colour the plays against the median."""
    values = [{"weekday": _WEEKDAYS[r["weekday"] - 1], "hour": r["hour"], "videos": r["videos"], "ratio": r["ratio"]} for r in rows]
    chart = alt.Chart(alt.Data(values=values)).mark_circle(opacity=0.9, stroke=MUTED, strokeWidth=0.4).encode(
        x=alt.X("hour:Q", title=None, scale=alt.Scale(domain=[-0.9, 23.9], nice=False), axis=alt.Axis(values=[0, 6, 12, 18, 23], grid=False)),
        y=alt.Y("weekday:N", title=None, sort=_WEEKDAYS, scale=alt.Scale(domain=_WEEKDAYS), axis=alt.Axis(grid=True, gridColor=GRID, domain=False, ticks=False)),
        size=alt.Size("videos:Q", legend=None, scale=alt.Scale(range=[20, 220])),
        color=alt.condition("datum.ratio === null", alt.value("#d3d7de"), alt.Color("ratio:Q", legend=None, scale=alt.Scale(type="log", domain=[0.3, 1, 3], range=[BAD, "#f4e3b5", GOOD], clamp=True))),
    )  # fmt: skip
    return themed(chart.properties(width=WIDTH, height=190))


def spark(points: list[tuple[Any, float]], *, low_is_up: bool = False) -> str:
    """A word-sized line; times are drawn to scale. Empty with fewer than two points."""
    if len(points) < 2:
        return ""
    first, last = points[0][0], points[-1][0]
    span = (last - first) / timedelta(seconds=1) or 1
    low, high = min(v for _, v in points), max(v for _, v in points)
    height = (high - low) or 1
    drawn = " ".join(
        f"{2 + 76 * ((at - first) / timedelta(seconds=1)) / span:.1f},{2 + 16 * ((v - low) if low_is_up else (high - v)) / height:.1f}" for at, v in points
    )
    return f'<svg class="spark" viewBox="0 0 80 20" width="80" height="20" aria-hidden="true"><polyline points="{drawn}" fill="none" stroke="{ACCENT}" stroke-width="1.6"/></svg>'
