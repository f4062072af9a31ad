-- 近 7 天粉丝在问什么、要什么？ What did commenters ask and want in seven days, with examples?
SELECT need, sum(comments) AS comments, sum(questions) AS questions, round(sum(sentiment_mean * comments) / nullif(sum(comments) FILTER (sentiment_mean IS NOT NULL), 0), 2) AS mood, arg_max(examples, likes_of_comments) AS examples
FROM marts.comment_needs
WHERE created_date > (SELECT max(created_date) - 7 FROM marts.comment_needs)
GROUP BY need
ORDER BY comments DESC;
