SELECT rank, entry, author, move, rank_change, rank_before, days_on_board, best_rank, value, compared_with, dt
FROM marts.billboard_moves
WHERE board = $board AND dt = {% include "_last_list.sql" %} AND client_key = {% include "_list_app.sql" %}
ORDER BY rank NULLS LAST, rank_before, entry_id
LIMIT {{ most }}
