-- Keywords of comments 评论关键词
-- en: The words that mark the account's comments of the last seven days against its own comments of the 60 days before (TF-IDF over days): frequent now, rare before.
-- zh: 账号近 7 天评论相对其此前 60 天历史的关键词（以天为文档的 TF-IDF）：现在频繁、以前少见。
-- grain: one row per account and keyword, the best 30
-- key: dt, client_key, open_id, term
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 66 days; comment_labels 6 days
-- column term: Keyword: after segmentation, without stop words / 关键词：分词后，去停用词
-- column comments [semi-additive]: Comments with it: of the last seven days / 含词评论数：近 7 天
-- column tf [ratio]: Share of comments: of all of the last seven days, those with it / 占比：近 7 天全部评论中含该词的比例
-- column history_days [d]: Days of history: of the 60 days before, those on which the account's comments had words / 历史天数：此前 60 天中评论含词的天数
-- column days_with_term [d]: Days with it: of these / 含词天数：历史中出现该词的天数
-- column score: Score: TF-IDF, tf × (1 + ln((1 + history_days)/(1 + days_with_term))); compare within one account and day only / 得分：TF-IDF，仅可在同一账号同一天内比较
-- column position: Place: among the account's keywords, 1 is first / 名次：账号关键词中的名次
WITH recent AS (
    SELECT client_key, open_id, term, sum(comments) AS comments FROM marts.comment_words WHERE dt > $dt - 7 GROUP BY ALL
),
recent_totals AS (
    -- Days whose comments are all without words have no row in comment_words, and are comments all the same.
    SELECT client_key, open_id, count(*) AS n FROM marts.comment_labels WHERE created_date = dt GROUP BY ALL
),
history AS (
    -- A word has one row a day, so rows are days: to tell the days apart took twice the time.
    SELECT client_key, open_id, term, count(dt) AS days_with_term FROM marts.comment_words WHERE dt <= $dt - 7 GROUP BY ALL
),
history_totals AS (SELECT client_key, open_id, count(DISTINCT dt) AS history_days FROM marts.comment_words WHERE dt <= $dt - 7 GROUP BY ALL),
scored AS (
    SELECT r.client_key, r.open_id, r.term, r.comments, round(r.comments / t.n, 6) AS tf, coalesce(g.history_days, 0) AS history_days, coalesce(h.days_with_term, 0) AS days_with_term,
           round(r.comments / t.n * (ln((1 + coalesce(g.history_days, 0)) / (1 + coalesce(h.days_with_term, 0))) + 1), 6) AS score
    FROM recent AS r
    JOIN recent_totals AS t USING (client_key, open_id)
    LEFT JOIN history_totals AS g USING (client_key, open_id)
    LEFT JOIN history AS h USING (client_key, open_id, term)
    WHERE r.comments >= 2
)
SELECT $dt AS dt, *, row_number() OVER (PARTITION BY client_key, open_id ORDER BY score DESC, comments DESC, term) AS position
FROM scored
QUALIFY position <= 30
