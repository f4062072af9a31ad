-- 今天各榜单新进了谁？ Who is new on the boards, and how high did they enter?
SELECT board, entry, author, rank, days_on_board, best_rank, value
FROM marts.billboard_moves
WHERE dt = (SELECT max(dt) FROM marts.billboard_moves WHERE move = 'enter') AND move = 'enter'
ORDER BY rank, board, entry_id
LIMIT 20;
