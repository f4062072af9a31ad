SELECT observed_at AS at, max(rank) AS length
FROM main.hot_words
WHERE dt BETWEEN $day - 2 AND $day AND client_key = {% include "_word_app.sql" %}
GROUP BY ALL
ORDER BY ALL
