WITH lists AS (
    SELECT DISTINCT observed_at
    FROM main.hot_words
    WHERE dt BETWEEN $first AND $last AND client_key = $client_key
),
listed AS (
    SELECT observed_at, min(rank) AS rank, max(hot_level) AS hot_level
    FROM main.hot_words
    WHERE dt BETWEEN $first AND $last AND client_key = $client_key AND sentence = $sentence
    GROUP BY ALL
)

SELECT strftime(observed_at, '%Y-%m-%dT%H:%M:%S') AS at, rank, hot_level
FROM lists LEFT JOIN listed USING (observed_at)
WHERE observed_at BETWEEN (SELECT min(observed_at) FROM listed) AND (SELECT max(observed_at) FROM listed)
ORDER BY observed_at
