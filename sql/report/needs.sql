WITH spread AS (
    SELECT text_masked, coalesce(digg_count, 0) AS likes, is_asking, sentiment, commenter_open_id, client_key,
        unnest(CASE WHEN needs = '' THEN ['other'] ELSE string_split(needs, ',') END) AS need
    FROM marts.comment_labels WHERE created_date BETWEEN $day - 6 AND $day
),
counted AS (
    SELECT need, count(*) AS comments, count(DISTINCT (client_key, commenter_open_id)) AS people,
        count(*) FILTER (is_asking) AS questions, avg(sentiment) AS sentiment, sum(likes) AS likes FROM spread
        GROUP BY ALL
),
examples AS (
    SELECT need, list(left(text_masked, 80)
        ORDER BY likes DESC, length(text_masked) DESC, text_masked) AS examples FROM (
        SELECT need, text_masked, max(likes) AS likes FROM spread WHERE text_masked <> ''
            GROUP BY need, text_masked
        QUALIFY row_number() OVER (PARTITION BY need
            ORDER BY max(likes) DESC, length(text_masked) DESC, text_masked) <= 3
    ) GROUP BY ALL
)
SELECT *, (SELECT count(*) FROM marts.comment_labels
    WHERE created_date BETWEEN $day - 6 AND $day) AS all_comments
FROM counted LEFT JOIN examples USING (need) ORDER BY need = 'other', comments DESC, need
