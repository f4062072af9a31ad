"""Define the queries of the page.

SQL computes sums, ranks and limits over the chosen accounts and days alone, so that a visit costs the same on a large
warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.dashboard.reading import DashboardQuery

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

    @property
    def only(self) -> str:
        """Return SQL that restricts a table to the chosen accounts, to be put after its name."""
        return (
            (
                "SEMI JOIN (SELECT unnest($client_keys::VARCHAR[]) AS client_key, "
                "unnest($open_ids::VARCHAR[]) AS open_id) USING (client_key, open_id)"
            )
            if self.accounts
            else ""
        )

    def ask(self, sql: str, **more: Any) -> DashboardQuery:
        """Create a query with the values of this choice, and ``more``."""
        values = {"first": self.first, "last": self.last, **more}
        if self.accounts:
            values |= {
                "client_keys": [key for key, _ in self.accounts],
                "open_ids": [open_id for _, open_id in self.accounts],
            }
        return DashboardQuery(sql, values)


OPENING = {
    "days": DashboardQuery(
        """SELECT min(dt) AS first, max(dt) AS last,
            max(dt) FILTER (new_play IS NOT NULL OR total_fans IS NOT NULL) AS figures,
                  (SELECT max(dt) FROM marts.hot_words_now) AS words,
                      (SELECT max(listed_at) FROM marts.hot_words_now
                      WHERE dt = (SELECT max(dt) FROM marts.hot_words_now)) AS words_at
           FROM marts.account_daily"""
    ),
    "accounts": DashboardQuery(
        """SELECT client_key, open_id, coalesce(d.name, m.name) AS name, d.fans
           FROM (SELECT client_key, open_id, arg_max(nickname, dt) AS name, arg_max(total_fans, dt) AS fans
               FROM marts.account_daily
                 WHERE dt >= (SELECT max(dt) - 7 FROM marts.account_daily) GROUP BY ALL) AS d
           FULL JOIN meta.accounts AS m USING (client_key, open_id)
           ORDER BY fans DESC NULLS LAST, name, open_id"""
    ),
    "names": DashboardQuery(
        "SELECT table_name, column_name, name_zh, name_en, meaning_zh, meaning_en FROM meta.dictionary "
        "WHERE table_schema = 'marts'"
    ),
}
"""Queries of every visit: the range of days, the accounts by fans, the names of columns."""


# --------------------------------------------------------------------------- accounts


def overview(choice: Choice, metric: str) -> dict[str, DashboardQuery]:
    """Query cards, the curve of ``metric`` for the accounts that have most of it, and one row per account.

    A value that the platform did not return stays null; ``is_pending`` marks days after the last one with any value.

    Raises:
        ValueError: ``metric`` is none of ``METRICS``.
    """
    if metric not in METRICS:
        raise ValueError(f"{metric!r} is none of {', '.join(METRICS)}")
    base = f"base AS (SELECT * FROM marts.account_daily {choice.only} WHERE dt BETWEEN $first AND $last)"
    return {
        "cards": choice.ask(
            f"""WITH {base}, known AS (SELECT max(dt) AS until FROM base
                WHERE new_play IS NOT NULL OR total_fans IS NOT NULL)
            SELECT count(DISTINCT (client_key, open_id)) AS accounts, any_value(until) AS until,
                sum(new_play) AS new_play, sum(net_fans) AS net_fans, sum(interactions) AS interactions,
                   sum(interactions) FILTER (new_play IS NOT NULL)
                       / nullif(sum(new_play) FILTER (interactions IS NOT NULL), 0) AS engagement_ratio,
                   sum(total_fans) FILTER (dt = until) AS total_fans,
                       count(*) FILTER (dt = until AND total_fans IS NULL) AS fans_missing,
                   count(*) FILTER (dt <= until) AS account_days, count(*) FILTER (is_gap AND dt <= until) AS gaps
            FROM base CROSS JOIN known"""
        ),
        "lines": choice.ask(
            f"""WITH {base}, most AS (SELECT client_key, open_id FROM base GROUP BY ALL
                ORDER BY sum(abs({metric})) DESC NULLS LAST, open_id LIMIT {MOST_LINES}),
            known AS (SELECT max(dt) AS until FROM base WHERE new_play IS NOT NULL OR total_fans IS NOT NULL)
            SELECT dt, open_id, {metric} AS value, missing, dt > until AS is_pending FROM base
                SEMI JOIN most USING (client_key, open_id) CROSS JOIN known ORDER BY open_id, dt"""
        ),
        "accounts": choice.ask(
            f"""WITH {base}, known AS (SELECT max(dt) AS until FROM base
                WHERE new_play IS NOT NULL OR total_fans IS NOT NULL)
            SELECT arg_max(nickname, dt) AS nickname, arg_max(total_fans, dt) AS total_fans, sum(net_fans) AS net_fans,
                sum(new_play) AS new_play, sum(interactions) AS interactions,
                   round(sum(interactions) FILTER (new_play IS NOT NULL)
                       / nullif(sum(new_play) FILTER (interactions IS NOT NULL), 0), 4) AS engagement_ratio,
                       sum(new_issue) AS new_issue,
                   count(*) FILTER (is_gap AND dt <= until) AS gap_days, open_id
            FROM base CROSS JOIN known GROUP BY client_key, open_id
                ORDER BY new_play DESC NULLS LAST, open_id LIMIT {MOST_SHOWN}"""
        ),
    }


def account_days(choice: Choice) -> DashboardQuery:
    """Query all columns of ``account_daily``, for a download."""
    return choice.ask(
        f"SELECT * FROM marts.account_daily {choice.only} WHERE dt BETWEEN $first AND $last ORDER BY dt, "
        f"client_key, open_id LIMIT {MOST_SAVED}"
    )


# --------------------------------------------------------------------------- videos


def videos(choice: Choice, *, most: int = MOST_SHOWN) -> dict[str, DashboardQuery]:
    """Query young videos on the last day that has any: outstanding ones first, then suspiciously low ones."""
    day = _last_day(choice, "video_performance")
    return {
        "counts": choice.ask(
            f"""SELECT max(dt) AS day, count(*) AS videos, count(ratio_to_median) AS comparable,
                count(*) FILTER (is_hit) AS hits, count(*) FILTER (is_low_play) AS lows
            FROM marts.video_performance {choice.only} WHERE dt = ({day})"""
        ),
        "points": choice.ask(
            f"""SELECT title, counted_age_days, ratio_to_median, play_count,
                CASE WHEN is_hit THEN 'hit' WHEN is_low_play THEN 'low' ELSE 'usual' END AS kind
            FROM marts.video_performance {choice.only} WHERE dt = ({day}) AND ratio_to_median IS NOT NULL
                ORDER BY is_hit OR is_low_play DESC, hash(item_id) LIMIT {MOST_POINTS}"""
        ),
        "rows": choice.ask(
            f"""SELECT title, published_date, counted_age_days, play_count, median_play_count,
                round(ratio_to_median, 2) AS ratio_to_median, is_hit, is_low_play, peak_plays, half_life_days, open_id,
                item_id
            FROM marts.video_performance {choice.only} WHERE dt = ({day})
            ORDER BY is_hit DESC NULLS LAST, is_low_play DESC NULLS LAST, ratio_to_median DESC NULLS LAST,
                play_count DESC NULLS LAST, item_id LIMIT {most}"""
        ),
    }


def video_curve(choice: Choice, open_id: str, item_id: str) -> DashboardQuery:
    """Query the plays of one video per day from its first day in the range; days without a number are null."""
    return choice.ask(
        """WITH listed AS (SELECT dt, plays FROM marts.video_daily
            WHERE dt BETWEEN $first AND $last AND open_id = $open_id AND item_id = $item_id)
        SELECT day::DATE AS dt, plays
        FROM generate_series((SELECT min(dt) FROM listed), (SELECT max(dt) FROM listed), INTERVAL 1 DAY) AS days(day)
        LEFT JOIN listed ON listed.dt = day::DATE ORDER BY dt""",
        open_id=open_id,
        item_id=item_id,
    )


# --------------------------------------------------------------------------- hot words and billboards


def hot_words(choice: Choice, like: str = "", *, most: int = MOST_SHOWN) -> DashboardQuery:
    """Query the last list of the range.

    With ``like``: every word of the range that contains it, on the list or not.
    """
    day = _last_day(choice, "hot_word_lifecycle", accounts=False)
    listed = (
        "dt BETWEEN $first AND $last AND contains(lower(sentence), lower($like))"
        if like
        else f"dt = ({day}) AND is_on_board"
    )
    return choice.ask(
        f"""WITH lives AS (SELECT * FROM marts.hot_word_lifecycle WHERE {listed}
            QUALIFY row_number() OVER (PARTITION BY sentence ORDER BY dt DESC, last_seen_at DESC, client_key) = 1),
        now AS (SELECT * FROM marts.hot_words_now WHERE dt = ({_last_day(choice, "hot_words_now", accounts=False)}))
        SELECT n.rank, l.sentence, n.rank_change, n.hot_level, n.is_new, n.is_rising, l.best_rank, l.peak_hot_level,
            l.hours_on_board, l.re_entries,
               strftime(l.first_seen_at, '%m-%d %H:%M') AS first_seen_at,
                   strftime(l.last_seen_at, '%m-%d %H:%M') AS last_seen_at, l.client_key
        FROM lives AS l LEFT JOIN now AS n USING (client_key, sentence)
            ORDER BY n.rank NULLS LAST, l.last_seen_at DESC, l.sentence LIMIT {most}""",
        like=like,
    )


def word_curve(choice: Choice, client_key: str, sentence: str) -> DashboardQuery:
    """Query rank and heat at every observation of the list from a word's first to its last.

    They are null where the word was not listed. Beijing time.
    """
    return choice.ask(
        """WITH lists AS (SELECT DISTINCT observed_at FROM main.hot_words
            WHERE dt BETWEEN $first AND $last AND client_key = $client_key),
        listed AS (SELECT observed_at, min(rank) AS rank, max(hot_level) AS hot_level FROM main.hot_words
            WHERE dt BETWEEN $first AND $last AND client_key = $client_key AND sentence = $sentence GROUP BY ALL)
        SELECT strftime(observed_at, '%Y-%m-%dT%H:%M:%S') AS at, rank, hot_level FROM lists
            LEFT JOIN listed USING (observed_at)
        WHERE observed_at BETWEEN (SELECT min(observed_at) FROM listed) AND (SELECT max(observed_at)
            FROM listed) ORDER BY observed_at""",
        client_key=client_key,
        sentence=sentence,
    )


def boards(choice: Choice) -> DashboardQuery:
    """Query the billboards of the range, with the number of days that have one."""
    return choice.ask(
        "SELECT board, max(dt) AS last, count(DISTINCT dt) AS days FROM marts.billboard_moves WHERE dt "
        "BETWEEN $first AND $last GROUP BY board ORDER BY board"
    )


def billboard(choice: Choice, board: str, *, most: int = MOST_SHOWN) -> dict[str, DashboardQuery]:
    """Query the last list of a board in the range with its moves, and the ranks day by day of its top entries.

    Several apps see the same list: one is shown.
    """
    last = "(SELECT max(dt) FROM marts.billboard_moves WHERE board = $board AND dt BETWEEN $first AND $last)"
    app = f"(SELECT min(client_key) FROM marts.billboard_moves WHERE board = $board AND dt = {last})"
    return {
        "rows": choice.ask(
            f"""SELECT rank, entry, author, move, rank_change, rank_before, days_on_board, best_rank, value,
                compared_with, dt
                FROM marts.billboard_moves
            WHERE board = $board AND dt = {last} AND client_key = {app}
                ORDER BY rank NULLS LAST, rank_before, entry_id LIMIT {most}""",
            board=board,
        ),
        "ranks": choice.ask(
            f"""WITH first AS (SELECT entry_id, entry FROM marts.billboard_moves
                WHERE board = $board AND dt = {last} AND client_key = {app} AND rank IS NOT NULL
                ORDER BY rank, entry_id LIMIT {MOST_ENTRIES}),
            top AS (SELECT entry_id, CASE WHEN count(*) OVER (PARTITION BY entry) = 1 THEN entry
                ELSE concat(entry, '（', entry_id, '）') END AS entry FROM first),
            days AS (SELECT DISTINCT dt FROM marts.billboard_moves
                WHERE board = $board AND dt BETWEEN $first AND $last AND client_key = {app})
            SELECT days.dt, top.entry, m.rank FROM days CROSS JOIN top
            LEFT JOIN marts.billboard_moves AS m ON m.board = $board AND m.client_key = {app} AND m.dt = days.dt
                AND m.entry_id = top.entry_id ORDER BY ALL""",
            board=board,
        ),
    }


# --------------------------------------------------------------------------- people


def portrait(choice: Choice) -> DashboardQuery:
    """Query fans by dimension and bucket on the last day that has a portrait.

    ``share_change`` is against the week before, null where an account lacks it.
    """
    return choice.ask(
        f"""SELECT dt, dimension, bucket, sum(fans) AS fans,
            sum(fans) / nullif(sum(sum(fans)) OVER whole, 0) AS share_ratio,
               CASE WHEN bool_and(count(fans_before) = count(*)) OVER whole THEN sum(fans)
                   / nullif(sum(sum(fans)) OVER whole, 0) - sum(fans_before)
                   / nullif(sum(sum(fans_before)) OVER whole, 0) END AS share_change
        FROM marts.fan_portrait {choice.only} WHERE dt = ({_last_day(choice, "fan_portrait")})
            GROUP BY dt, dimension, bucket WINDOW whole AS (PARTITION BY dimension)
            ORDER BY dimension, fans DESC, bucket"""
    )


def needs(choice: Choice) -> dict[str, DashboardQuery]:
    """Query the needs in comments: sums of the range by need, and by day."""
    of_range = f"FROM marts.comment_needs {choice.only} WHERE created_date BETWEEN $first AND $last"
    return {
        "rows": choice.ask(
            f"""SELECT need, sum(comments) AS comments, sum(questions) AS questions,
                sum(likes_of_comments) AS likes_of_comments, count(DISTINCT open_id) AS accounts,
                   round(sum(sentiment_mean * comments) / nullif(sum(comments) FILTER (sentiment_mean IS NOT NULL), 0),
                       2) AS sentiment_mean,
                   arg_max(examples, (likes_of_comments, comments, open_id)) FILTER (examples <> '') AS examples
            {of_range} GROUP BY need ORDER BY need = 'other', comments DESC, need"""
        ),
        "days": choice.ask(
            f"SELECT created_date AS dt, need, sum(comments) AS comments {of_range} GROUP BY ALL ORDER BY ALL"
        ),
    }


def leads(choice: Choice) -> dict[str, DashboardQuery]:
    """Query the actions of potential customers.

    Actions may be summed; people repeat over days and ways, so their sums count person-days.
    """
    of_range = f"FROM marts.lead_funnel {choice.only} WHERE action_date BETWEEN $first AND $last"
    return {
        "rows": choice.ask(
            f"""SELECT action_source, action_type, action_flag, sum(actions) AS actions, sum(people) AS person_days,
                sum(leads) AS lead_days, sum(contacts) AS contact_days,
                   round(sum(contacts) / nullif(sum(people), 0), 4) AS contact_ratio
            {of_range} GROUP BY ALL ORDER BY actions DESC, action_source, action_type, action_flag LIMIT {MOST_SHOWN}"""
        ),
        "days": choice.ask(
            f"SELECT action_date AS dt, action_source, sum(actions) AS actions {of_range} GROUP BY ALL ORDER BY ALL"
        ),
        "sources": choice.ask(
            "SELECT action_source, sum(actions) AS actions, sum(people) AS person_days, sum(contacts) AS "
            f"contact_days {of_range} GROUP BY ALL ORDER BY actions DESC, action_source LIMIT 8"
        ),
    }


# --------------------------------------------------------------------------- the data itself

HEALTH = {
    "areas": DashboardQuery(
        "SELECT area, level, count(*) AS matters, max(as_of) AS as_of FROM marts.data_health GROUP BY ALL ORDER BY ALL"
    ),
    "rows": DashboardQuery(
        f"""SELECT level, area, coalesce(subject_name, subject) AS subject_name, says_zh, says_en, value, subject
            FROM marts.data_health
        ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, area,
            subject, client_key LIMIT {MOST_SHOWN}"""
    ),
}


def _last_day(choice: Choice, mart: str, *, accounts: bool = True) -> str:
    """Return SQL of the last day of the range on which the mart has rows."""
    return f"SELECT max(dt) FROM marts.{mart} {choice.only if accounts else ''} WHERE dt BETWEEN $first AND $last"
