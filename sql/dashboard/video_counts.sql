SELECT max(dt) AS day, count(*) AS videos, count(ratio_to_median) AS comparable,
    count(*) FILTER (is_hit) AS hits, count(*) FILTER (is_low_play) AS lows
{% include "_videos.sql" %}
