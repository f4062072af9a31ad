"""Define the look of all charts of report and dashboard: one palette, one font, thin lines.

Altair is imported on first use: a command without charts does not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

INK, MUTED, GRID, PAPER = "#1f2430", "#6b7280", "#e5e7eb", "#ffffff"
ACCENT, GOOD, BAD, WARN = "#fe2c55", "#0f9d76", "#d64545", "#e8a33d"
"""The accent colour is close to the platform's own red."""
CATEGORIES = ["#fe2c55", "#25a7b7", "#5b6abf", "#e8a33d", "#0f9d76", "#9a6fb0", "#8d99ae", "#c8553d"]
FONT = "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Hiragino Sans GB, Microsoft YaHei, system-ui, sans-serif"


def themed(chart: alt.TopLevelMixin, *, height: int | None = None) -> alt.TopLevelMixin:
    """Apply the common theme; the chart fills its container, and ``height`` is in pixels for a single view."""
    sized = (
        chart.properties(width="container", **({"height": height} if height else {})) if height is not None else chart
    )
    return (
        sized.configure(font=FONT, background=PAPER)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED,
            titleColor=MUTED,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(
            labelColor=INK,
            titleColor=MUTED,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            orient="top",
            symbolStrokeWidth=3,
        )
        .configure_range(category=CATEGORIES)
    )
