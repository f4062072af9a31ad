SELECT left(t.sentence, 120) AS sentence, t.open_id, n.nickname, t.rank, t.rank_change, t.matched_terms,
    t.own_videos, left(t.best_own_title, 120) AS best_own_title, t.own_median_ratio, t.comment_mentions
FROM marts.topic_opportunity AS t LEFT JOIN {% include "_names.sql" %} AS n USING (client_key, open_id) WHERE t.dt = $day
QUALIFY row_number() OVER (PARTITION BY t.sentence ORDER BY score DESC, t.open_id) <= 2
    ORDER BY score DESC, t.sentence, t.open_id LIMIT 10
