SELECT *, row_number() OVER (PARTITION BY is_entry ORDER BY rank_change DESC NULLS LAST, rank) AS place,
    count(*) OVER (PARTITION BY is_entry) AS all_words FROM (
    SELECT left(sentence, 120) AS sentence, rank, rank_change, is_new, is_back, label, hot_level,
        is_on_rising_list AS is_listed, first_seen_at, listed_at, coalesce(is_new OR is_back, false) AS is_entry
    FROM marts.hot_words_now WHERE dt = $day AND is_rising AND client_key = {% include "_word_app.sql" %}
) QUALIFY place <= 8 ORDER BY is_entry DESC, place
