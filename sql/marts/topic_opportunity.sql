-- Topics worth a video 选题机会
-- en: Hot words that rise now and touch what the account makes or what its commenters talk about: words shared with titles and hashtags of its videos of the last 60 days and with comments of the last 14, with the evidence.
-- zh: 正在上升且与账号内容或评论相关的热点词：与近 60 天视频标题、话题及近 14 天评论的共同词，并附依据。
-- grain: one row per account and rising hot word with a word in common
-- key: dt, client_key, open_id, sentence
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 60 days; videos 7 days; hot_words_now 0 days; comment_words 13 days; video_performance 0 days
-- days: hot_words_now
-- column rank_change: Ranks gained: against the list before; a new entry counts from below the list / 上升名次：较上一次榜单，新上榜按榜尾之后计
-- column matched_terms: Words in common: separated by spaces / 共同词：空格分隔
-- column own_videos: Own videos: of the account with one of these words, published within 60 days / 相关视频数：60 天内含这些词的自有视频
-- column best_own_title: Newest of them: its title / 相关视频标题：其中最新一条
-- column own_median_ratio [ratio]: Own performance: median of these videos' plays against the account's median at the same age; of videos up to 30 days old / 相关视频表现：这些视频（30 天内）与账号同天数中位数之比的中位数
-- column comment_mentions: Comments: of the last 14 days, today included, with the most frequent of these words; a comment may hold several, so they are not added up / 相关评论数：近 14 天（含当日）含其中最常见一词的评论；一条评论可含多词，不累加
-- column score: Score: the more ranks gained, own videos and comments, the higher; compare within one account and day only / 得分：综合上升名次、自有视频与评论数，仅可在同一账号同一天内比较
-- column evidence: Evidence: in one sentence, Chinese / 依据：一句话
WITH rising AS (
    SELECT client_key, sentence, rank, rank_change, hot_level FROM marts.hot_words_now WHERE is_rising
),
hot_terms AS (SELECT DISTINCT client_key, sentence, unnest(list_append(zh_terms(sentence), sentence)) AS term FROM rising),
own AS (
    SELECT client_key, open_id, item_id, arg_max(title, observed_at) AS title, arg_max(created_at, observed_at) AS created_at
    FROM main.videos
    WHERE title IS NOT NULL
    GROUP BY ALL
    HAVING max((created_at AT TIME ZONE 'Asia/Shanghai')::DATE) BETWEEN $dt - 60 AND $dt
),
own_terms AS (
    SELECT DISTINCT client_key, open_id, item_id, unnest(list_concat(zh_terms(title), regexp_extract_all(title, '#([^\s#@]+)', 1))) AS term FROM own
),
matched_videos AS (
    SELECT h.client_key, t.open_id, h.sentence, h.term, t.item_id FROM hot_terms AS h JOIN own_terms AS t USING (client_key, term)
),
by_videos AS (
    SELECT m.client_key, m.open_id, m.sentence, count(DISTINCT m.item_id) AS own_videos, arg_max(o.title, (o.created_at, o.item_id)) AS best_own_title, round(median(p.ratio_to_median), 4) AS own_median_ratio
    FROM (SELECT DISTINCT client_key, open_id, sentence, item_id FROM matched_videos) AS m
    JOIN own AS o USING (client_key, open_id, item_id)
    LEFT JOIN marts.video_performance AS p USING (client_key, open_id, item_id)
    GROUP BY ALL
),
words AS (SELECT client_key, open_id, term, sum(comments) AS comments FROM marts.comment_words GROUP BY ALL),
matched_comments AS (
    SELECT h.client_key, w.open_id, h.sentence, h.term, w.comments FROM hot_terms AS h JOIN words AS w USING (client_key, term) WHERE w.comments >= 2
),
by_comments AS (SELECT client_key, open_id, sentence, max(comments) AS comment_mentions FROM matched_comments GROUP BY ALL),
terms AS (
    SELECT client_key, open_id, sentence, string_agg(term, ' ' ORDER BY term) AS matched_terms
    FROM (SELECT client_key, open_id, sentence, term FROM matched_videos UNION SELECT client_key, open_id, sentence, term FROM matched_comments)
    GROUP BY ALL
)
SELECT $dt AS dt, client_key, t.open_id, sentence, r.rank, r.rank_change, r.hot_level, t.matched_terms, coalesce(v.own_videos, 0) AS own_videos, v.best_own_title, v.own_median_ratio,
       coalesce(c.comment_mentions, 0) AS comment_mentions,
       round(ln(2 + greatest(r.rank_change, 0)) * (ln(1 + coalesce(v.own_videos, 0)) + 0.5 * ln(1 + coalesce(c.comment_mentions, 0))), 4) AS score,
       concat('热点第 ', r.rank, ' 名', CASE WHEN r.rank_change > 0 THEN concat('，上升 ', r.rank_change, ' 名') ELSE '' END, '；共同词：', replace(t.matched_terms, ' ', '、'),
              '；相关视频 ', coalesce(v.own_videos, 0), ' 个，相关评论 ', coalesce(c.comment_mentions, 0), ' 条') AS evidence
FROM terms AS t
JOIN rising AS r USING (client_key, sentence)
LEFT JOIN by_videos AS v USING (client_key, open_id, sentence)
LEFT JOIN by_comments AS c USING (client_key, open_id, sentence)
