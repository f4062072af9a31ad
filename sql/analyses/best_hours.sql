-- 什么时候发布效果最好？ At which weekday and hour do videos do best against the account's own median? Hours with fewer than five judged videos come last.
SELECT
    weekday, hour, sum(videos) AS videos, sum(judged_videos) AS judged, sum(hits) AS hits,
    round(sum(judged_plays) / nullif(sum(expected_plays), 0), 2) AS pooled_ratio, sum(judged_videos) >= 5 AS is_reliable
FROM marts.publishing_rhythm
WHERE dt = (SELECT max(dt) FROM marts.publishing_rhythm)
GROUP BY weekday, hour
ORDER BY is_reliable DESC, pooled_ratio DESC NULLS LAST, videos DESC, weekday, hour
LIMIT 15;
