"""Draw the report's charts as SVG.

Text stays text, at its natural size on a phone. A chart that needs more space is drawn in two widths, and the page
shows one of both.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import altair as alt
import vl_convert
from markupsafe import Markup, escape

from services.reporting.charts import ACCENT, BAD, GOOD, GRID, INK, MUTED, WARN, themed
from services.reporting.questions import Rows

NARROW, WIDE = 340, 520
"""Widths in pixels: a phone's column, and half a desktop page. Letters have 12 pixels in both."""
SOFT = "#f3f4f6"
_ids = itertools.count(1)


def svg(chart: alt.TopLevelMixin, title: str, about: str) -> Markup:
    """Render a chart as a scalable SVG element; screen readers read ``title`` and ``about`` instead of it."""
    spec = chart.to_dict()
    spec["config"]["aria"] = False  # screen readers would read each dot and axis, in English
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=_version())
    head, _, body = drawn[drawn.index("<svg") :].partition(">")
    number = next(_ids)
    names = Markup('<title id="c{0}t">{1}</title><desc id="c{0}d">{2}</desc>').format(number, title, about)
    return Markup(f'{head} role="img" aria-labelledby="c{number}t c{number}d">{names}{body}')


def both(draw: Any, title: str, about: str) -> Markup:
    """Render a chart in two widths with ``draw(width)``."""
    return Markup('<div class="for-phone">{}</div><div class="for-desk">{}</div>').format(
        svg(draw(NARROW), title, about), svg(draw(WIDE), title, about)
    )


@cache
def _version() -> str:
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _fit(chart: Any, width: int, height: int) -> alt.TopLevelMixin:
    """Fit the whole picture, labels included, into the given size, so that stacked charts line up."""
    return themed(
        chart.properties(width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    )


def day_grid(values: Mapping[date, float | None], first: date, last: date) -> list[tuple[date, float | None]]:
    """List every day from first to last with its value; None for a missing day, so that the line breaks."""
    return [(day, values.get(day)) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))]


_SHORT = "datum.value == 0 ? '0' : format(datum.value, '~s')"


def trend(days: Sequence[tuple[date, float | None]], known_since: date) -> alt.TopLevelMixin:
    """Draw the daily plays of one account; the line breaks at missing days, marked from ``known_since`` on."""
    values = [
        {"dt": day.isoformat(), "plays": plays, "is_gap": plays is None and day >= known_since} for day, plays in days
    ]
    x = alt.X(
        "dt:T",
        title=None,
        axis=alt.Axis(format="%m-%d", tickCount=4, grid=False, labelFlush=True),
        scale=alt.Scale(domain=[values[0]["dt"], values[-1]["dt"]]),
    )
    base = alt.Chart(alt.Data(values=values))
    gaps = base.transform_filter("datum.is_gap").mark_rule(color=BAD, opacity=0.28, strokeWidth=7).encode(x=x)
    y = alt.Y(
        "plays:Q",
        title=None,
        axis=alt.Axis(tickCount=3, labelExpr=_SHORT, labelPadding=6, domain=False, ticks=False),
        scale=alt.Scale(domainMin=0),
    )
    line = base.mark_line(color=ACCENT, strokeWidth=2, invalid="break-paths-show-domains").encode(x=x, y=y)
    # A day between two gaps has no line: it needs a point to be visible.
    points = (
        base.transform_filter("isValid(datum.plays)")
        .mark_point(color=ACCENT, size=9, filled=True, opacity=1)
        .encode(x=x, y="plays:Q")
    )
    return _fit(gaps + line + points, NARROW, 118)


LOWEST, HIGHEST = 0.05, 30.0
"""Values outside are drawn at the edge: a video without plays has no place on a logarithmic scale."""


def against_median(rows: Rows, width: int) -> alt.TopLevelMixin:
    """Draw every judged video by its age, and by its plays relative to its account's median at that age."""
    values = [
        {
            "age": r["counted_age_days"],
            "ratio": min(max(r["ratio_to_median"], LOWEST), HIGHEST),
            "kind": "hit" if r["is_hit"] else "low" if r["is_low_play"] else "usual",
        }
        for r in rows
    ]
    scale = alt.Scale(type="log", domain=[LOWEST, HIGHEST], nice=False)
    y = alt.Y(
        "ratio:Q",
        title=None,
        scale=scale,
        axis=alt.Axis(
            values=[0.05, 0.2, 1, 3, 10, 30],
            labelExpr="format(datum.value, '~g') + '×'",
            labelPadding=6,
            domain=False,
            ticks=False,
        ),
    )
    x = alt.X(
        "age:Q",
        title=None,
        scale=alt.Scale(domain=[-0.6, max(7, *(v["age"] for v in values)) + 0.6], nice=False),
        axis=alt.Axis(tickMinStep=1, tickCount=8, grid=False),
    )
    color = alt.Color(
        "kind:N", legend=None, scale=alt.Scale(domain=["usual", "hit", "low"], range=["#9aa3b2", GOOD, BAD])
    )
    bands = (
        alt.Chart(
            alt.Data(values=[{"from": 3, "to": HIGHEST, "kind": "hit"}, {"from": LOWEST, "to": 0.2, "kind": "low"}])
        )
        .mark_rect(opacity=0.07)
        .encode(y=alt.Y("from:Q", title=None, scale=scale), y2="to:Q", color=color)
    )
    line = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(y=y)
    points = (
        alt.Chart(alt.Data(values=values)).mark_circle(size=64, opacity=0.8, clip=False).encode(x=x, y=y, color=color)
    )
    return _fit(bands + line + points, width, 230)


def shares(rows: Rows, most: int) -> alt.TopLevelMixin:
    """Draw horizontal bars of shares, with their change in a week beside them, in the order of the rows."""
    values = [
        {"label": r["label"], "share": r["share"], "text": _share_text(r["share"], r["change"])} for r in rows[:most]
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y(
            "label:N",
            sort=None,
            title=None,
            axis=alt.Axis(
                labelLimit=96,
                minExtent=96,
                maxExtent=96,
                labelPadding=6,
                ticks=False,
                domain=False,
                labelColor=INK,
                grid=False,
            ),
        ),
        x=alt.X(
            "share:Q",
            title=None,
            axis=None,
            scale=alt.Scale(domain=[0, max(v["share"] for v in values) * 1.75 or 1], nice=False),
        ),
    )
    bar = base.mark_bar(color="#25a7b7", height=13, cornerRadiusEnd=2)
    text = base.mark_text(align="left", dx=5, color=MUTED, fontSize=12).encode(text="text:N")
    return _fit(bar + text, NARROW, 22 * len(values) + 10)


def _share_text(share: float, change: float | None) -> str:
    text = f"{share:.1%}"
    if change is not None:
        points = round(change * 100, 1)
        text += f"   {'+' if points > 0 else '−' if points < 0 else '±'}{abs(points):.1f}"
    return text


def lead_days(rows: Rows, first: date, last: date, width: int) -> alt.TopLevelMixin:
    """Draw the people who acted, day by day; those who left a contact are in front."""
    found = {r["dt"]: r for r in rows}
    values = [
        {
            "day": f"{day:%m-%d}",
            "people": found.get(day, {}).get("people"),
            "contacts": found.get(day, {}).get("contacts"),
        }
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("day:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False, grid=False))
    )
    y = alt.Y(
        "people:Q",
        title=None,
        axis=alt.Axis(tickCount=3, tickMinStep=1, labelPadding=6, domain=False, ticks=False),
        scale=alt.Scale(domainMin=0),
    )
    people = base.mark_bar(color="#cfd4ee", width={"band": 0.62}, cornerRadiusEnd=2).encode(y=y)
    contacts = base.mark_bar(color="#5b6abf", width={"band": 0.62}).encode(y=alt.Y("contacts:Q", title=None))
    text = base.mark_text(dy=-6, color=MUTED, fontSize=12).encode(y=y, text="people:Q")
    return _fit(people + contacts + text, width, 170)


_WEEKDAYS = ["一 Mo", "二 Tu", "三 We", "四 Th", "五 Fr", "六 Sa", "日 Su"]


def rhythm(rows: Rows, width: int) -> alt.TopLevelMixin:
    """Draw when videos were published and how they did, as a heat map of hours.

    The area is their number, the colour their plays relative to the median.
    """
    cells = [{"weekday": day, "hour": hour} for day in _WEEKDAYS for hour in range(24)]
    values = [
        {"weekday": _WEEKDAYS[r["weekday"] - 1], "hour": r["hour"], "videos": r["videos"], "ratio": r["ratio"]}
        for r in rows
    ]
    x = alt.X(
        "hour:O",
        title=None,
        axis=alt.Axis(values=[0, 6, 12, 18, 23], labelAngle=0, grid=False, domain=False, ticks=False),
        scale=alt.Scale(domain=list(range(24)), paddingInner=0.08),
    )
    y = alt.Y(
        "weekday:N",
        title=None,
        sort=_WEEKDAYS,
        axis=alt.Axis(grid=False, domain=False, ticks=False, labelPadding=6, labelColor=INK),
        scale=alt.Scale(domain=_WEEKDAYS, paddingInner=0.08),
    )
    ground = alt.Chart(alt.Data(values=cells)).mark_rect(color=SOFT).encode(x=x, y=y)
    most = max(v["videos"] for v in values)
    size = alt.Size(
        "videos:Q", legend=None, scale=alt.Scale(domain=[0, max(most, 4)], range=[0, 150 if width < WIDE else 280])
    )
    base = alt.Chart(alt.Data(values=values))
    unknown = (
        base.transform_filter("!isValid(datum.ratio)")
        .mark_circle(opacity=1, color="#b9c0cc")
        .encode(x=x, y=y, size=size)
    )
    color = alt.Color(
        "ratio:Q", legend=None, scale=alt.Scale(type="log", domain=[0.3, 1, 3], range=[BAD, WARN, GOOD], clamp=True)
    )
    judged = (
        base.transform_filter("isValid(datum.ratio)").mark_circle(opacity=1).encode(x=x, y=y, size=size, color=color)
    )
    return _fit(ground + unknown + judged, width, 210)


Time = TypeVar("Time", date, datetime)


def spark(
    points: Iterable[tuple[Time, float | None]],
    *,
    low: float | None = None,
    high: float | None = None,
    is_rank: bool = False,
    width: int = 96,
) -> Markup:
    """Draw a word-sized line over ``(time, value)``, with times to scale.

    It breaks where a value is None; a single value is a dot, and so is the last one.

    ``low`` and ``high`` fix the scale; with ``is_rank`` small values are on top. Empty without any value.
    """
    dots = list(points)
    known = [value for _, value in dots if value is not None]
    if not known:
        return Markup("")
    height, first = 22, dots[0][0]
    span = (dots[-1][0] - first) / timedelta(seconds=1) or 1
    low, high = min(known) if low is None else low, max(known) if high is None else high

    def place(at: Time, value: float) -> tuple[float, float]:
        """Return the pixel position of a value."""
        part = (value - low) / (high - low) if high > low else 0.0
        return 3 + (width - 6) * ((at - first) / timedelta(seconds=1)) / span, 3 + (height - 6) * (
            part if is_rank else 1 - part
        )

    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in dots:
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(at, value))
    drawn = []
    for run in (r for r in runs if r):
        if len(run) > 1:
            drawn.append(
                f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}" fill="none" '
                f'stroke="{ACCENT}" stroke-width="1.6" stroke-linejoin="round"/>'
            )
        else:
            drawn.append(f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="1.8" fill="{ACCENT}"/>')
    at, value = dots[-1]
    if value is not None:
        x, y = place(at, value)
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{ACCENT}"/>')
    axis = f'<line x1="0" y1="{height - 0.5}" x2="{width}" y2="{height - 0.5}" stroke="{GRID}"/>'
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{escape(width)}" height="{height}" '
        f'aria-hidden="true">{axis}{"".join(drawn)}</svg>'
    )
