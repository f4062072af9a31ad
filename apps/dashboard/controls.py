"""Create the controls and keep their values.

A value survives a refresh and a change of language. It is also part of the address, so that a view can be sent to a
colleague.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

import marimo as mo

from apps.dashboard.page_context import PageContext, range_of
from apps.dashboard.pieces import notice
from apps.dashboard.questions import METRICS
from apps.dashboard.reading import CannotShow
from apps.dashboard.sections import SECTIONS
from apps.dashboard.texts import Say

MOST_IN_ADDRESS = 50
"""Most accounts in the address, since browsers limit its length."""


class UrlState:
    """Values of one visitor's controls by short names, first from the address of the page."""

    def __init__(self) -> None:
        self._address = mo.query_params()
        self._values: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """Return the value of a control, or its text in the address; None if there is neither."""
        return self._values.get(name, self._address.get(name))

    def all(self, name: str) -> list[Any]:
        """Return the values of a control with several ones, or its texts in the address."""
        return self._values.get(name) or self._address.get_all(name)

    def keep(self, name: str, value: Any, *texts: str) -> None:
        """Store a value, and write it into the address as ``texts``."""
        self._values[name] = value
        if list(texts) != self._address.get_all(name):
            self._address[name] = texts[0] if len(texts) == 1 else list(texts)

    def keeper(self, name: str) -> Callable[[Any], None]:
        """Return the callback of a control whose value is a text."""
        return lambda value: self.keep(name, value, *([value] if value else []))

    def one_of(self, name: str, known: Collection[str], default: str) -> str:
        """Return the value if it is one of ``known``, else the default."""
        found = self.get(name)
        return found if found in known else default


def language_switch(kept: UrlState) -> mo.ui.radio:
    """Create the switch between Chinese and English."""
    return mo.ui.radio(
        {"中文": "zh", "English": "en"},
        value="English" if kept.get("lang") == "en" else "中文",
        inline=True,
        on_change=kept.keeper("lang"),
    )


def section_tabs(say: Say, kept: UrlState) -> mo.ui.tabs:
    """Create the tabs without contents: sections are computed below them."""
    by_head = {say(*both): name for name, both in SECTIONS.items()}
    opened = say(*SECTIONS[kept.one_of("tab", SECTIONS, "accounts")])
    return mo.ui.tabs(
        dict.fromkeys(by_head, ""), value=opened, on_change=lambda head: kept.keep("tab", by_head[head], by_head[head])
    )


def section_of(say: Say, head: str) -> str:
    """Return the section of a tab's head."""
    return next(name for name, both in SECTIONS.items() if say(*both) == head)


def account_choice(here: PageContext, kept: UrlState) -> mo.ui.multiselect:
    """Create the choice of accounts. Values are (client_key, open_id); none chosen stands for all."""
    options = {name: account for account, name in here.accounts.items()}
    wanted = set(kept.all("account"))

    def keep(chosen: list[Any]) -> None:  # of options' values, which marimo annotates as objects
        open_ids = [open_id for _, open_id in chosen]
        kept.keep("account", open_ids, *open_ids[:MOST_IN_ADDRESS])

    return mo.ui.multiselect(
        options,
        value=[name for name, (_, open_id) in options.items() if open_id in wanted],
        full_width=True,
        label=here.say(f"账号（不选为全部 {len(options)} 个）", f"Accounts (none: all {len(options)})"),
        on_change=keep,
    )


def day_range(here: PageContext, kept: UrlState) -> mo.ui.date_range:
    """Create the choice of the range of days."""
    first, last = range_of(here.days, kept.get("from"), kept.get("to"))
    start, stop = range_of(here.days, date.min.isoformat(), None)

    def keep(days: tuple[date, date]) -> None:
        for name, day in zip(("from", "to"), days, strict=True):
            kept.keep(name, day.isoformat(), day.isoformat())

    return mo.ui.date_range(start=start, stop=stop, value=(first, last), label=here.say("日期", "Days"), on_change=keep)


def metric_choice(here: PageContext, kept: UrlState) -> mo.ui.dropdown:
    """Create the choice of the metric of the accounts' chart."""
    options = {here.names.column("account_daily", metric): metric for metric in METRICS}
    wanted = kept.one_of("metric", METRICS, METRICS[0])
    return mo.ui.dropdown(
        options,
        value=next(name for name, metric in options.items() if metric == wanted),
        allow_select_none=False,
        label=here.say("指标", "Figure"),
        on_change=kept.keeper("metric"),
    )


def word_search(here: PageContext, kept: UrlState) -> mo.ui.text:
    """Create the search for hot words."""
    return mo.ui.text(
        value=kept.get("word") or "",
        placeholder=here.say("包含…", "contains …"),
        label=here.say("搜索热点词", "Search hot words"),
        debounce=300,
        on_change=kept.keeper("word"),
    )


def board_choice(here: PageContext, options: dict[str, str], kept: UrlState) -> mo.ui.dropdown:
    """Create the choice of the billboard. ``options``: shown name -> board."""
    wanted = kept.get("board")
    value = next((name for name, board in options.items() if board == wanted), next(iter(options), None))
    return mo.ui.dropdown(
        options,
        value=value,
        allow_select_none=False,
        searchable=True,
        label=here.say("榜单", "Board"),
        on_change=kept.keeper("board"),
    )


def guarded(show: Callable[[], Any], say: Say) -> Any:
    """Return the result of ``show``, or a notice that says why there is none."""
    try:
        return show()
    except CannotShow as error:
        return notice(say(error.zh, error.en), "warn")
