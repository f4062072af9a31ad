-- 哪些视频播放异常低（疑似限流）或明显低于账号水平？ Which young videos get far fewer plays than their account's own median?
SELECT dt, title, counted_age_days AS age_days, play_count, median_play_count, ratio_to_median, is_low_play AS alarm
FROM marts.video_performance
WHERE dt = (SELECT max(dt) FROM marts.video_performance) AND ratio_to_median IS NOT NULL
ORDER BY ratio_to_median, item_id
LIMIT 15;
