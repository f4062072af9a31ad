{# The list is the same for all apps, so one of them is shown. #}
(
    SELECT client_key
    FROM marts.hot_words_now
    WHERE dt = $day
    GROUP BY client_key
    ORDER BY max(listed_at) DESC, client_key
    LIMIT 1
)
