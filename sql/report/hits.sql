{% include "_videos.sql" %}
    AND v.is_hit ORDER BY v.ratio_to_median DESC, v.item_id LIMIT 12
