-- 什么时候发布效果最好？ At which weekday and hour do videos do best against the account's own median?
SELECT weekday, hour, sum(videos) AS videos, sum(judged_videos) AS judged, sum(hits) AS hits, round(median(median_ratio), 2) AS median_ratio
FROM marts.publishing_rhythm
WHERE dt = (SELECT max(dt) FROM marts.publishing_rhythm)
GROUP BY ALL
ORDER BY median_ratio DESC NULLS LAST, videos DESC, weekday, hour
LIMIT 15;
