SELECT count(*) AS young, count(ratio_to_median) AS judged, count(*) FILTER (is_hit) AS hits,
    count(*) FILTER (is_low_play) AS lows FROM marts.video_performance WHERE dt = $day HAVING count(*) > 0
