-- 我们关注的搜索词下，谁的视频排在前面、涨得快？ Under the words that we watch, whose videos stand in front, and whose likes grow? Plays of others may be sent as 0, so likes are compared.
WITH seen AS (
    SELECT keyword, item_id, any_value(title) AS title, any_value(nickname) AS author, bool_or(author_open_id IN (SELECT open_id FROM meta.accounts)) AS ours, count(DISTINCT dt) AS days,
        min(rank) AS best_rank, arg_max(rank, observed_at) AS last_rank, arg_min(digg_count, observed_at) AS first_likes, arg_max(digg_count, observed_at) AS last_likes
    FROM search_videos
    WHERE dt > (SELECT max(dt) - 7 FROM search_videos)
    GROUP BY keyword, item_id
)
SELECT keyword, author, title, ours, days, best_rank, last_rank, last_likes AS likes, last_likes - first_likes AS likes_gained
FROM seen
ORDER BY keyword, likes_gained DESC, best_rank, item_id
LIMIT 20;
