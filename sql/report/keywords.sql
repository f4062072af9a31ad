SELECT n.nickname, k.open_id,
    list({'term': left(k.term, 40), 'comments': k.comments} ORDER BY k.position) AS terms,
    sum(k.comments) AS weight
FROM marts.comment_keywords AS k LEFT JOIN {% include "_names.sql" %} AS n USING (client_key, open_id)
WHERE k.dt = $day AND k.position <= 10 GROUP BY k.client_key, k.open_id, n.nickname
    ORDER BY weight DESC, k.open_id LIMIT 6
