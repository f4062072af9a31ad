SELECT counted_age_days, ratio_to_median, is_hit, is_low_play FROM marts.video_performance
    WHERE dt = $day AND ratio_to_median IS NOT NULL
ORDER BY is_hit OR is_low_play DESC, hash(item_id) LIMIT 300
