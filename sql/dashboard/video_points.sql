SELECT title, counted_age_days, ratio_to_median, play_count,
    CASE WHEN is_hit THEN 'hit' WHEN is_low_play THEN 'low' ELSE 'usual' END AS kind
{% include "_videos.sql" %}
    AND ratio_to_median IS NOT NULL
ORDER BY is_hit OR is_low_play DESC, hash(item_id)
LIMIT {{ most }}
