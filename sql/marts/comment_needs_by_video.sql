-- What fans want under each video 视频粉丝需求
-- en: Needs in all known comments of each video, whenever they were written: how many comments and people, how many ask, when first and last, and the most liked examples, masked. A comment may have several needs; other holds those without one.
-- zh: 每个视频全部已知评论（不论何时写下）中的需求：评论数、人数、提问数、最早与最近时间，以及点赞最多的示例（已脱敏）。一条评论可有多类需求；other 为未识别。
-- grain: one row per video and need, over all days
-- key: client_key, open_id, item_id, need
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- covers: first_at, last_at
-- column need: Need: id of the class in needs/rules.yaml, or other / 需求类别：id（见 needs/rules.yaml），未识别为 other
-- column comments [semi-additive]: Comments with it: may be summed over videos, not over needs / 评论数：可跨视频求和，不可跨需求类别求和
-- column people: People: who wrote them; the same person may have other needs and videos, too / 评论人数：不可跨类别或视频相加
-- column questions [semi-additive]: Questions: comments with it that ask / 提问数：其中提问的评论
-- column first_at: First at: when the first of them was written / 最早时间：其中最早一条的撰写时间
-- column last_at: Last at: when the last of them was written / 最近时间：其中最近一条的撰写时间
-- column examples: Examples: the three most liked, masked, one a line / 示例：点赞最多的三条（脱敏），每行一条
WITH spread AS (
    SELECT client_key, open_id, item_id, comment_id, commenter_open_id, created_at, coalesce(digg_count, 0) AS likes, regexp_replace(text_masked, '\s+', ' ', 'g') AS example, is_asking,
           unnest(CASE WHEN needs = '' THEN ['other'] ELSE string_split(needs, ',') END) AS need
    FROM marts.comment_labels
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY client_key, open_id, item_id, need, example ORDER BY likes DESC, comment_id) AS same
    FROM spread
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY client_key, open_id, item_id, need, same = 1 ORDER BY likes DESC, length(example) DESC, comment_id) AS place FROM ranked
)
SELECT client_key, open_id, item_id, need, count(*) AS comments, count(DISTINCT commenter_open_id) AS people, count(*) FILTER (is_asking) AS questions,
       min(created_at) AS first_at, max(created_at) AS last_at, string_agg(example, chr(10) ORDER BY place) FILTER (same = 1 AND place <= 3) AS examples
FROM placed
GROUP BY ALL
