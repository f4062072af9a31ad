SELECT created_date AS dt, need, sum(comments) AS comments
FROM marts.comment_needs {% include "_chosen.sql" %}
WHERE created_date BETWEEN $first AND $last
GROUP BY ALL
ORDER BY ALL
