"""Charts of the dashboard."""

from __future__ import annotations

import altair as alt
import pandas as pd

from assets.charts import ACCENT, BAD, GOOD, INK, themed

_DAY = alt.X("dt:T", title=None, axis=alt.Axis(format="%m-%d", grid=False, labelOverlap=True))


def days(rows: pd.DataFrame, column: str, *, height: int = 160) -> alt.TopLevelMixin:
    """A sum per day: the line breaks where there is none, and days with gaps are marked."""
    data = rows[["dt", column, "gaps"]].copy()
    data["dt"] = pd.to_datetime(data["dt"]).dt.strftime("%Y-%m-%d")
    base = alt.Chart(alt.Data(values=data.astype(object).where(data.notna(), None).to_dict("records")))
    gaps = base.transform_filter("datum.gaps > 0").mark_rule(color=BAD, opacity=0.25, strokeWidth=5).encode(x=_DAY, tooltip=[alt.Tooltip("dt:T", format="%Y-%m-%d"), alt.Tooltip("gaps:Q", title="缺数据账号 gaps")])
    y = alt.Y(f"{column}:Q", title=None, axis=alt.Axis(format="~s", tickCount=4))
    line = base.mark_line(color=ACCENT, strokeWidth=2, invalid="break-paths-show-domains", point=alt.OverlayMarkDef(size=18, filled=True, color=ACCENT)).encode(
        x=_DAY, y=y, tooltip=[alt.Tooltip("dt:T", format="%Y-%m-%d"), alt.Tooltip(f"{column}:Q", format=",")]
    )
    return themed((gaps + line).properties(width="container", height=height))


def against_median(rows: pd.DataFrame) -> alt.TopLevelMixin:
    data = rows.dropna(subset=["ratio_to_median"]).copy()
    data["kind"] = "usual"
    data.loc[data["is_hit"], "kind"] = "hit"
    data.loc[data["is_low_play"], "kind"] = "low"
    data["ratio"] = data["ratio_to_median"].clip(lower=0.01)
    values = data[["title", "counted_age_days", "ratio", "play_count", "kind"]].astype(object)
    base = alt.Chart(alt.Data(values=values.where(values.notna(), None).to_dict("records")))
    y = alt.Y("ratio:Q", title=None, scale=alt.Scale(type="log"), axis=alt.Axis(values=[0.01, 0.2, 1, 3, 10, 100], format="~g"))
    points = base.mark_circle(size=70, opacity=0.85).encode(
        x=alt.X("counted_age_days:Q", title="发布天数 age in days", axis=alt.Axis(tickMinStep=1, grid=False)), y=y,
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["usual", "hit", "low"], range=["#b6bcc8", GOOD, BAD])),
        tooltip=["title:N", alt.Tooltip("play_count:Q", format=","), alt.Tooltip("ratio:Q", format=".2f")],
    )  # fmt: skip
    line = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(y=y)
    return themed((points + line).properties(width="container", height=260))


def curves(rows: pd.DataFrame) -> alt.TopLevelMixin:
    """Ranks of words over time; the first is on top."""
    data = rows.copy()
    data["at"] = pd.to_datetime(data["at"]).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return themed(
        alt.Chart(alt.Data(values=data.to_dict("records")))
        .mark_line(point=True)
        .encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(format="%m-%d %H:%M", grid=False, labelOverlap=True)),
            y=alt.Y("rank:Q", title=None, scale=alt.Scale(reverse=True, domainMin=1), axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("sentence:N", title=None),
            tooltip=["sentence:N", alt.Tooltip("at:T", format="%m-%d %H:%M"), "rank:Q"],
        )
        .properties(width="container", height=240)
    )


def bars(rows: pd.DataFrame, label: str, value: str, *, format: str = ",", most: int = 12) -> alt.TopLevelMixin:
    data = rows[[label, value]].head(most)
    base = alt.Chart(alt.Data(values=data.astype({value: float}).to_dict("records"))).encode(
        y=alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=140, ticks=False, domain=False, labelColor=INK)), x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(padding=24))
    )
    text = base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{value}:Q", format=format))
    return themed((base.mark_bar(color=ACCENT, height=14, cornerRadiusEnd=2) + text).properties(width="container", height=max(40, 24 * len(data))))
