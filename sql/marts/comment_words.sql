-- Words of comments 评论用词
-- en: How many comments of the day use each word, per account; comments that were first seen more than two days after are not among them.
-- zh: 账号当日评论中每个词出现在多少条评论里；不含两日后才首次采集到的评论。
-- grain: one row per account and word
-- key: dt, client_key, open_id, term
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- column term: Word: after segmentation, without stop words / 词：分词后，去停用词
-- column comments [additive]: Comments with it: of the day / 含词评论数：当日
-- column day_comments [semi-additive]: Comments of the day: of the account, with or without it / 当日评论总数：账号当日全部评论
WITH words AS (
    SELECT DISTINCT client_key, open_id, item_id, comment_id, unnest(string_split(terms, ' ')) AS term FROM marts.comment_labels WHERE created_date = dt AND terms <> ''
),
totals AS (SELECT client_key, open_id, count(*) AS n FROM marts.comment_labels WHERE created_date = dt GROUP BY ALL)
SELECT $dt AS dt, client_key, open_id, term, count(*) AS comments, any_value(n) AS day_comments
FROM words
JOIN totals USING (client_key, open_id)
GROUP BY ALL
