"""Draw the opening view, which visitors see before marimo has started in the browser.

Starting takes one to three seconds there. The server puts figures and chart of the opening view into the page; they are
removed as soon as the live page has drawn its own.
"""

from __future__ import annotations

import threading
from urllib.parse import parse_qs

from markupsafe import Markup

from apps.dashboard import charts, questions
from apps.dashboard.account_figures import account_cards, account_lines
from apps.dashboard.page_context import open_file, range_of
from apps.dashboard.pieces import heading, page_head
from apps.dashboard.questions import METRICS, Choice
from apps.dashboard.reading import CannotShow, Version, WarehouseReader
from apps.dashboard.texts import Language
from services.reporting.drawings import svg

NARROW, WIDE = 300, 1000
"""Widths of the chart in pixels, for a phone and for a desk."""

_GONE = """(() => {
  const first = document.getElementById("dw-first"), root = document.getElementById("root");
  const picture = ".vega-embed svg, .vega-embed canvas";
  const drawn = () => root.querySelector(".dw-notice") ||
    [...root.querySelectorAll("marimo-mime-renderer")]
      .some(place => place.shadowRoot?.querySelector(picture));
  const until = performance.now() + 60000;
  const look = () => drawn() || performance.now() > until ? first.remove() : setTimeout(look, 50);
  look();
})();"""
"""Script that removes the view. It polls: charts lie in shadow roots, which no observer of the page sees."""


class FirstView:
    """The opening view as HTML, drawn once per published file and language."""

    def __init__(self, reader: WarehouseReader) -> None:
        self._reader = reader
        self._drawn: dict[tuple[Version, Language], str] = {}
        self._drawing = threading.Lock()

    def html(self, query: str) -> str:
        """Return the view for an address with this query.

        Empty if the query selects another view, or if there is nothing to show; the live page then says so.
        """
        query_values = parse_qs(query)
        if set(query_values) - {"lang", "access_token"}:
            return ""
        language: Language = "en" if query_values.get("lang") == ["en"] else "zh"
        try:
            with self._drawing:
                version = self._reader.version()
                if (found := self._drawn.get((version, language))) is None:
                    found = _draw(self._reader, language)
                    self._drawn = {key: html for key, html in self._drawn.items() if key[0] == version} | {
                        (version, language): found
                    }
                return found
        except CannotShow:
            return ""


def _draw(reader: WarehouseReader, language: Language) -> str:
    here = open_file(reader, language)
    say, metric = here.say, METRICS[0]
    found = here.ask(questions.overview(Choice((), *range_of(here.days, None, None)), metric))
    sums = found["cards"].to_pylist()[0]
    name = here.names.column("account_daily", metric)
    title, about = account_lines(here, found, metric)
    pictures = [
        Markup('<div class="dw-{}">{}</div>').format(
            place, svg(charts.lines(found["lines"], here.shown_names, name, say).properties(width=width), title, about)
        )
        for place, width in (("desk", WIDE), ("phone", NARROW))
    ]
    wait = say("正在打开控件…", "controls are opening …")
    return str(
        Markup(
            '<div id="dw-first">{}<div class="dw-wait">{}</div>{}<section '
            'class="dw-block">{}{}</section></div><script>{}</script>'
        ).format(
            Markup(page_head(here.as_of(), say).text),
            wait,
            Markup(account_cards(here, sums).text),
            Markup(heading(title, about).text),
            Markup("").join(pictures),
            Markup(_GONE),
        )
    )
