-- Topics worth a video 选题机会
-- en: Hot words of the day's last list that rise and touch what the account makes or what its commenters talk about, with the evidence: the rising ones of topic_matches, which has the words of all lists.
-- zh: 当日末榜中正在上升且与账号内容或评论相关的热点词，并附依据；取自 topic_matches（含当日全部榜单的词）。
-- grain: one row per account and rising hot word with a word in common
-- key: dt, client_key, open_id, sentence
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- days: hot_words_now
-- column rank_change: Ranks gained: against the list before; a new entry counts from below the list / 上升名次：较上一次榜单，新上榜按榜尾之后计
-- column matched_terms: Words in common: separated by spaces / 共同词：空格分隔
-- column own_videos: Own videos: of the account with one of these words, published within 60 days / 相关视频数：60 天内含这些词的自有视频
-- column best_own_title: Newest of them: its title / 相关视频标题：其中最新一条
-- column own_median_ratio [ratio]: Own performance: median of these videos' plays against the account's median at the same age; of videos up to 30 days old / 相关视频表现：这些视频（30 天内）与账号同天数中位数之比的中位数
-- column comment_mentions: Comments: of the last 14 days, today included, with the most frequent of these words; a comment may hold several, so they are not added up / 相关评论数：近 14 天（含当日）含其中最常见一词的评论；一条评论可含多词，不累加
-- column score: Score: the more ranks gained, own videos and comments, the higher; compare within one account and day only / 得分：综合上升名次、自有视频与评论数，仅可在同一账号同一天内比较
-- column evidence: Evidence: in one sentence, Chinese / 依据：一句话
SELECT $dt AS dt, client_key, t.open_id, sentence, r.rank, r.rank_change, r.hot_level, t.matched_terms, t.own_videos, t.best_own_title, t.own_median_ratio, t.comment_mentions,
       round(ln(2 + greatest(r.rank_change, 0)) * (ln(1 + t.own_videos) + 0.5 * ln(1 + t.comment_mentions)), 4) AS score,
       concat('热点第 ', r.rank, ' 名', CASE WHEN r.rank_change > 0 THEN concat('，上升 ', r.rank_change, ' 名') ELSE '' END, '；共同词：', replace(t.matched_terms, ' ', '、'),
              '；相关视频 ', t.own_videos, ' 个，相关评论 ', t.comment_mentions, ' 条') AS evidence
FROM marts.topic_matches AS t
JOIN marts.hot_words_now AS r USING (client_key, sentence)
WHERE r.is_rising
