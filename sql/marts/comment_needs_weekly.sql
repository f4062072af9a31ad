-- What fans want week by week 粉丝需求周报
-- en: Needs in all known comments per account and ISO week (Beijing days) in which they were written: comments, people each once, questions and mean heuristic sentiment. A comment may have several needs; other holds those without one. account_people counts each person of the account and week once, whatever they want.
-- zh: 按账号与评论撰写的自然周（北京日期）统计全部已知评论中的需求：评论数、去重人数、提问数与平均情感（启发式）。一条评论可有多类需求；other 为未识别。account_people 为账号该周去重评论人数，不论需求。
-- grain: one row per account, week of writing and need
-- key: client_key, open_id, week_start, need
-- not null: name, is_running
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column week_start: Week: its Monday / 周：周一日期
-- column iso_week: ISO week: such as 2026-W47 / ISO 周：如 2026-W47
-- column name: Name: present name of dim_accounts / 账号名称：dim_accounts 的当前名称
-- column need: Need: id of the class in needs/rules.yaml, or other / 需求类别：id（见 needs/rules.yaml），未识别为 other
-- column comments [semi-additive]: Comments with it: may be summed over weeks and accounts, not over needs / 评论数：可跨周、账号求和，不可跨需求类别求和
-- column people: People: who wrote them in the week, each once; not to be summed over weeks or needs / 评论人数：该周去重；不可跨周或需求类别相加
-- column share_ratio [ratio]: Share: of account_comments / 评论占比：占账号该周评论
-- column questions [semi-additive]: Questions: comments with it that ask / 提问数：其中提问的评论
-- column sentiment_mean: Mean sentiment: of those that show one, heuristic / 平均情感：启发式，仅含有情感的评论
-- column likes_of_comments [semi-additive]: Likes of comments: that these comments got / 评论获赞：这些评论获得的点赞
-- column videos: Videos: under which they stand / 涉及视频数：评论所在的视频
-- column account_comments: Comments of the account: written in the week, each once; the same in every row of the account and week / 账号评论总数：该周评论，账号同周各行相同
-- column account_people: People of the account: who commented in the week, each once; the same in every row of the account and week / 账号评论总人数：该周去重，账号同周各行相同
-- column is_running: Running: the app's newest week here, of which more may come / 是否进行中：该应用的最新一周，可能仍有新增
WITH written AS (
    SELECT client_key, open_id, date_trunc('week', created_date)::DATE AS week_start, item_id, commenter_open_id, digg_count, is_asking, sentiment, needs FROM marts.comment_labels
),
totals AS (
    SELECT client_key, open_id, week_start, count(*) AS account_comments, count(DISTINCT commenter_open_id) AS account_people,
           week_start = max(week_start) OVER (PARTITION BY client_key) AS is_running
    FROM written
    GROUP BY client_key, open_id, week_start
),
spread AS (SELECT * EXCLUDE (needs), unnest(CASE WHEN needs = '' THEN ['other'] ELSE string_split(needs, ',') END) AS need FROM written)
SELECT s.client_key, s.open_id, s.week_start, strftime(s.week_start, '%G-W%V') AS iso_week, coalesce(any_value(a.name), s.open_id) AS name, s.need,
       count(*) AS comments, count(DISTINCT s.commenter_open_id) AS people, round(count(*) / any_value(t.account_comments), 6) AS share_ratio, count(*) FILTER (s.is_asking) AS questions,
       round(avg(round(s.sentiment * 10000)::BIGINT) / 10000, 4) AS sentiment_mean, coalesce(sum(s.digg_count), 0) AS likes_of_comments, count(DISTINCT s.item_id) AS videos,
       any_value(t.account_comments) AS account_comments, any_value(t.account_people) AS account_people, any_value(t.is_running) AS is_running
FROM spread AS s
JOIN totals AS t USING (client_key, open_id, week_start)
LEFT JOIN marts.dim_accounts AS a USING (client_key, open_id)
GROUP BY s.client_key, s.open_id, s.week_start, s.need
