"""Draw the charts of the dashboard, as wide as their panel.

A day without a number is a gap in the line, never a zero and never bridged.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt
import pyarrow as pa

from apps.dashboard.texts import KINDS, Say
from services.reporting import charts as report_charts
from services.reporting.charts import ACCENT, BAD, CATEGORIES, GOOD, INK, MUTED

BLUE, VIOLET = CATEGORIES[1], CATEGORIES[2]
_QUIET = "#b6bcc8"
_DAY = "%Y-%m-%d"
_ZERO = "datum.value ? datum.label : '0'"
"""Label of an axis without 0k: Vega writes 0 in the unit of the axis."""


def _themed(chart: alt.TopLevelMixin, *, height: int) -> alt.TopLevelMixin:
    """Apply the project's theme and remove Vega's own menu.

    One entry of that menu would send the data to an editor on the internet.
    """
    return report_charts.themed(chart, height=height).properties(usermeta={"embedOptions": {"actions": False}})


def _day_axis() -> alt.X:
    return alt.X(
        "dt:T",
        title=None,
        axis=alt.Axis(
            format="%m-%d",
            grid=False,
            tickCount={"interval": "day", "step": 1},
            labelOverlap="greedy",
            labelSeparation=12,
            labelFlush=True,
        ),
    )


def _day(day: date) -> str:
    """Format a day for Vega.

    JavaScript reads ``2026-11-20`` as midnight of Greenwich, which is the day before in America, and not midnight in
    Beijing: with a time it is midnight where the reader is.
    """
    return f"{day.isoformat()}T00:00:00"


def _values(rows: pa.Table, *columns: str) -> list[dict[str, Any]]:
    found = rows.select(columns).to_pylist()
    return [{name: _day(value) if isinstance(value, date) else value for name, value in row.items()} for row in found]


def lines(
    rows: pa.Table, names: dict[str, str], metric: str, say: Say, *, ratio: bool = False, height: int = 260
) -> alt.TopLevelMixin:
    """Draw one line per account.

    Args:
        rows: ``open_id, dt, value, missing, is_pending``; ticks below the lines mark account-days without a value.
        names: open_id -> name of the account.
        metric: name of the value.
        say: selects the language.
        ratio: the value is a ratio, shown in per cent.
        height: in pixels.
    """
    pending = say("平台尚未产出", "not produced yet")
    values = [
        {
            "dt": _day(r["dt"]),
            "account": names.get(r["open_id"], r["open_id"]),
            "value": r["value"],
            "missing": pending if r["is_pending"] else r["missing"] or "",
            "is_pending": r["is_pending"],
        }
        for r in rows.to_pylist()
    ]
    shown = list(dict.fromkeys(v["account"] for v in values))
    color = alt.Color(
        "account:N",
        title=None,
        sort=shown,
        legend=alt.Legend(columns=3, labelLimit=90, symbolType="stroke") if len(shown) > 1 else None,
        scale=alt.Scale(domain=shown, range=CATEGORIES[: len(shown)]),
    )
    base = alt.Chart(alt.Data(values=values))
    said = [
        alt.Tooltip("dt:T", title=say("日期", "Day"), format=_DAY),
        alt.Tooltip("account:N", title=say("账号", "Account")),
    ]
    number = alt.Tooltip("value:Q", title=metric, format=".2%" if ratio else ",")
    y = alt.Y(
        "value:Q",
        title=None,
        axis=alt.Axis(format="%" if ratio else "~s", labelExpr=_ZERO, tickCount=5, domain=False, ticks=False),
    )
    line = base.mark_line(strokeWidth=2, invalid="break-paths-show-domains").encode(x=_day_axis(), y=y, color=color)
    points = (
        base.transform_filter("datum.value !== null")
        .mark_point(size=22, filled=True, opacity=1)
        .encode(x=_day_axis(), y=y, color=color, tooltip=[*said, number])
    )
    holes = base.transform_filter("datum.value === null")
    hole = {
        "y": alt.value(height - 4),
        "x": _day_axis(),
        "tooltip": [*said, alt.Tooltip("missing:N", title=say("缺失", "Missing"))],
    }
    gaps = (
        holes.transform_filter("!datum.is_pending")
        .mark_point(shape="triangle-up", color=BAD, filled=True, size=60, opacity=1)
        .encode(**hole)
    )
    waits = (
        holes.transform_filter("datum.is_pending")
        .mark_point(shape="triangle-up", color=_QUIET, filled=True, size=60, opacity=1)
        .encode(**hole)
    )
    return _themed(line + points + gaps + waits, height=height)


def one_line(rows: pa.Table, column: str, name: str, say: Say, *, height: int = 180) -> alt.TopLevelMixin:
    """Draw a number per day, with a gap where there is none."""
    base = alt.Chart(alt.Data(values=_values(rows, "dt", column)))
    y = alt.Y(
        f"{column}:Q", title=None, axis=alt.Axis(format="~s", labelExpr=_ZERO, tickCount=4, domain=False, ticks=False)
    )
    line = base.mark_line(color=ACCENT, strokeWidth=2, invalid="break-paths-show-domains").encode(x=_day_axis(), y=y)
    points = (
        base.transform_filter(f"datum.{column} !== null")
        .mark_point(color=ACCENT, size=26, filled=True, opacity=1)
        .encode(
            x=_day_axis(),
            y=y,
            tooltip=[
                alt.Tooltip("dt:T", title=say("日期", "Day"), format=_DAY),
                alt.Tooltip(f"{column}:Q", title=name, format=","),
            ],
        )
    )
    return _themed(line + points, height=height)


def against_median(rows: pa.Table, say: Say, *, height: int = 300) -> alt.TopLevelMixin:
    """Draw every young video: its age, and its plays against the median of its account at that age."""
    kinds = {kind: say(*both) for kind, both in KINDS.items()}
    values = [{**r, "ratio": max(r["ratio_to_median"], 0.01), "kind": kinds[r["kind"]]} for r in rows.to_pylist()]
    y = alt.Y(
        "ratio:Q",
        title=say("播放 ÷ 同期中位数", "plays ÷ median at that age"),
        scale=alt.Scale(type="log"),
        axis=alt.Axis(values=[0.01, 0.1, 0.2, 1, 3, 10, 100], format="~g", domain=False, ticks=False),
    )
    points = (
        alt.Chart(alt.Data(values=values))
        .mark_circle(size=90, opacity=0.85)
        .encode(
            x=alt.X(
                "counted_age_days:Q", title=say("发布天数", "age in days"), axis=alt.Axis(tickMinStep=1, grid=False)
            ),
            y=y,
            color=alt.Color(
                "kind:N", title=None, scale=alt.Scale(domain=list(kinds.values()), range=[_QUIET, GOOD, BAD])
            ),
            tooltip=[
                alt.Tooltip("title:N", title=say("标题", "Title")),
                alt.Tooltip("play_count:Q", title=say("播放", "Plays"), format=","),
                alt.Tooltip("ratio_to_median:Q", title=say("相对中位数", "Against median"), format=".2f"),
            ],
        )
    )
    middle = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(y=y)
    return _themed(points + middle, height=height)


def word_life(rows: pa.Table, say: Say, *, height: int = 220) -> alt.TopLevelMixin:
    """Draw the rank of a word at each observation of the list, 1 on top, with a gap where it was not listed."""
    base = alt.Chart(alt.Data(values=rows.to_pylist()))
    x = alt.X("at:T", title=None, axis=alt.Axis(format="%m-%d %H:%M", grid=False, labelOverlap=True, tickCount=6))
    y = alt.Y(
        "rank:Q",
        title=say("名次", "rank"),
        scale=alt.Scale(reverse=True, domain=[1, 50], nice=False),
        axis=alt.Axis(values=[1, 10, 20, 30, 40, 50], domain=False, ticks=False),
    )
    line = base.mark_line(color=ACCENT, strokeWidth=2, invalid="break-paths-show-domains").encode(x=x, y=y)
    said = [
        alt.Tooltip("at:T", title=say("时间", "At"), format="%m-%d %H:%M"),
        alt.Tooltip("rank:Q", title=say("名次", "Rank")),
        alt.Tooltip("hot_level:Q", title=say("热度", "Heat"), format=","),
    ]
    points = (
        base.transform_filter("datum.rank !== null")
        .mark_point(color=ACCENT, filled=True, size=50, opacity=1)
        .encode(x=x, y=y, tooltip=said)
    )
    return _themed(line + points, height=height)


def ranks(rows: pa.Table, say: Say, *, height: int = 300) -> alt.TopLevelMixin:
    """Draw the ranks day by day of the entries now on top, 1 on top, with a gap where an entry is off the board."""
    values = _values(rows, "dt", "entry", "rank")
    order = (
        [v["entry"] for v in sorted((v for v in values if v["dt"] == values[-1]["dt"]), key=lambda v: v["rank"])]
        if values
        else []
    )
    base = alt.Chart(alt.Data(values=values))
    y = alt.Y(
        "rank:Q",
        title=say("名次", "rank"),
        scale=alt.Scale(reverse=True, domainMin=1, nice=False),
        axis=alt.Axis(tickMinStep=1, domain=False, ticks=False),
    )
    color = alt.Color(
        "entry:N",
        title=None,
        sort=order,
        scale=alt.Scale(domain=order, range=CATEGORIES),
        legend=alt.Legend(columns=2, labelLimit=115, symbolType="stroke"),
    )
    line = base.mark_line(strokeWidth=2, invalid="break-paths-show-domains").encode(x=_day_axis(), y=y, color=color)
    points = (
        base.transform_filter("datum.rank !== null")
        .mark_point(filled=True, size=50, opacity=1)
        .encode(
            x=_day_axis(),
            y=y,
            color=color,
            tooltip=[
                alt.Tooltip("entry:N", title=say("上榜者", "Entry")),
                alt.Tooltip("dt:T", title=say("日期", "Day"), format=_DAY),
                alt.Tooltip("rank:Q", title=say("名次", "Rank")),
            ],
        )
    )
    return _themed(line + points, height=height)


def bars(
    rows: list[dict[str, Any]],
    label: str,
    value: str,
    name: str,
    *,
    note: str | None = None,
    format: str = ",",
    color: str = ACCENT,
    most: int = 10,
) -> alt.TopLevelMixin:
    """Draw horizontal bars in the order of the rows, each with its value and, if ``note`` is given, that text."""
    values = [
        {"label": str(r[label]), "value": r[value], "note": r.get(note) or "" if note else ""}
        for r in rows[:most]
        if r[value] is not None
    ]
    largest = max((v["value"] for v in values), default=1) or 1
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y(
            "label:N", sort=None, title=None, axis=alt.Axis(labelLimit=120, ticks=False, domain=False, labelColor=INK)
        ),
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domain=[0, largest * (1.55 if note else 1.25)])),
        tooltip=[alt.Tooltip("label:N", title=" "), alt.Tooltip("value:Q", title=name, format=format)],
    )
    text = (
        base.transform_calculate(said=f"format(datum.value, '{format}') + (datum.note ? '  ' + datum.note : '')")
        .mark_text(align="left", dx=5, color=MUTED, fontSize=12)
        .encode(text="said:N")
    )
    return _themed(base.mark_bar(color=color, height=14, cornerRadiusEnd=3) + text, height=max(40, 26 * len(values)))


def stacked(
    rows: pa.Table, group: str, value: str, names: dict[str, str], say: Say, *, most: int = 7, height: int = 220
) -> alt.TopLevelMixin:
    """Draw a stack per day of numbers that may be summed; the smaller groups are combined."""
    found = _values(rows, "dt", group, value)
    sizes: dict[str, int] = {}
    for v in found:
        sizes[v[group]] = sizes.get(v[group], 0) + (v[value] or 0)
    kept = sorted(sizes, key=lambda g: -sizes[g])[:most]
    rest = say("其余", "the rest")
    values = [
        {"dt": v["dt"], "group": names.get(v[group], v[group]) if v[group] in kept else rest, "value": v[value]}
        for v in found
    ]
    order = [names.get(g, g) for g in kept] + ([rest] if len(sizes) > most else [])
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(width={"band": 0.8})
        .encode(
            x=alt.X(
                "dt:O",
                title=None,
                timeUnit="yearmonthdate",
                axis=alt.Axis(format="%m-%d", labelAngle=0, labelOverlap=True, grid=False),
            ),
            y=alt.Y(
                "sum(value):Q",
                title=None,
                axis=alt.Axis(format="~s", labelExpr=_ZERO, tickCount=4, tickMinStep=1, domain=False, ticks=False),
            ),
            color=alt.Color(
                "group:N",
                title=None,
                sort=order,
                scale=alt.Scale(domain=order, range=CATEGORIES),
                legend=alt.Legend(columns=3, labelLimit=80),
            ),
            tooltip=[
                alt.Tooltip("dt:T", title=say("日期", "Day"), format=_DAY),
                alt.Tooltip("group:N", title=" "),
                alt.Tooltip("sum(value):Q", title=say("数量", "Number"), format=","),
            ],
        )
    )
    return _themed(chart, height=height)
