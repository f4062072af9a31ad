-- Comments read 评论标注
-- en: Comments written on the day, each with the needs that rules find in it, whether it asks something, and a heuristic sentiment. The text itself is masked: phones, ids and names are taken out.
-- zh: 当日写下的每条评论及其需求类别（规则）、是否提问与情感（启发式词典）；文本已脱敏。
-- grain: one row per comment written on the day and seen by the second day after
-- key: dt, client_key, open_id, item_id, comment_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookahead: 2 days
-- column text_masked: Comment, masked: as last seen, personal names and contacts taken out / 脱敏评论：最近一次内容，去除人名与联系方式
-- column needs: Needs: ids of the classes, separated by commas, in order of the rules; empty when none / 需求类别：id，逗号分隔，无则为空文本
-- column is_asking: Asks something: heuristic / 是否提问：启发式
-- column sentiment: Sentiment: -1 to 1 by a small lexicon, heuristic; null when it says nothing / 情感：-1 至 1，小词典启发式；无情感词为空
-- column terms: Words: without stop words, separated by spaces / 分词：去停用词，空格分隔
WITH written AS (
    SELECT client_key, open_id, item_id, comment_id, commenter_open_id, content, created_at, digg_count, reply_count
    FROM main.comments
    WHERE (created_at AT TIME ZONE 'Asia/Shanghai')::DATE = $dt AND content IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY client_key, open_id, item_id, comment_id ORDER BY observed_at DESC) = 1
)
SELECT $dt AS dt, client_key, open_id, item_id, comment_id, commenter_open_id, created_at, digg_count, reply_count,
       mask_personal(content) AS text_masked, array_to_string(comment_needs(content), ',') AS needs, is_question(content) AS is_asking,
       comment_sentiment(content) AS sentiment, array_to_string(zh_terms(content), ' ') AS terms
FROM written
