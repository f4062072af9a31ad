"""Build the parts of sections: cards, tables, downloads, notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import marimo as mo
import pyarrow as pa
from markupsafe import Markup, escape

from apps.dashboard.saving import FORMATS
from apps.dashboard.texts import Names, Say

SHARES = {"engagement_ratio": 2, "contact_ratio": 1, "share_ratio": 1}
"""Columns shown as percentages, with their digits."""
CHANGES = ("share_change",)
"""Differences of ratios, shown in points."""
WIDE = {"examples": 340, "says": 380, "title": 240, "entry": 240}
"""Columns of texts, with their width in pixels."""


def card(name: str, value: str, note: str = "") -> Markup:
    """Build a card: a name, its value, and a note below."""
    return Markup(
        '<div class="dw-card"><div class="dw-name">{}</div><div class="dw-value">{}</div><div '
        'class="dw-note">{}</div></div>'
    ).format(name, value, note)


def cards(*those: Markup) -> mo.Html:
    """Put cards side by side."""
    return mo.Html(str(Markup('<div class="dw-cards">{}</div>').format(Markup("").join(those))))


def page_head(as_of: str, say: Say, *controls: mo.Html) -> mo.Html:
    """Build the head of the page: title, age of the data, and on the right the controls of the whole page."""
    title = Markup('<div><h1>{}</h1><div class="dw-asof">{}</div></div>').format(
        say("抖音数据看板", "Douyin dashboard"), as_of
    )
    return mo.Html(
        f'<header class="dw-top">{title}<div class="dw-right">{"".join(c.text for c in controls)}</div></header>'
    )


def bar(controls: Iterable[mo.Html], tabs: mo.Html) -> mo.Html:
    """Build the bar of controls and tabs."""
    return mo.Html(
        '<div class="dw-bar"><div '
        f'class="dw-controls">{"".join(f"<div>{c.text}</div>" for c in controls)}</div><div '
        f'class="dw-tabs">{tabs.text}</div></div>'
    )


def heading(text: str, note: str = "") -> mo.Html:
    """Build the heading of a panel, with a note."""
    return mo.Html(str(Markup('<div class="dw-head"><h2>{}</h2><span>{}</span></div>').format(text, note)))


def notice(text: str, kind: str = "quiet") -> mo.Html:
    """Show a sentence in a box: ``quiet`` where there is nothing to show, ``warn`` where a person must act.

    Text between backticks is a command.
    """
    parts = text.split("`")
    shown = Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))
    return mo.Html(str(Markup('<div class="dw-notice dw-{}" role="status">{}</div>').format(kind, shown)))


def block(*those: Any) -> mo.Html:
    """Build a white panel of parts; None is left out."""
    return mo.Html(
        f'<section class="dw-block">{mo.vstack([t for t in those if t is not None], gap=0.5).text}</section>'
    )


def whole(*those: Any) -> mo.Html:
    """Put parts one below the other; None is left out."""
    return mo.vstack([t for t in those if t is not None])


def columns(*those: Any) -> mo.Html:
    """Put panels side by side if the page is wide enough."""
    return mo.Html(f'<div class="dw-columns">{"".join(f"<div>{mo.as_html(t).text}</div>" for t in those)}</div>')


def table(
    rows: pa.Table,
    mart: str,
    names: Names,
    *,
    hidden: Iterable[str] = (),
    texts: Mapping[str, Mapping[Any, str]] | None = None,
    page_size: int = 10,
    wrapped: Iterable[str] = (),
    choose: bool = False,
    search: bool = True,
) -> mo.ui.table:
    """Show rows under their names in the page's language, with the dictionary's sentence as the tooltip of a head.

    ``texts`` names the values of a column; ``hidden`` columns are in the table's value but not on the page; with
    ``choose`` one row can be chosen, at first the first one.
    """
    heads: dict[str, str] = {}
    for name in rows.column_names:
        said = names.column(mart, name)
        heads[name] = said if said not in heads.values() else f"{said} ({name})"
    shown = rows.rename_columns([heads[name] for name in rows.column_names])
    looks: dict[str, Any] = {}
    for name, field in zip(rows.column_names, rows.schema, strict=True):
        if texts and name in texts:
            looks[heads[name]] = _called(texts[name])
        elif name in CHANGES:
            looks[heads[name]] = _points
        elif name in SHARES:
            looks[heads[name]] = _share(SHARES[name])
        elif pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            looks[heads[name]] = _figure
        elif pa.types.is_boolean(field.type):
            looks[heads[name]] = _yes
        else:
            looks[heads[name]] = _text
    return mo.ui.table(
        shown,
        selection="single" if choose else None,
        initial_selection=[0] if choose and rows.num_rows else None,
        page_size=page_size,
        pagination=rows.num_rows > page_size,
        show_column_summaries=False,
        show_data_types=False,
        show_search=search and rows.num_rows > page_size,
        hidden_columns=[heads[h] for h in hidden],
        wrapped_columns=[heads[w] for w in wrapped],
        format_mapping=looks,
        column_widths={heads[n]: WIDE[n] for n in rows.column_names if n in WIDE},
        header_tooltip={heads[n]: meaning for n in rows.column_names if (meaning := names.meaning(mart, n))},
    )


def chosen(shown: mo.ui.table, rows: pa.Table) -> dict[str, Any] | None:
    """Return the chosen row of a table of :func:`table`, by the original column names; None if there is none."""
    value: pa.Table | None = shown.value
    if value is None or value.num_rows == 0:
        return None
    return value.rename_columns(rows.column_names).to_pylist()[0]


def downloads(ask: Callable[[], pa.Table], name: str, say: Say) -> mo.Html:
    """Offer rows as files, under their original column names. The query runs when a button is pressed."""

    def button(ending: str):
        write, kind = FORMATS[ending]
        return mo.download(lambda: write(ask()), filename=f"{name}.{ending}", mimetype=kind, label=ending)

    return mo.Html(
        "<div "
        f'class="dw-saves"><span>{escape(say("下载", "Download"))}</span>'
        f"{''.join(button(ending).text for ending in FORMATS)}</div>"
    )


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _share(digits: int) -> Callable[[Any], str]:
    return lambda value: "–" if value is None else f"{value:.{digits}%}"


def _points(value: Any) -> str:
    return "–" if value is None else f"{round(value * 100, 1) + 0.0:+.1f}"


def _text(value: Any) -> str:
    return "–" if value is None else str(value)


def _yes(value: Any) -> str:
    return "✓" if value else ""


def _called(names: Mapping[Any, str]) -> Callable[[Any], str]:
    return lambda value: names.get(value, _text(value))
