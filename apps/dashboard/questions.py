"""Define the queries of the page: files of ``sql/dashboard``, with the choices of the visitor.

SQL computes sums, ranks and limits over the chosen accounts and days alone, so that a visit costs the same on a large
warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.dashboard.reading import DashboardQuery
from services.reporting.sql_files import sql_of

DASHBOARD = "dashboard"
"""Folder of the queries under ``sql``."""

MOST_LINES, MOST_POINTS, MOST_ENTRIES = 6, 400, 8
MOST_SHOWN, MOST_SAVED = 2_000, 200_000
"""Most rows of a table on the page, and of a download."""

METRICS = (
    "new_play",
    "net_fans",
    "total_fans",
    "interactions",
    "engagement_ratio",
    "profile_uv",
    "new_like",
    "new_comment",
    "new_share",
    "new_issue",
)
"""Columns of ``account_daily`` that can be drawn."""


@dataclass(frozen=True)
class Choice:
    """The settings of the controls.

    ``accounts`` are (client_key, open_id), none for all; ``first`` and ``last`` are Beijing days, both included.
    """

    accounts: tuple[tuple[str, str], ...]
    first: date
    last: date

    def ask(self, name: str, values: Mapping[str, Any] | None = None, **parts: Any) -> DashboardQuery:
        """Create a query of ``sql/dashboard`` with the values of this choice, and ``values``.

        ``parts`` are those of its template.
        """
        given = {"first": self.first, "last": self.last, **(values or {})}
        if self.accounts:
            given |= {
                "client_keys": [key for key, _ in self.accounts],
                "open_ids": [open_id for _, open_id in self.accounts],
            }
        return DashboardQuery(sql_of(DASHBOARD, name, accounts=bool(self.accounts), **parts), given)


def opening() -> dict[str, DashboardQuery]:
    """Query what every visit needs: the range of days, the accounts by fans, the names of columns."""
    return {name: DashboardQuery(sql_of(DASHBOARD, name)) for name in ("days", "accounts", "names")}


# --------------------------------------------------------------------------- accounts


def overview(choice: Choice, metric: str) -> dict[str, DashboardQuery]:
    """Query cards, the curve of ``metric`` for the accounts that have most of it, and one row per account.

    A value that the platform did not return stays null; ``is_pending`` marks days after the last one with any value.

    Raises:
        ValueError: ``metric`` is none of ``METRICS``.
    """
    if metric not in METRICS:
        raise ValueError(f"{metric!r} is none of {', '.join(METRICS)}")
    return {
        "cards": choice.ask("cards"),
        "lines": choice.ask("lines", metric=metric, most=MOST_LINES),
        "accounts": choice.ask("account_rows", most=MOST_SHOWN),
    }


def account_days(choice: Choice) -> DashboardQuery:
    """Query all columns of ``account_daily``, for a download."""
    return choice.ask("account_days", most=MOST_SAVED)


# --------------------------------------------------------------------------- videos


def videos(choice: Choice, *, most: int = MOST_SHOWN) -> dict[str, DashboardQuery]:
    """Query young videos on the last day that has any: outstanding ones first, then suspiciously low ones."""
    return {
        "counts": choice.ask("video_counts"),
        "points": choice.ask("video_points", most=MOST_POINTS),
        "rows": choice.ask("video_rows", most=most),
    }


def video_curve(choice: Choice, open_id: str, item_id: str) -> DashboardQuery:
    """Query the plays of one video per day from its first day in the range; days without a number are null."""
    return choice.ask("video_curve", {"open_id": open_id, "item_id": item_id})


# --------------------------------------------------------------------------- hot words and billboards


def hot_words(choice: Choice, like: str = "", *, most: int = MOST_SHOWN) -> DashboardQuery:
    """Query the last list of the range.

    With ``like``: every word of the range that contains it, on the list or not.
    """
    return choice.ask("hot_words", {"like": like}, like=bool(like), most=most)


def word_curve(choice: Choice, client_key: str, sentence: str) -> DashboardQuery:
    """Query rank and heat at every observation of the list from a word's first to its last.

    They are null where the word was not listed. Beijing time.
    """
    return choice.ask("word_curve", {"client_key": client_key, "sentence": sentence})


def boards(choice: Choice) -> DashboardQuery:
    """Query the billboards of the range, with the number of days that have one."""
    return choice.ask("boards")


def billboard(choice: Choice, board: str, *, most: int = MOST_SHOWN) -> dict[str, DashboardQuery]:
    """Query the last list of a board in the range with its moves, and the ranks day by day of its top entries."""
    return {
        "rows": choice.ask("board_rows", {"board": board}, most=most),
        "ranks": choice.ask("board_ranks", {"board": board}, most=MOST_ENTRIES),
    }


# --------------------------------------------------------------------------- people


def portrait(choice: Choice) -> DashboardQuery:
    """Query fans by dimension and bucket on the last day that has a portrait.

    ``share_change`` is against the week before, null where an account lacks it.
    """
    return choice.ask("portrait")


def needs(choice: Choice) -> dict[str, DashboardQuery]:
    """Query the needs in comments: sums of the range by need, and by day."""
    return {"rows": choice.ask("need_rows"), "days": choice.ask("need_days")}


def leads(choice: Choice) -> dict[str, DashboardQuery]:
    """Query the actions of potential customers.

    Actions may be summed; people repeat over days and ways, so their sums count person-days.
    """
    return {
        "rows": choice.ask("lead_rows", most=MOST_SHOWN),
        "days": choice.ask("lead_days"),
        "sources": choice.ask("lead_sources"),
    }


# --------------------------------------------------------------------------- the data itself


def health() -> dict[str, DashboardQuery]:
    """Query the state of the data: its problems by area, and one by one."""
    return {
        "areas": DashboardQuery(sql_of(DASHBOARD, "health_areas")),
        "rows": DashboardQuery(sql_of(DASHBOARD, "health_rows", most=MOST_SHOWN)),
    }
