-- Videos day by day 视频日报
-- en: Every video that was observed on the day or has a series for it: lifetime totals as last observed, what they grew by since the observation before or, of new videos, since their publication, and the platform's own numbers of the day.
-- zh: 当日被采集或有当日序列的每个视频：累计值（当日最后一次采集）、较上次采集（新视频自发布起）的增量，以及平台当日统计值。
-- grain: one row per video observed on the day or with a series for it
-- key: dt, client_key, open_id, item_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 7 days; item_play 0 days; item_like 0 days; item_comment 0 days; item_share 0 days
-- days: video_totals, item_play
-- names: title dim_videos.title
-- rows: 20 %
-- column title: Title: the present title of dim_videos on every day; in the lake as last seen within the 7 days before / 标题：dim_videos 的当前标题（各日相同）；数据湖中为此前 7 天内最近一次
-- column published_date: Published on: Beijing day; null when the platform hides it / 发布日期：北京日期，平台隐藏时为空
-- column age_days [d]: Age: days since the day of publication; 0 on that day / 发布天数：发布当日为 0
-- column totals_at: Totals observed at: last observation of the day, the end of what the deltas span / 累计值时间：当日最后一次采集，增量的终点
-- column before_at: Observation before: last one of the nearest earlier day within a week / 上次采集时间：一周内最近一天的最后一次
-- column delta_basis: Basis of the deltas: observation (since before_at), or published (first sight of a video published after a list of its account within a week: since its publication, from 0); null without deltas / 增量基准：observation 为自上次采集，published 为首次采集且发布于该账号一周内的某次列表之后，自发布起从 0 计；无增量为空
-- column delta_since: Deltas since: begin of what the deltas span, before_at or the instant of publication / 增量起点：上次采集时间或发布时间
-- column play_delta [additive]: Plays gained: from delta_since to totals_at; negative when the platform took plays away, null without a delta_basis / 播放增量：自增量起点至累计值时间；平台核减时为负，无增量基准为空
-- column digg_delta [additive]: Likes gained: from delta_since to totals_at / 点赞增量：自增量起点至累计值时间
-- column comment_delta [additive]: Comments gained: from delta_since to totals_at / 评论增量：自增量起点至累计值时间
-- column share_delta [additive]: Shares gained: from delta_since to totals_at / 分享增量：自增量起点至累计值时间
WITH totals AS (
    SELECT *
    FROM main.video_totals
    QUALIFY row_number() OVER (PARTITION BY client_key, open_id, item_id, dt ORDER BY observed_at DESC) = 1
),
today AS (SELECT * FROM totals WHERE dt = $dt),
before AS (
    SELECT * FROM totals WHERE dt < $dt QUALIFY row_number() OVER (PARTITION BY client_key, open_id, item_id ORDER BY dt DESC) = 1
),
lists AS (SELECT client_key, open_id, min(observed_at) AS first_at FROM totals WHERE dt < $dt GROUP BY ALL),
about AS (
    SELECT client_key, open_id, item_id, arg_max(title, observed_at) AS title, arg_max(created_at, observed_at) AS created_at, arg_max(media_type, observed_at) AS media_type
    FROM main.videos
    GROUP BY ALL
),
known AS (
    SELECT client_key, open_id, item_id FROM today
    UNION SELECT client_key, open_id, item_id FROM main.item_play
    UNION SELECT client_key, open_id, item_id FROM main.item_like
    UNION SELECT client_key, open_id, item_id FROM main.item_comment
    UNION SELECT client_key, open_id, item_id FROM main.item_share
),
bases AS (
    -- Of a video published after a list of its account and never seen before, nothing was counted at its publication.
    SELECT t.client_key, t.open_id, t.item_id, b.observed_at AS before_at,
           CASE WHEN b.item_id IS NOT NULL THEN 'observation' WHEN a.created_at > l.first_at THEN 'published' END AS delta_basis,
           b.play_count, b.digg_count, b.comment_count, b.share_count
    FROM today AS t
    LEFT JOIN before AS b USING (client_key, open_id, item_id)
    LEFT JOIN about AS a USING (client_key, open_id, item_id)
    LEFT JOIN lists AS l USING (client_key, open_id)
)
SELECT $dt AS dt, k.client_key, k.open_id, k.item_id, a.title, a.media_type,
       (a.created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS published_date,
       $dt - (a.created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS age_days,
       t.play_count, t.digg_count, t.comment_count, t.share_count, t.observed_at AS totals_at, b.before_at, b.delta_basis,
       CASE b.delta_basis WHEN 'observation' THEN b.before_at WHEN 'published' THEN a.created_at END AS delta_since,
       t.play_count - CASE b.delta_basis WHEN 'published' THEN 0 ELSE b.play_count END AS play_delta,
       t.digg_count - CASE b.delta_basis WHEN 'published' THEN 0 ELSE b.digg_count END AS digg_delta,
       t.comment_count - CASE b.delta_basis WHEN 'published' THEN 0 ELSE b.comment_count END AS comment_delta,
       t.share_count - CASE b.delta_basis WHEN 'published' THEN 0 ELSE b.share_count END AS share_delta,
       p.plays, l.likes, c.comments, s.shares
FROM known AS k
LEFT JOIN about AS a USING (client_key, open_id, item_id)
LEFT JOIN today AS t USING (client_key, open_id, item_id)
LEFT JOIN bases AS b USING (client_key, open_id, item_id)
LEFT JOIN main.item_play AS p USING (client_key, open_id, item_id)
LEFT JOIN main.item_like AS l USING (client_key, open_id, item_id)
LEFT JOIN main.item_comment AS c USING (client_key, open_id, item_id)
LEFT JOIN main.item_share AS s USING (client_key, open_id, item_id)
