SELECT board, max(dt) AS last, count(DISTINCT dt) AS days
FROM marts.billboard_moves
WHERE dt BETWEEN $first AND $last
GROUP BY board
ORDER BY board
