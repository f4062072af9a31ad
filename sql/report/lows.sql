{% include "_videos.sql" %}
    AND v.is_low_play ORDER BY v.ratio_to_median, v.median_play_count DESC, v.item_id LIMIT 12
