SELECT title, published_date, counted_age_days, play_count, median_play_count,
    round(ratio_to_median, 2) AS ratio_to_median, is_hit, is_low_play, peak_plays, half_life_days, open_id, item_id
{% include "_videos.sql" %}
ORDER BY is_hit DESC NULLS LAST, is_low_play DESC NULLS LAST, ratio_to_median DESC NULLS LAST,
    play_count DESC NULLS LAST, item_id
LIMIT {{ most }}
