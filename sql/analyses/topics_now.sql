-- 现在有哪些热点与我们的账号有关？ Which rising hot words touch what our accounts make or what their commenters talk about?
SELECT sentence AS word, rank, rank_change, count(DISTINCT open_id) AS accounts, any_value(matched_terms) AS words_in_common, max(own_videos) AS own_videos, max(comment_mentions) AS comments, round(max(score), 2) AS score
FROM marts.topic_opportunity
WHERE dt >= (SELECT max(dt) - 2 FROM marts.topic_opportunity)
GROUP BY ALL
ORDER BY score DESC, word
LIMIT 15;
