"""Read what every section of the page needs, once for each time the page is opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa

from apps.dashboard import questions
from apps.dashboard.reading import CannotShow, DashboardQuery, WarehouseReader
from apps.dashboard.texts import Language, Names, Say, account_names, speak


@dataclass(frozen=True)
class PageContext:
    """The published file at the time when the page was opened: language, days, accounts, names."""

    reader: WarehouseReader
    language: Language
    answers: dict[str, pa.Table]

    @cached_property
    def say(self) -> Say:
        """Return the function that selects the language."""
        return speak(self.language)

    @cached_property
    def days(self) -> dict[str, Any]:
        """Return the days that there are: ``first``, ``last``, and the last ones with figures and with hot words."""
        return self.answers["days"].to_pylist()[0]

    @cached_property
    def accounts(self) -> dict[tuple[str, str], str]:
        """Return (client_key, open_id) -> name on the page."""
        return account_names(self.answers["accounts"])

    @cached_property
    def shown_names(self) -> dict[str, str]:
        """Return open_id -> name on the page."""
        return {open_id: name for (_, open_id), name in self.accounts.items()}

    @cached_property
    def names(self) -> Names:
        """Return the names of columns."""
        return Names(self.answers["names"], self.say)

    def ask(self, questions_by_name: dict[str, DashboardQuery]) -> dict[str, pa.Table]:
        """Return the results of queries by their names."""
        return self.reader.ask(questions_by_name)

    def as_of(self) -> str:
        """Describe in one line how recent the data is."""
        at, words = self.reader.published_at(), self.days["words_at"]
        parts = [self.say(f"发布于 {at:%Y-%m-%d %H:%M}", f"published {at:%Y-%m-%d %H:%M}")]
        if self.days["figures"]:
            parts.append(
                self.say(f"账号数据截至 {self.days['figures']}", f"account figures until {self.days['figures']}")
            )
        if words:
            parts.append(self.say(f"热点词 {words:%m-%d %H:%M}", f"hot words of {words:%m-%d %H:%M}"))
        return " · ".join(parts) + self.say("（北京时间）", " (Beijing time)")


def open_file(reader: WarehouseReader, language: Language) -> PageContext:
    """Read what every section needs.

    Raises:
        CannotShow: there is no file, it lacks marts, or it has no account yet.
    """
    answers = reader.ask(questions.opening())
    if answers["days"].column("last")[0].as_py() is None:
        raise CannotShow(
            "已发布的仓库里还没有账号数据：运行 `douyin run` 采集，然后点“刷新”。",
            "The published warehouse has no account figures yet: collect some with `douyin run`, then press refresh.",
        )
    return PageContext(reader, language, answers)


def range_of(days: dict[str, Any], first: str | None, last: str | None) -> tuple[date, date]:
    """Return the range that the page opens with.

    It is the range of the address, limited to the days that there are, or else the last 30 days.
    """
    start, stop = days["first"], max(d for d in (days["last"], days["words"]) if d is not None)

    def given(text: str | None) -> date | None:
        try:
            return min(max(date.fromisoformat(text), start), stop) if text else None
        except ValueError:
            return None

    end = given(last) or stop
    return min(given(first) or max(start, end - timedelta(days=29)), end), end
