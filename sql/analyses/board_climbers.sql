-- 达人榜上谁连续上升？ Which creators climbed furthest on a billboard over the loaded days?
WITH daily AS (
    SELECT board, nickname, dt, min(rank) AS rank, max(follower_count) AS followers
    FROM billboard_creators
    GROUP BY ALL
)
SELECT
    board,
    nickname AS creator,
    arg_min(rank, dt) AS first,
    arg_max(rank, dt) AS last,
    arg_min(rank, dt) - arg_max(rank, dt) AS climbed,
    count(*) AS days,
    arg_max(followers, dt) AS followers
FROM daily
GROUP BY board, nickname
HAVING count(*) >= 3
ORDER BY climbed DESC, last, board
LIMIT 8;
