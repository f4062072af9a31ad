-- 达人榜上谁连续上升？ Which creators climbed furthest on a billboard over the loaded days?
WITH daily AS (
    SELECT board, nickname, dt, min(rank) AS rank, max(follower_count) AS followers
    FROM billboard_creators
    GROUP BY ALL
)
SELECT
    board,
    nickname AS creator,
    arg_min(rank, dt) AS first_rank,
    arg_max(rank, dt) AS last_rank,
    arg_min(rank, dt) - arg_max(rank, dt) AS climbed,
    count(*) AS days_on_board,
    arg_max(followers, dt) AS followers
FROM daily
GROUP BY board, nickname
HAVING count(*) >= 3
ORDER BY climbed DESC, last_rank, board
LIMIT 8;
