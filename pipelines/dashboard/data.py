"""What the dashboard asks. Every question opens the published file, reads, and closes it: a publication swaps the file underneath,
and nothing here ever waits for one or holds one up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

MOST_ROWS = 5_000
"""More rows of one table are not sent to a browser; the page says so."""


class NotThere(RuntimeError):
    """The warehouse cannot be shown; the message says what to do."""


@dataclass(frozen=True)
class Choice:
    """What the controls are set to. No account chosen: all of them together."""

    accounts: tuple[str, ...]
    first: date
    last: date


class Data:
    """Questions to the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self, sql: str, **values: Any) -> pd.DataFrame:
        """Rows of a question, at most :data:`MOST_ROWS`; ``$name`` in the SQL is filled from ``values``.

        Raises:
            NotThere: there is no file, or not the table that is asked for.
        """
        if not self.path.exists():
            raise NotThere(f"还没有发布过仓库 / nothing was published yet: {self.path}. `make demo`, `douyin run`, or DOUYIN_HOME")
        used = {name: value for name, value in values.items() if f"${name}" in sql}
        try:
            with duckdb.connect(str(self.path), read_only=True) as connection:
                connection.execute("SET TimeZone = 'Asia/Shanghai'")
                return connection.execute(f"SELECT * FROM (\n{sql}\n) LIMIT {MOST_ROWS}", used).df()
        except duckdb.CatalogException as error:
            raise NotThere(f"仓库里还没有这些集市，请先发布 / these marts are not published yet: `douyin publish` ({str(error).splitlines()[0]})") from error
        except duckdb.IOException as error:
            raise NotThere(f"仓库文件打不开 / the warehouse does not open: `douyin publish --rebuild` ({str(error).splitlines()[0]})") from error

    def published_at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime).astimezone()

    def days(self) -> tuple[date, date]:
        """First and last day with account figures."""
        row = self.ask("SELECT min(dt) AS first, max(dt) AS last FROM marts.account_daily").iloc[0]
        if pd.isna(row["last"]):
            raise NotThere("还没有账号数据 / no account figures yet: `douyin run`")
        return row["first"].date(), row["last"].date()

    def accounts(self) -> dict[str, str]:
        """Shown name -> open_id, those with most fans first."""
        found = self.ask(
            "SELECT open_id, arg_max(nickname, dt) AS name, arg_max(total_fans, dt) AS fans FROM marts.account_daily "
            "WHERE dt >= (SELECT max(dt) - 7 FROM marts.account_daily) GROUP BY open_id ORDER BY fans DESC NULLS LAST, open_id"
        )
        names = found["name"].fillna("").where(~found["name"].duplicated(keep=False) & found["name"].notna(), found["name"].fillna("") + " " + found["open_id"].str[:8])
        return dict(zip(names, found["open_id"], strict=True))

    def boards(self) -> list[str]:
        return list(self.ask("SELECT DISTINCT board FROM marts.billboard_moves ORDER BY board")["board"])

    # ------------------------------------------------------------------ accounts

    def figures(self, choice: Choice) -> pd.DataFrame:
        """Sums per day over the chosen accounts. ``gaps``: accounts of which a series is missing; a sum over none is null."""
        return self.ask(
            f"""SELECT dt, sum(new_play) AS plays, sum(net_fans) AS net_fans, sum(interactions) AS interactions, sum(profile_uv) AS visitors, sum(total_fans) AS fans,
                   count(*) FILTER (is_gap) AS gaps, count(*) AS accounts
                FROM marts.account_daily WHERE dt BETWEEN $first AND $last {_of(choice)} GROUP BY dt ORDER BY dt""",
            **_values(choice),
        )  # fmt: skip

    def account_rows(self, choice: Choice) -> pd.DataFrame:
        return self.ask(
            f"""SELECT dt, nickname, total_fans, net_fans, new_play, new_like, new_comment, new_share, profile_uv, engagement_ratio, missing, open_id
                FROM marts.account_daily WHERE dt BETWEEN $first AND $last {_of(choice)} ORDER BY dt DESC, total_fans DESC NULLS LAST""",
            **_values(choice),
        )  # fmt: skip

    # ------------------------------------------------------------------ videos

    def videos(self, choice: Choice) -> pd.DataFrame:
        return self.ask(
            f"""SELECT title, published_date, counted_age_days, play_count, median_play_count, ratio_to_median, is_hit, is_low_play, half_life_days, open_id, item_id
                FROM marts.video_performance WHERE dt = (SELECT max(dt) FROM marts.video_performance WHERE dt <= $last + 1) {_of(choice)}
                ORDER BY ratio_to_median DESC NULLS LAST, item_id""",
            **_values(choice),
        )  # fmt: skip

    # ------------------------------------------------------------------ hot words and boards

    def words(self, choice: Choice, like: str) -> pd.DataFrame:
        """The last list up to the chosen day, words that contain ``like``."""
        return self.ask(
            """SELECT sentence, min(rank) AS rank, max(rank_change) AS rank_change, bool_or(is_new) AS is_new, bool_or(is_rising) AS is_rising, max(hot_level) AS hot_level,
                      max(hours_on_board) AS hours_on_board, strftime(min(first_seen_at), '%m-%d %H:%M') AS first_seen
               FROM marts.hot_words_now WHERE dt = (SELECT max(dt) FROM marts.hot_words_now WHERE dt <= $last + 1) AND contains(sentence, $like)
               GROUP BY sentence ORDER BY rank, sentence""",
            like=like, **_values(choice),
        )  # fmt: skip

    def word_curve(self, words: Iterable[str], choice: Choice) -> pd.DataFrame:
        return self.ask(
            "SELECT sentence, observed_at::TIMESTAMP AS at, min(rank) AS rank FROM main.hot_words WHERE dt BETWEEN $last - 7 AND $last + 1 AND sentence IN (SELECT unnest($words::VARCHAR[])) GROUP BY ALL ORDER BY ALL",
            words=list(words), **_values(choice),
        )  # fmt: skip

    def moves(self, board: str, choice: Choice) -> pd.DataFrame:
        return self.ask(
            """SELECT rank, entry, move, rank_before, rank_change, days_on_board, best_rank, value FROM marts.billboard_moves
               WHERE board = $board AND dt = (SELECT max(dt) FROM marts.billboard_moves WHERE board = $board AND dt <= $last + 1) ORDER BY rank NULLS LAST, rank_before""",
            board=board, **_values(choice),
        )  # fmt: skip

    # ------------------------------------------------------------------ people

    def portrait(self, choice: Choice) -> pd.DataFrame:
        return self.ask(
            f"""SELECT dimension, bucket, sum(fans) AS fans, sum(fans) / sum(sum(fans)) OVER (PARTITION BY dimension) AS share
                FROM marts.fan_portrait WHERE dt = (SELECT max(dt) FROM marts.fan_portrait WHERE dt <= $last + 1) {_of(choice)} GROUP BY ALL ORDER BY dimension, fans DESC""",
            **_values(choice),
        )  # fmt: skip

    def needs(self, choice: Choice) -> pd.DataFrame:
        return self.ask(
            f"""SELECT need, sum(comments) AS comments, sum(questions) AS questions, round(avg(sentiment_mean), 2) AS sentiment, arg_max(examples, likes_of_comments) AS examples
                FROM marts.comment_needs WHERE dt BETWEEN $first AND $last + 1 {_of(choice)} GROUP BY need ORDER BY comments DESC""",
            **_values(choice),
        )  # fmt: skip

    def leads(self, choice: Choice) -> pd.DataFrame:
        return self.ask(
            f"""SELECT action_source, sum(people) AS people, sum(leads) AS leads, sum(contacts) AS contacts FROM marts.lead_funnel
                WHERE dt BETWEEN $first AND $last + 1 {_of(choice)} GROUP BY ALL ORDER BY people DESC""",
            **_values(choice),
        )  # fmt: skip

    def health(self) -> pd.DataFrame:
        return self.ask("SELECT level, area, coalesce(subject_name, subject) AS subject, says_zh, says_en FROM marts.data_health ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, area, subject")


def _of(choice: Choice) -> str:
    return "AND open_id IN (SELECT unnest($accounts::VARCHAR[]))" if choice.accounts else ""


def _values(choice: Choice) -> dict[str, Any]:
    return {"accounts": list(choice.accounts), "first": choice.first, "last": choice.last}


def thirty_days(first: date, last: date) -> tuple[date, date]:
    """The range that the page opens with."""
    return max(first, last - timedelta(days=29)), last
