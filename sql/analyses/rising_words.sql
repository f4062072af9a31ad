-- 今天哪些热点词升得最快？ Which hot words climbed most between the first and the last list of the newest day?
WITH day AS (
    SELECT * FROM hot_words WHERE dt = (SELECT max(dt) FROM hot_words)
),
ends AS (
    SELECT min(observed_at) AS first_at, max(observed_at) AS last_at FROM day
)
SELECT
    now.sentence AS word,
    now.rank AS rank_now,
    before.rank AS rank_before,
    before.rank - now.rank AS climbed,
    now.hot_level
FROM day AS now
CROSS JOIN ends
LEFT JOIN day AS before ON before.sentence = now.sentence AND before.observed_at = ends.first_at
WHERE now.observed_at = ends.last_at
ORDER BY coalesce(before.rank, 51) - now.rank DESC, now.rank
LIMIT 8;
