"""What the report asks the warehouse, read-only: plain rows, bounded by how much a page can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb

Rows = list[dict[str, Any]]
TREND_DAYS = 30
MOST_ACCOUNTS, MOST_WORDS, MOST_VIDEOS, MOST_MOVES, MOST_TOPICS = 12, 12, 15, 8, 10


@dataclass
class Answers:
    """All that the page shows of one day. A section whose marts are not there is named in ``missing``."""

    day: date
    figures_day: date | None = None
    """The day of the series: they come a day late."""
    rows: dict[str, Rows] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Rows:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.rows.get(name, [])


def ask(warehouse: duckdb.DuckDBPyConnection, day: date) -> Answers:
    """Everything for the report of ``day`` (Beijing)."""
    warehouse.execute("SET TimeZone = 'Asia/Shanghai'")
    found = Answers(day)
    found.figures_day = _figures_day(warehouse, day)
    parameters = {"day": day, "figures": found.figures_day or day, "since": (found.figures_day or day) - timedelta(days=TREND_DAYS - 1)}
    for name, sql in _QUESTIONS.items():
        try:
            used = {key: value for key, value in parameters.items() if f"${key}" in sql}
            found.rows[name] = [_plain(row) for row in warehouse.execute(sql, used).to_arrow_table().to_pylist()]
        except duckdb.CatalogException as error:
            found.missing[name] = str(error).splitlines()[0]
    return found


def _plain(value: Any) -> Any:
    """Sums of whole numbers come as decimals, which neither a page nor a chart takes."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return int(value) if isinstance(value, Decimal) else value


def _figures_day(warehouse: duckdb.DuckDBPyConnection, day: date) -> date | None:
    try:
        row = warehouse.execute("SELECT max(dt) FROM marts.account_daily WHERE dt <= $day AND NOT is_gap", {"day": day}).fetchone()
    except duckdb.CatalogException:
        return None
    return row[0] if row else None


_QUESTIONS = {
    "figures": """
        WITH days AS (
            SELECT dt, sum(new_play) AS plays, sum(net_fans) AS net_fans, sum(interactions) AS interactions, sum(profile_uv) AS visitors, sum(total_fans) AS fans, sum(new_issue) AS issued,
                   count(*) AS accounts, count(*) FILTER (is_gap) AS gaps
            FROM marts.account_daily WHERE dt BETWEEN $figures - 7 AND $figures GROUP BY dt
        )
        SELECT (SELECT d FROM days AS d WHERE dt = $figures) AS now, median(plays) AS plays, median(net_fans) AS net_fans, median(interactions) AS interactions, median(visitors) AS visitors,
               count(*) AS days
        FROM days WHERE dt < $figures
    """,
    "words": f"""
        SELECT sentence, min(rank) AS rank, max(rank_change) AS rank_change, bool_or(is_new) AS is_new, bool_or(is_back) AS is_back, max(label) AS label, max(hot_level) AS hot_level, max(hours_on_board) AS hours,
               bool_or(is_on_rising_list) AS on_list, max(listed_at) AS listed_at
        FROM marts.hot_words_now WHERE dt = $day AND is_rising GROUP BY sentence ORDER BY max(rank_change) DESC, min(rank) LIMIT {MOST_WORDS}
    """,
    "word_curves": """
        SELECT sentence, observed_at AS at, min(rank) AS rank FROM main.hot_words WHERE dt BETWEEN $day - 2 AND $day
           AND sentence IN (SELECT sentence FROM marts.hot_words_now WHERE dt = $day AND is_rising) GROUP BY ALL ORDER BY ALL
    """,
    "topics": f"""
        SELECT t.*, n.nickname FROM marts.topic_opportunity AS t LEFT JOIN (SELECT open_id, arg_max(nickname, dt) AS nickname FROM marts.account_daily GROUP BY ALL) AS n USING (open_id)
        WHERE t.dt = $day ORDER BY score DESC, sentence, t.open_id LIMIT {MOST_TOPICS}
    """,
    "moves": f"""
        SELECT board, entry, move, rank, rank_before, rank_change, days_on_board, best_rank FROM marts.billboard_moves WHERE dt = $day AND move IN ('enter', 'up')
        QUALIFY row_number() OVER (PARTITION BY board ORDER BY CASE WHEN move = 'enter' THEN 31 - rank ELSE rank_change END DESC, entry) <= 2
        ORDER BY CASE WHEN move = 'enter' THEN 31 - rank ELSE rank_change END DESC, board, entry LIMIT {MOST_MOVES}
    """,
    "fallen": f"""
        SELECT board, entry, move, rank, rank_before, rank_change, days_on_board, best_rank FROM marts.billboard_moves WHERE dt = $day AND move IN ('leave', 'down')
        QUALIFY row_number() OVER (PARTITION BY board ORDER BY CASE WHEN move = 'leave' THEN 31 - rank_before ELSE -rank_change END DESC, entry) <= 2
        ORDER BY CASE WHEN move = 'leave' THEN 31 - rank_before ELSE -rank_change END DESC, board, entry LIMIT {MOST_MOVES}
    """,
    "boards": "SELECT count(DISTINCT board) AS boards, count(*) FILTER (move = 'enter') AS entered, count(*) FILTER (move = 'leave') AS gone FROM marts.billboard_moves WHERE dt = $day",
    "accounts": f"""
        SELECT open_id, arg_max(nickname, dt) AS nickname, arg_max(total_fans, dt) AS fans, arg_max(net_fans_7d, dt) AS net_fans_7d, arg_max(engagement_ratio, dt) AS engagement,
               sum(new_play) FILTER (dt > $figures - 7) AS plays_7d, sum(new_play) FILTER (dt BETWEEN $figures - 13 AND $figures - 7) AS plays_before, count(*) FILTER (is_gap) AS gaps,
               (SELECT count(DISTINCT open_id) FROM marts.account_daily WHERE dt = $figures) AS all_accounts
        FROM marts.account_daily WHERE dt BETWEEN $since AND $figures GROUP BY open_id ORDER BY fans DESC NULLS LAST, open_id LIMIT {MOST_ACCOUNTS}
    """,
    "trend": """
        SELECT open_id, dt, new_play AS plays, net_fans, is_gap, missing FROM marts.account_daily WHERE dt BETWEEN $since AND $figures ORDER BY open_id, dt
    """,
    "videos": """
        SELECT v.*, n.nickname FROM marts.video_performance AS v LEFT JOIN (SELECT open_id, arg_max(nickname, dt) AS nickname FROM marts.account_daily GROUP BY ALL) AS n USING (open_id)
        WHERE v.dt = $day AND v.ratio_to_median IS NOT NULL ORDER BY v.ratio_to_median DESC, v.item_id LIMIT 400
    """,
    "hits": f"""
        SELECT v.*, n.nickname FROM marts.video_performance AS v LEFT JOIN (SELECT open_id, arg_max(nickname, dt) AS nickname FROM marts.account_daily GROUP BY ALL) AS n USING (open_id)
        WHERE v.dt = $day AND v.is_hit ORDER BY v.ratio_to_median DESC LIMIT {MOST_VIDEOS}
    """,
    "lows": f"""
        SELECT v.*, n.nickname FROM marts.video_performance AS v LEFT JOIN (SELECT open_id, arg_max(nickname, dt) AS nickname FROM marts.account_daily GROUP BY ALL) AS n USING (open_id)
        WHERE v.dt = $day AND v.is_low_play ORDER BY v.ratio_to_median, v.item_id LIMIT {MOST_VIDEOS}
    """,
    "video_curves": """
        SELECT d.item_id, d.dt, d.plays FROM marts.video_daily AS d WHERE d.dt BETWEEN $since AND $day AND d.plays IS NOT NULL
           AND d.item_id IN (SELECT item_id FROM marts.video_performance WHERE dt = $day AND (is_hit OR is_low_play)) ORDER BY ALL
    """,
    "portrait": """
        SELECT dimension, bucket, sum(fans) AS fans, sum(fans_before) AS fans_before, count(fans_before) = count(*) AS comparable FROM marts.fan_portrait WHERE dt = $day GROUP BY ALL ORDER BY dimension, fans DESC, bucket
    """,
    "needs": """
        SELECT need, sum(comments) AS comments, sum(questions) AS questions, sum(likes_of_comments) AS likes, round(avg(sentiment_mean), 2) AS sentiment,
               string_agg(examples, chr(10) ORDER BY likes_of_comments DESC, open_id) AS examples
        FROM marts.comment_needs WHERE dt BETWEEN $day - 6 AND $day GROUP BY need ORDER BY need = 'other', comments DESC, need
    """,
    "keywords": """
        SELECT term, sum(comments) AS comments, max(score) AS score FROM marts.comment_keywords WHERE dt = $day GROUP BY term ORDER BY max(score) DESC, term LIMIT 24
    """,
    "leads": """
        SELECT action_source AS source, sum(people) AS people, sum(leads) AS leads, sum(contacts) AS contacts FROM marts.lead_funnel WHERE dt BETWEEN $day - 6 AND $day GROUP BY ALL ORDER BY people DESC, source LIMIT 8
    """,
    "lead_days": "SELECT dt, sum(people) AS people, sum(contacts) AS contacts FROM marts.lead_funnel WHERE dt BETWEEN $day - 6 AND $day GROUP BY dt ORDER BY dt",
    "places": """
        SELECT poi_name, detail_views, views_ratio, click_ratio, order_count, order_ratio FROM marts.poi_daily WHERE dt = (SELECT max(dt) FROM marts.poi_daily WHERE dt <= $day AND detail_views IS NOT NULL)
        ORDER BY detail_views DESC NULLS LAST, poi_id LIMIT 10
    """,
    "rhythm": """
        SELECT weekday, hour, sum(videos) AS videos, round(sum(median_ratio * judged_videos) / nullif(sum(judged_videos) FILTER (median_ratio IS NOT NULL), 0), 2) AS ratio
        FROM marts.publishing_rhythm WHERE dt = $day GROUP BY ALL ORDER BY ALL
    """,
    "health": "SELECT * FROM marts.data_health ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, area, subject",
    "tokens": """
        SELECT name, open_id, status, access_days_left, refresh_days_left, renewals_left, consent_days_left, warning_days FROM meta.accounts ORDER BY consent_days_left NULLS FIRST, open_id LIMIT 20
    """,
}  # fmt: skip
