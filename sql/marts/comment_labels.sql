-- Comments read 评论标注
-- en: Every known comment once, each with the needs that rules find in it, whether it asks something, and a heuristic sentiment. Comments seen within two days lie in the partition of the day on which they were written, others, such as those written before collection began, in that of the day on which they were first seen: count by created_date. The text itself is masked: phones, ids and names are taken out.
-- zh: 每条已知评论一行：需求类别（规则）、是否提问与情感（启发式词典）；文本已脱敏。两日内采集到的评论在其撰写日的分区，其他（如开始采集之前写下的）在首次采集日的分区：请按 created_date 统计。
-- grain: one row per comment: written on the day, or first seen on it and not in the partition of its own day
-- key: dt, client_key, open_id, item_id, comment_id
-- not null: created_date
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: all
-- lookahead: 2 days
-- covers: created_date
-- column created_date: Written on: Beijing day; the day of the first sight where the platform hides it / 撰写日期：北京日期，平台隐藏时为首次采集日
-- column text_masked: Comment, masked: as last seen by the second day after dt, personal names and contacts taken out / 脱敏评论：截至 dt 后第二日最近一次内容，去除人名与联系方式
-- column needs: Needs: ids of the classes, separated by commas, in order of the rules; empty when none / 需求类别：id，逗号分隔，无则为空文本
-- column is_asking: Asks something: heuristic / 是否提问：启发式
-- column sentiment: Sentiment: -1 to 1 by a small lexicon, heuristic; null when it says nothing / 情感：-1 至 1，小词典启发式；无情感词为空
-- column terms: Words: without stop words, separated by spaces / 分词：去停用词，空格分隔
WITH seen AS (
    -- No list of an earlier day can have a comment of $dt, but for one that was read around midnight.
    SELECT dt, client_key, open_id, item_id, comment_id, commenter_open_id, content, created_at, digg_count, reply_count, observed_at,
           (created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS created_date
    FROM main.comments
    WHERE dt >= $dt - 1 AND content IS NOT NULL
),
late AS (
    -- The partition of its own day does not have it: there is none, or it was seen more than two days after.
    SELECT DISTINCT client_key, open_id, item_id, comment_id
    FROM seen
    WHERE dt = $dt AND (created_date IS NULL OR created_date < greatest($dt - 2, least((SELECT min(dt) FROM main.comments), $dt)))
),
before AS (
    SELECT DISTINCT client_key, open_id, item_id, comment_id
    FROM main.comments
    SEMI JOIN late USING (client_key, open_id, item_id, comment_id)
    WHERE dt < $dt AND content IS NOT NULL
),
known AS (
    SELECT s.*
    FROM seen AS s
    LEFT JOIN (FROM late ANTI JOIN before USING (client_key, open_id, item_id, comment_id)) AS l USING (client_key, open_id, item_id, comment_id)
    WHERE (s.created_date = $dt AND $dt >= (SELECT min(dt) FROM main.comments)) OR l.comment_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY s.client_key, s.open_id, s.item_id, s.comment_id ORDER BY s.observed_at DESC) = 1
)
SELECT $dt AS dt, client_key, open_id, item_id, comment_id, commenter_open_id, created_at, coalesce(created_date, $dt) AS created_date, digg_count, reply_count,
       mask_personal(content) AS text_masked, array_to_string(comment_needs(content), ',') AS needs, is_question(content) AS is_asking,
       comment_sentiment(content) AS sentiment, array_to_string(zh_terms(content), ' ') AS terms
FROM known
