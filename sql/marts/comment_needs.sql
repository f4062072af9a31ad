-- What fans want 粉丝需求
-- en: Needs in comments per account and day on which they were written: how many comments and people, how many ask, the mean heuristic sentiment, and the most liked examples, masked. A comment may have several needs; other holds those without one. Comments first seen late lie in a later partition dt than their created_date, so counts of a day are summed over dt.
-- zh: 账号各撰写日评论中的需求：评论数、人数、提问数、平均情感（启发式）与点赞最多的示例（已脱敏）。一条评论可有多类需求；other 为未识别。较晚采集到的评论所在分区 dt 晚于 created_date，统计某日需对 dt 求和。
-- grain: one row per account, day of writing and need, of the comments of the partition
-- key: dt, client_key, open_id, created_date, need
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- covers: created_date
-- column created_date: Written on: Beijing day of these comments, dt or, first seen late, before / 撰写日期：这些评论的北京日期，为 dt 或（较晚采集）更早
-- column need: Need: id of the class in needs/rules.yaml, or other / 需求类别：id（见 needs/rules.yaml），未识别为 other
-- column comments [semi-additive]: Comments with it: of the day of writing / 评论数：该撰写日含该需求
-- column people: People: who wrote them; the same person may have other needs and days, too / 评论人数：不可跨类别或日期相加
-- column share_ratio [ratio]: Share: of the account's comments of this created_date and dt / 评论占比：占账号该撰写日与分区的评论
-- column questions [semi-additive]: Questions: comments with it that ask / 提问数：其中提问的评论
-- column sentiment_mean: Mean sentiment: of those that show one, heuristic / 平均情感：启发式，仅含有情感的评论
-- column likes_of_comments [semi-additive]: Likes of comments: that these comments got / 评论获赞：这些评论获得的点赞
-- column videos: Videos: under which they stand / 涉及视频数：评论所在的视频
-- column examples: Examples: the three most liked, masked, one a line / 示例：点赞最多的三条（脱敏），每行一条
WITH labelled AS (
    -- An example is one line, whatever its writer did.
    SELECT * REPLACE (regexp_replace(text_masked, '\s+', ' ', 'g') AS text_masked) FROM marts.comment_labels
),
spread AS (
    SELECT client_key, open_id, created_date, item_id, comment_id, commenter_open_id, digg_count, text_masked, is_asking, sentiment,
           unnest(CASE WHEN needs = '' THEN ['other'] ELSE string_split(needs, ',') END) AS need
    FROM labelled
),
totals AS (SELECT client_key, open_id, created_date, count(*) AS n FROM labelled GROUP BY ALL),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY client_key, open_id, created_date, need, text_masked ORDER BY coalesce(digg_count, 0) DESC, comment_id) AS same
    FROM spread
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY client_key, open_id, created_date, need, same = 1 ORDER BY coalesce(digg_count, 0) DESC, length(text_masked) DESC, comment_id) AS place FROM ranked
)
SELECT $dt AS dt, p.client_key, p.open_id, p.created_date, p.need, count(*) AS comments, count(DISTINCT p.commenter_open_id) AS people, round(count(*) / any_value(t.n), 6) AS share_ratio,
       count(*) FILTER (p.is_asking) AS questions, round(avg(round(p.sentiment * 10000)::BIGINT) / 10000, 4) AS sentiment_mean, coalesce(sum(p.digg_count), 0) AS likes_of_comments,
       count(DISTINCT p.item_id) AS videos, string_agg(p.text_masked, chr(10) ORDER BY p.place) FILTER (p.same = 1 AND p.place <= 3) AS examples
FROM placed AS p
JOIN totals AS t USING (client_key, open_id, created_date)
GROUP BY ALL
