SELECT board, left(entry, 120) AS entry, move, rank, rank_before, rank_change, days_on_board, best_rank,
    {{ strength }} AS strength
FROM marts.billboard_moves WHERE dt = $day AND move IN {{ moves }}
QUALIFY client_key = min(client_key) OVER (PARTITION BY board)
    AND row_number() OVER (PARTITION BY client_key, board ORDER BY strength DESC, entry_id) <= 2
ORDER BY strength DESC, board, entry_id LIMIT 8
