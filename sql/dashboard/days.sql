SELECT min(dt) AS first, max(dt) AS last,
    max(dt) FILTER (new_play IS NOT NULL OR total_fans IS NOT NULL) AS figures,
    (SELECT max(dt) FROM marts.hot_words_now) AS words,
    (SELECT max(listed_at) FROM marts.hot_words_now
        WHERE dt = (SELECT max(dt) FROM marts.hot_words_now)) AS words_at
FROM marts.account_daily
