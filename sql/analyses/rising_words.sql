-- 哪些热点词正在上升？ Which hot words climbed most between the last two lists? New words count from below the list.
WITH lists AS (
    SELECT DISTINCT observed_at, dense_rank() OVER (ORDER BY observed_at DESC) AS age FROM hot_words
),
latest AS (
    SELECT h.* FROM hot_words AS h JOIN lists USING (observed_at) WHERE age = 1
),
previous AS (
    SELECT h.* FROM hot_words AS h JOIN lists USING (observed_at) WHERE age = 2
)
SELECT
    latest.sentence AS word,
    previous.rank AS rank_before,
    latest.rank AS rank_now,
    coalesce(previous.rank, (SELECT max(rank) + 1 FROM previous)) - latest.rank AS climbed,
    previous.rank IS NULL AS new,
    latest.hot_level
FROM latest
LEFT JOIN previous USING (client_key, sentence)
ORDER BY climbed DESC, rank_now
LIMIT 8;
