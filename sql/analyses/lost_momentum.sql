-- 哪些视频后劲不足？ Which young videos fall behind their account's median at the same age, against three days before?
SELECT title, published_date, counted_age_days AS age_days, play_count, median_play_count, ratio_to_median, ratio_change_3d, compared_videos
FROM marts.video_performance
WHERE dt = (SELECT max(dt) FROM marts.video_performance WHERE ratio_change_3d IS NOT NULL) AND ratio_change_3d IS NOT NULL
ORDER BY ratio_change_3d, item_id
LIMIT 15;
