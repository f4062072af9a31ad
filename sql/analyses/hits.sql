-- 近 30 天的爆款是什么，爆款率多少？ Which videos of 30 days are outstanding, and what share of the account's videos is?
SELECT v.title, v.published_date, v.play_count, v.median_play_count, v.ratio_to_median, v.half_life_days, v.account_hit_ratio
FROM marts.video_performance AS v
WHERE v.dt = (SELECT max(dt) FROM marts.video_performance) AND v.ratio_to_median >= 1
ORDER BY v.ratio_to_median DESC, v.item_id
LIMIT 15;
