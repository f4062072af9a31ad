"""Show the figures and lines of accounts, on the first view and in their section."""

from __future__ import annotations

from typing import Any

import marimo as mo
import pyarrow as pa

from apps.dashboard.page_context import PageContext
from apps.dashboard.pieces import card, cards
from services.reporting.page import figure, percent, signed


def account_cards(here: PageContext, sums: dict[str, Any]) -> mo.Html:
    """Build the cards with the sums of the range and their coverage.

    ``sums``: the row ``cards`` of :func:`questions.overview`.
    """
    say = here.say
    missing = say(
        f"{sums['account_days']} 个账号日中缺 {sums['gaps']} 个",
        f"{sums['gaps']} of {sums['account_days']} account-days have gaps",
    )
    until = say(f"截至 {sums['until']}", f"until {sums['until']}")
    fans = until + (
        say(f"，{sums['fans_missing']} 个账号未知", f", {sums['fans_missing']} not known")
        if sums["fans_missing"]
        else ""
    )
    return cards(
        card(say("播放", "Plays"), figure(sums["new_play"]), until),
        card(say("净增粉丝", "Net fans"), signed(sums["net_fans"]), until),
        card(
            say("互动", "Interactions"),
            figure(sums["interactions"]),
            say(f"互动率 {percent(sums['engagement_ratio'], 2)}", f"rate {percent(sums['engagement_ratio'], 2)}"),
        ),
        card(say("总粉丝", "Fans"), figure(sums["total_fans"]), fans),
        card(say("账号", "Accounts"), figure(sums["accounts"]), missing),
    )


def account_lines(here: PageContext, found: dict[str, pa.Table], metric: str) -> tuple[str, str]:
    """Return the title of the chart of ``metric``, and the note about it."""
    say = here.say
    drawn, accounts = (
        len(set(found["lines"].column("open_id").to_pylist())),
        found["cards"].column("accounts")[0].as_py(),
    )
    which = say(f"数值最大的 {drawn} 个账号；", f"the {drawn} accounts that have most; ") if drawn < accounts else ""
    return say("每日 ", "A day: ") + here.names.column("account_daily", metric), which + say(
        "▲ 红：当日缺失；灰：平台尚未产出", "▲ red: missing on the day; grey: not produced yet"
    )
