SELECT need, sum(comments) AS comments, sum(questions) AS questions,
    sum(likes_of_comments) AS likes_of_comments, count(DISTINCT open_id) AS accounts,
    round(sum(sentiment_mean * comments) / nullif(sum(comments) FILTER (sentiment_mean IS NOT NULL), 0),
        2) AS sentiment_mean,
    arg_max(examples, (likes_of_comments, comments, open_id)) FILTER (examples <> '') AS examples
FROM marts.comment_needs {% include "_chosen.sql" %}
WHERE created_date BETWEEN $first AND $last
GROUP BY need
ORDER BY need = 'other', comments DESC, need
