SELECT count(DISTINCT board) AS boards, count(*) FILTER (move = 'enter') AS entered,
    count(*) FILTER (move = 'leave') AS gone, count(DISTINCT board) FILTER (move = 'first') AS first_lists
FROM (FROM marts.billboard_moves WHERE dt = $day QUALIFY client_key = min(client_key) OVER (PARTITION BY board))
    HAVING count(*) > 0
