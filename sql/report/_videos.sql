SELECT v.client_key, v.open_id, v.item_id, left(v.title, 120) AS title, v.published_date, v.counted_age_days,
    v.counted_until, v.play_count, v.median_play_count, v.compared_videos, v.ratio_to_median, n.nickname
FROM marts.video_performance AS v LEFT JOIN {% include "_names.sql" %} AS n USING (client_key, open_id) WHERE v.dt = $day
