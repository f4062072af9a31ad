SELECT left(sentence, 120) AS sentence, observed_at AS at, min(rank) AS rank FROM main.hot_words
    WHERE dt BETWEEN $day - 2 AND $day AND client_key = {% include "_word_app.sql" %}
   AND sentence IN (SELECT sentence FROM marts.hot_words_now WHERE dt = $day AND is_rising) GROUP BY ALL
       ORDER BY ALL
