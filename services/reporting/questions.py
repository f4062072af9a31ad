"""Query the warehouse for the report, read-only: plain rows, limited to what a page can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb

Rows = list[dict[str, Any]]
TREND_DAYS = 30
MOST_ACCOUNTS, MOST_WORDS, MOST_VIDEOS, MOST_MOVES, MOST_TOPICS, MOST_DOTS, MOST_MATTERS, MOST_PLACES = (
    20,
    8,
    12,
    8,
    10,
    300,
    30,
    10,
)
ENOUGH = 0.95
"""A day's total is compared only if at least this share of today's accounts was counted on that day, too.

Totals of fewer accounts would look like a decline.
"""


@dataclass(frozen=True)
class ReportData:
    """Data of the page for one day."""

    day: date
    figures_day: date | None
    """The day of the series: the platform counts a day late."""
    rows: dict[str, Rows] = field(default_factory=dict)
    """Rows by question; values are plain Python values, times are in Beijing."""
    missing: dict[str, str] = field(default_factory=dict)
    """What the published file lacks, by question."""

    def one(self, question: str) -> dict[str, Any]:
        """Return the row of a question with a single row; empty if the file lacks its data."""
        rows = self.rows.get(question, [])
        return rows[0] if rows else {}

    def many(self, question: str) -> Rows:
        """Return the rows of a question; an empty list if the file lacks its data."""
        return self.rows.get(question, [])


def ask(warehouse: duckdb.DuckDBPyConnection, day: date) -> ReportData:
    """Run all queries for the report of ``day`` (Beijing)."""
    warehouse.execute("SET TimeZone = 'Asia/Shanghai'")
    found = ReportData(day, _figures_day(warehouse, day))
    figures = found.figures_day or day
    parameters = {"day": day, "figures": figures, "since": figures - timedelta(days=TREND_DAYS - 1), "enough": ENOUGH}
    for name, sql in QUESTIONS.items():
        used = {key: value for key, value in parameters.items() if f"${key}" in sql}
        try:
            found.rows[name] = [_plain(row) for row in warehouse.execute(sql, used).to_arrow_table().to_pylist()]
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            found.missing[name] = _lacking(error)
    return found


def _lacking(error: duckdb.Error) -> str:
    """Return what a file of an earlier version lacks, a table or a column; raise any other error again."""
    said = str(error).splitlines()[0]
    if isinstance(error, duckdb.BinderException) and "not found" not in said:
        raise error
    return said


def _plain(value: Any) -> Any:
    """Convert decimals to integers: sums of integers are decimals in DuckDB, which page and charts do not accept."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return int(value) if isinstance(value, Decimal) else value


def _figures_day(warehouse: duckdb.DuckDBPyConnection, day: date) -> date | None:
    """Return the last day on which most accounts have plays or fans; else the last on which any has."""
    sql = """
        SELECT coalesce(max(dt) FILTER (2 * counted >= accounts), max(dt)) FROM (
            SELECT dt, count(*) AS accounts, count(*) FILTER (new_play IS NOT NULL OR total_fans IS NOT NULL) AS counted
                FROM marts.account_daily WHERE dt <= $day GROUP BY dt
        ) WHERE counted > 0
    """
    try:
        ((figures,),) = warehouse.execute(sql, {"day": day}).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        _lacking(error)
        return None
    return figures


_NAMES = (
    "(SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname FROM main.account_profiles "
    "WHERE nickname IS NOT NULL GROUP BY ALL)"
)
_WORD_APP = (
    "(SELECT client_key FROM marts.hot_words_now WHERE dt = $day GROUP BY client_key ORDER BY max(listed_at) "
    "DESC, client_key LIMIT 1)"
)
"""The list is the same for all apps, so one of them is shown."""

_VIDEOS = f"""
    SELECT v.client_key, v.open_id, v.item_id, left(v.title, 120) AS title, v.published_date, v.counted_age_days,
        v.counted_until, v.play_count, v.median_play_count, v.compared_videos, v.ratio_to_median, n.nickname
    FROM marts.video_performance AS v LEFT JOIN {_NAMES} AS n USING (client_key, open_id) WHERE v.dt = $day
"""

_MOVES = """
    SELECT board, left(entry, 120) AS entry, move, rank, rank_before, rank_change, days_on_board, best_rank,
        {strength} AS strength
    FROM marts.billboard_moves WHERE dt = $day AND move IN {moves}
    QUALIFY client_key = min(client_key) OVER (PARTITION BY board)
        AND row_number() OVER (PARTITION BY client_key, board ORDER BY strength DESC, entry_id) <= 2
    ORDER BY strength DESC, board, entry_id LIMIT {most}
"""

QUESTIONS = {
    "figures": """
        WITH long AS (
            UNPIVOT (SELECT dt, client_key, open_id, new_play::BIGINT AS plays, net_fans::BIGINT AS net_fans,
                interactions::BIGINT AS interactions, profile_uv::BIGINT AS visitors,
                            total_fans::BIGINT AS fans, new_issue::BIGINT AS issued
                     FROM marts.account_daily WHERE dt BETWEEN $since AND $figures)
            ON plays, net_fans, interactions, visitors, fans, issued INTO NAME measure VALUE value
        ),
        counted AS (SELECT measure, client_key, open_id FROM long WHERE dt = $figures),
        sizes AS (SELECT measure, count(*) AS accounts FROM counted GROUP BY measure),
        days AS (SELECT measure, dt, sum(value) AS total, count(*) AS accounts FROM long
            JOIN counted USING (measure, client_key, open_id) GROUP BY ALL)
        SELECT d.measure, any_value(s.accounts) AS accounts, any_value(total) FILTER (dt = $figures) AS total,
            median(total) FILTER (dt BETWEEN $figures - 7 AND $figures - 1) AS median,
               count(*) FILTER (dt BETWEEN $figures - 7 AND $figures - 1) AS median_days,
                   any_value(total) FILTER (dt = $figures - 7) AS week_before,
                   list({'dt': dt, 'value': total} ORDER BY dt) AS curve,
               (SELECT count(*) FROM marts.account_daily WHERE dt = $figures) AS all_accounts
        FROM days AS d JOIN sizes AS s USING (measure) WHERE d.accounts >= $enough * s.accounts GROUP BY d.measure
    """,
    "words": f"""
        SELECT *, row_number() OVER (PARTITION BY is_entry ORDER BY rank_change DESC NULLS LAST, rank) AS place,
            count(*) OVER (PARTITION BY is_entry) AS all_words FROM (
            SELECT left(sentence, 120) AS sentence, rank, rank_change, is_new, is_back, label, hot_level,
                is_on_rising_list AS is_listed, first_seen_at, listed_at, coalesce(is_new OR is_back, false) AS is_entry
            FROM marts.hot_words_now WHERE dt = $day AND is_rising AND client_key = {_WORD_APP}
        ) QUALIFY place <= {MOST_WORDS} ORDER BY is_entry DESC, place
    """,
    "word_lists": (
        "SELECT observed_at AS at, max(rank) AS length FROM main.hot_words WHERE dt BETWEEN $day - 2 AND "
        f"$day AND client_key = {_WORD_APP} GROUP BY ALL ORDER BY ALL"
    ),
    "word_ranks": f"""
        SELECT left(sentence, 120) AS sentence, observed_at AS at, min(rank) AS rank FROM main.hot_words
            WHERE dt BETWEEN $day - 2 AND $day AND client_key = {_WORD_APP}
           AND sentence IN (SELECT sentence FROM marts.hot_words_now WHERE dt = $day AND is_rising) GROUP BY ALL
               ORDER BY ALL
    """,
    "topics": f"""
        SELECT left(t.sentence, 120) AS sentence, t.open_id, n.nickname, t.rank, t.rank_change, t.matched_terms,
            t.own_videos, left(t.best_own_title, 120) AS best_own_title, t.own_median_ratio, t.comment_mentions
        FROM marts.topic_opportunity AS t LEFT JOIN {_NAMES} AS n USING (client_key, open_id) WHERE t.dt = $day
        QUALIFY row_number() OVER (PARTITION BY t.sentence ORDER BY score DESC, t.open_id) <= 2
            ORDER BY score DESC, t.sentence, t.open_id LIMIT {MOST_TOPICS}
    """,
    "moves": _MOVES.format(
        strength="CASE WHEN move = 'enter' THEN 31 - rank ELSE rank_change END",
        moves="('enter', 'up')",
        most=MOST_MOVES,
    ),
    "fallen": _MOVES.format(
        strength="CASE WHEN move = 'leave' THEN 31 - rank_before ELSE -rank_change END",
        moves="('leave', 'down')",
        most=MOST_MOVES,
    ),
    "boards": """
        SELECT count(DISTINCT board) AS boards, count(*) FILTER (move = 'enter') AS entered,
            count(*) FILTER (move = 'leave') AS gone, count(DISTINCT board) FILTER (move = 'first') AS first_lists
        FROM (FROM marts.billboard_moves WHERE dt = $day QUALIFY client_key = min(client_key) OVER (PARTITION BY board))
            HAVING count(*) > 0
    """,
    "accounts": f"""
        SELECT client_key, open_id, coalesce(arg_max(a.nickname, dt), any_value(n.nickname)) AS nickname,
            arg_max(total_fans, dt) AS fans, arg_max(net_fans_7d, dt) FILTER (dt = $figures) AS net_fans_7d,
               sum(interactions) FILTER (interactions IS NOT NULL AND new_play IS NOT NULL AND dt > $figures - 7)
                   / nullif(sum(new_play) FILTER (interactions IS NOT NULL AND dt > $figures - 7), 0) AS engagement,
               sum(new_play) FILTER (dt > $figures - 7) AS plays_7d,
                   count(new_play) FILTER (dt > $figures - 7) AS days_7d,
               sum(new_play) FILTER (dt BETWEEN $figures - 13 AND $figures - 7) AS plays_before,
                   count(new_play) FILTER (dt BETWEEN $figures - 13 AND $figures - 7) AS days_before,
               list_sort(list_distinct(flatten(list(string_split(missing, ',')) FILTER (is_gap)))) AS missing,
                   count(*) OVER () AS all_accounts
        FROM marts.account_daily AS a LEFT JOIN {_NAMES} AS n USING (client_key, open_id)
            WHERE dt BETWEEN $since AND $figures GROUP BY client_key, open_id
            ORDER BY fans DESC NULLS LAST, open_id LIMIT {MOST_ACCOUNTS}
    """,
    "trend": f"""
        SELECT client_key, open_id, dt, new_play AS plays FROM marts.account_daily
        SEMI JOIN (SELECT client_key, open_id FROM marts.account_daily WHERE dt BETWEEN $since AND $figures GROUP BY ALL
            ORDER BY arg_max(total_fans, dt) DESC NULLS LAST, open_id LIMIT {MOST_ACCOUNTS}) USING (client_key, open_id)
        WHERE dt BETWEEN $since AND $figures ORDER BY ALL
    """,
    "videos": f"""
        SELECT counted_age_days, ratio_to_median, is_hit, is_low_play FROM marts.video_performance
            WHERE dt = $day AND ratio_to_median IS NOT NULL
        ORDER BY is_hit OR is_low_play DESC, hash(item_id) LIMIT {MOST_DOTS}
    """,
    "video_counts": """
        SELECT count(*) AS young, count(ratio_to_median) AS judged, count(*) FILTER (is_hit) AS hits,
            count(*) FILTER (is_low_play) AS lows FROM marts.video_performance WHERE dt = $day HAVING count(*) > 0
    """,
    "hits": f"{_VIDEOS} AND v.is_hit ORDER BY v.ratio_to_median DESC, v.item_id LIMIT {MOST_VIDEOS}",
    "lows": (
        f"{_VIDEOS} AND v.is_low_play ORDER BY v.ratio_to_median, v.median_play_count DESC, v.item_id LIMIT "
        f"{MOST_VIDEOS}"
    ),
    "video_days": f"""
        SELECT d.client_key, d.open_id, d.item_id, d.dt, d.plays FROM marts.video_daily AS d
        SEMI JOIN ((SELECT client_key, open_id, item_id
            FROM ({_VIDEOS} AND v.is_hit ORDER BY v.ratio_to_median DESC, v.item_id LIMIT {MOST_VIDEOS}))
                   UNION ALL (SELECT client_key, open_id, item_id
                       FROM ({_VIDEOS} AND v.is_low_play
                       ORDER BY v.ratio_to_median, v.median_play_count DESC, v.item_id LIMIT {MOST_VIDEOS})))
                       USING (client_key, open_id, item_id)
        WHERE d.dt BETWEEN $day - 31 AND $day AND d.plays IS NOT NULL ORDER BY ALL
    """,
    "portrait": """
        WITH found AS (SELECT *, share_ratio - share_change AS share_before FROM marts.fan_portrait WHERE dt = $day),
        accounts AS (
            SELECT client_key, open_id, dimension, sum(fans) AS fans,
                max(fans_before / share_before) FILTER (share_before > 0.001 AND fans_before > 0) AS fans_before,
                   bool_or(compared_with IS NOT NULL) AS is_compared
            FROM found GROUP BY ALL
        ),
        totals AS (
            SELECT dimension, sum(fans) AS fans, sum(fans) FILTER (is_compared AND fans_before > 0) AS fans_same,
                sum(fans_before) FILTER (is_compared) AS fans_before, count(*) AS accounts,
                   count(*) FILTER (is_compared AND fans_before > 0) AS compared
            FROM accounts GROUP BY ALL
        )
        SELECT f.dimension, left(f.bucket, 40) AS bucket, sum(f.fans) AS fans, sum(f.fans) / any_value(t.fans) AS share,
               coalesce(sum(f.fans) FILTER (a.is_compared AND a.fans_before > 0), 0) / any_value(t.fans_same)
                   - coalesce(sum(f.fans_before) FILTER (a.is_compared AND a.fans_before > 0), 0)
                   / any_value(t.fans_before) AS change,
               any_value(t.accounts) AS accounts, any_value(t.compared) AS compared
        FROM found AS f JOIN totals AS t USING (dimension) JOIN accounts AS a USING (client_key, open_id, dimension)
        WHERE t.fans > 0 GROUP BY ALL ORDER BY f.dimension, fans DESC, bucket
    """,
    "needs": """
        WITH spread AS (
            SELECT text_masked, coalesce(digg_count, 0) AS likes, is_asking, sentiment, commenter_open_id, client_key,
                unnest(CASE WHEN needs = '' THEN ['other'] ELSE string_split(needs, ',') END) AS need
            FROM marts.comment_labels WHERE created_date BETWEEN $day - 6 AND $day
        ),
        counted AS (
            SELECT need, count(*) AS comments, count(DISTINCT (client_key, commenter_open_id)) AS people,
                count(*) FILTER (is_asking) AS questions, avg(sentiment) AS sentiment, sum(likes) AS likes FROM spread
                GROUP BY ALL
        ),
        examples AS (
            SELECT need, list(left(text_masked, 80)
                ORDER BY likes DESC, length(text_masked) DESC, text_masked) AS examples FROM (
                SELECT need, text_masked, max(likes) AS likes FROM spread WHERE text_masked <> ''
                    GROUP BY need, text_masked
                QUALIFY row_number() OVER (PARTITION BY need
                    ORDER BY max(likes) DESC, length(text_masked) DESC, text_masked) <= 3
            ) GROUP BY ALL
        )
        SELECT *, (SELECT count(*) FROM marts.comment_labels
            WHERE created_date BETWEEN $day - 6 AND $day) AS all_comments
        FROM counted LEFT JOIN examples USING (need) ORDER BY need = 'other', comments DESC, need
    """,
    "keywords": f"""
        SELECT n.nickname, k.open_id,
            list({{'term': left(k.term, 40), 'comments': k.comments}} ORDER BY k.position) AS terms,
            sum(k.comments) AS weight
        FROM marts.comment_keywords AS k LEFT JOIN {_NAMES} AS n USING (client_key, open_id)
        WHERE k.dt = $day AND k.position <= 10 GROUP BY k.client_key, k.open_id, n.nickname
            ORDER BY weight DESC, k.open_id LIMIT 6
    """,
    "leads": """
        SELECT left(action_source, 40) AS source, sum(actions) AS actions, sum(people) AS people,
            sum(contacts) AS contacts FROM marts.lead_funnel WHERE action_date BETWEEN $day - 6 AND $day
        GROUP BY ALL ORDER BY people DESC, source LIMIT 8
    """,
    "lead_totals": """
        SELECT sum(actions) AS actions, sum(people) AS people, sum(leads) AS leads, sum(contacts) AS contacts
            FROM marts.lead_funnel WHERE action_date BETWEEN $day - 6 AND $day HAVING count(*) > 0
    """,
    "lead_days": (
        "SELECT action_date AS dt, sum(people) AS people, sum(contacts) AS contacts FROM marts.lead_funnel "
        "WHERE action_date BETWEEN $day - 6 AND $day GROUP BY ALL ORDER BY ALL"
    ),
    "places": f"""
        SELECT dt, coalesce(left(poi_name, 60), poi_id) AS place, detail_views, views_ratio, exposure_uv, click_ratio,
            order_count, order_ratio, count(*) OVER () AS all_places FROM marts.poi_daily
        WHERE dt = (SELECT max(dt) FROM marts.poi_daily WHERE dt BETWEEN $day - 6 AND $day AND detail_views IS NOT NULL)
        ORDER BY detail_views DESC NULLS LAST, poi_id LIMIT {MOST_PLACES}
    """,
    "rhythm": """
        SELECT weekday, hour, sum(videos) AS videos, sum(judged_videos) AS judged, sum(hits) AS hits,
               exp(sum(ln(greatest(median_ratio, 0.01)) * judged_videos)
                   / nullif(sum(judged_videos) FILTER (median_ratio IS NOT NULL), 0)) AS ratio
        FROM marts.publishing_rhythm WHERE dt = $day GROUP BY ALL ORDER BY ALL
    """,
    "matters": f"""
        SELECT area, level, left(coalesce(subject_name, subject), 80) AS subject_zh, left(subject, 80) AS subject,
            says_zh, says_en FROM marts.data_health WHERE level <> 'ok'
        ORDER BY level = 'bad' DESC, area, subject LIMIT {MOST_MATTERS}
    """,
    "areas": """
        SELECT area, count(*) FILTER (level = 'ok') AS ok, count(*) FILTER (level = 'warn') AS warn,
            count(*) FILTER (level = 'bad') AS bad, max(as_of) AS as_of FROM marts.data_health GROUP BY area
            ORDER BY area
    """,
    "tokens": """
        SELECT name, open_id, status, access_days_left, refresh_days_left, renewals_left, consent_days_left,
            warning_days IS NOT NULL AS is_due, count(*) OVER () AS all_accounts
        FROM meta.accounts ORDER BY warning_days NULLS LAST, consent_days_left NULLS FIRST, open_id LIMIT 20
    """,
    "loads": """
        SELECT table_name, status, count(DISTINCT open_id) AS accounts, max(dt) AS last_day FROM meta.load_status
            WHERE dt BETWEEN $day - 6 AND $day GROUP BY ALL ORDER BY ALL
    """,
    "known_marts": "SELECT name FROM meta.marts",
    "partitions": (
        "SELECT name, min(dt) AS first_day, max(dt) AS last_day, bool_or(dt = $day) AS has_day FROM "
        "meta.partitions GROUP BY name"
    ),
}
"""Queries by name.

``$day`` is the day of the report, ``$figures`` that of the series, ``$since`` the first day of the trend.
"""
