-- Hot words that touch an account 相关热点
-- en: Every hot word of the day, on any of its lists, that shares a word with titles and hashtags of the account's videos of the last 60 days or with comments of the last 14: how long and how high it stood, and what it touches. Generic words (挑战, 教程, 视频 …) are no match.
-- zh: 当日任一榜单上、与账号近 60 天视频标题、话题或近 14 天评论有共同词的热点词：在榜时长、名次与相关内容。通用词（挑战、教程、视频等）不算匹配。
-- grain: one row per account and hot word of the day with a word in common
-- key: dt, client_key, open_id, sentence
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 0 days; videos 7 days; comment_words 13 days
-- days: hot_words
-- column first_seen_at: First seen: first list of the day with it / 首次在榜：当日首次在榜的榜单时间
-- column last_seen_at: Last seen: last list of the day with it / 最近在榜：当日最后在榜的榜单时间
-- column lists_on_board: Lists with it: of the day / 在榜次数：当日在榜的采集次数
-- column hours_on_board [h]: Hours on the list: of the day, from each list with it to the next list, at most three hours each; the day's last list counts nothing / 在榜时长：当日每次在榜到下一次采集的时长之和，单次最多计 3 小时，当日最后一次不计
-- column best_rank: Best rank: of the day / 最高名次：当日
-- column is_on_last_list: On the last list: of the day / 是否在末榜：当日最后一次榜单中是否在榜
-- column matched_terms: Words in common: separated by spaces / 共同词：空格分隔
-- column own_videos: Own videos: of the account with one of these words, published within 60 days / 相关视频数：60 天内含这些词的自有视频
-- column best_own_title: Newest of them: its title / 相关视频标题：其中最新一条
-- column own_median_ratio [ratio]: Own performance: median of these videos' plays against the account's median at the same age; of videos up to 30 days old / 相关视频表现：这些视频（30 天内）与账号同天数中位数之比的中位数
-- column comment_mentions: Comments: of the last 14 days, today included, with the most frequent of these words; a comment may hold several, so they are not added up / 相关评论数：近 14 天（含当日）含其中最常见一词的评论；一条评论可含多词，不累加
WITH seen AS (SELECT client_key, sentence, observed_at, min(rank) AS rank FROM main.hot_words GROUP BY ALL),
lists AS (
    SELECT client_key, observed_at, lead(observed_at) OVER (PARTITION BY client_key ORDER BY observed_at) AS next_at
    FROM (SELECT DISTINCT client_key, observed_at FROM seen)
),
hot AS (
    SELECT client_key, sentence, min(observed_at) AS first_seen_at, max(observed_at) AS last_seen_at, count(*) AS lists_on_board, min(rank) AS best_rank, bool_or(next_at IS NULL) AS is_on_last_list,
           round(coalesce(sum(CASE WHEN next_at IS NOT NULL THEN least(epoch_us(next_at) - epoch_us(observed_at), 10800000000) END), 0) / 3600000000, 4) AS hours_on_board
    FROM seen
    JOIN lists USING (client_key, observed_at)
    GROUP BY ALL
),
hot_terms AS (
    SELECT DISTINCT client_key, sentence, unnest(list_append(zh_terms(sentence), sentence)) AS term FROM hot
),
telling_terms AS (
    -- What half of all videos could be called says nothing about the account.
    FROM hot_terms
    WHERE term NOT IN (
        '挑战', '教程', '视频', '直播', '分享', '推荐', '合集', '攻略', '测评', '日常', '生活', '热门', '抖音', '话题', '网友', '全网', '必看', '新手', '入门', '技巧', '方法', '指南', '大全', '第一次', '开箱', '盘点'
    )
),
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
    SELECT h.client_key, t.open_id, h.sentence, h.term, t.item_id FROM telling_terms AS h JOIN own_terms AS t USING (client_key, term)
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
    SELECT h.client_key, w.open_id, h.sentence, h.term, w.comments FROM telling_terms AS h JOIN words AS w USING (client_key, term) WHERE w.comments >= 2
),
by_comments AS (SELECT client_key, open_id, sentence, max(comments) AS comment_mentions FROM matched_comments GROUP BY ALL),
terms AS (
    SELECT client_key, open_id, sentence, string_agg(term, ' ' ORDER BY term) AS matched_terms
    FROM (SELECT client_key, open_id, sentence, term FROM matched_videos UNION SELECT client_key, open_id, sentence, term FROM matched_comments)
    GROUP BY ALL
)
SELECT $dt AS dt, client_key, t.open_id, sentence, h.first_seen_at, h.last_seen_at, h.lists_on_board, h.hours_on_board, h.best_rank, h.is_on_last_list, t.matched_terms,
       coalesce(v.own_videos, 0) AS own_videos, v.best_own_title, v.own_median_ratio, coalesce(c.comment_mentions, 0) AS comment_mentions
FROM terms AS t
JOIN hot AS h USING (client_key, sentence)
LEFT JOIN by_videos AS v USING (client_key, open_id, sentence)
LEFT JOIN by_comments AS c USING (client_key, open_id, sentence)
