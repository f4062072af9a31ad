WITH lives AS (
    SELECT *
    FROM marts.hot_word_lifecycle
    WHERE {% if like %}dt BETWEEN $first AND $last AND contains(lower(sentence), lower($like)){% else %}
        dt = (SELECT max(dt) FROM marts.hot_word_lifecycle WHERE dt BETWEEN $first AND $last) AND is_on_board{% endif %}

    QUALIFY row_number() OVER (PARTITION BY sentence ORDER BY dt DESC, last_seen_at DESC, client_key) = 1
),
now AS (
    SELECT *
    FROM marts.hot_words_now
    WHERE dt = (SELECT max(dt) FROM marts.hot_words_now WHERE dt BETWEEN $first AND $last)
)

SELECT n.rank, l.sentence, n.rank_change, n.hot_level, n.is_new, n.is_rising, l.best_rank, l.peak_hot_level,
    l.hours_on_board, l.re_entries,
    strftime(l.first_seen_at, '%m-%d %H:%M') AS first_seen_at,
    strftime(l.last_seen_at, '%m-%d %H:%M') AS last_seen_at, l.client_key
FROM lives AS l LEFT JOIN now AS n USING (client_key, sentence)
ORDER BY n.rank NULLS LAST, l.last_seen_at DESC, l.sentence
LIMIT {{ most }}
