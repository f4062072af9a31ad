-- Videos day by day 视频日报
-- en: Every video that was observed on the day or has a series for it: lifetime totals as last observed, what they grew by since the observation before, and the platform's own numbers of the day.
-- zh: 当日被采集或有当日序列的每个视频：累计值（当日最后一次采集）、较上次采集的增量，以及平台当日统计值。
-- grain: one row per video observed on the day or with a series for it
-- key: dt, client_key, open_id, item_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 7 days; item_play 0 days; item_like 0 days; item_comment 0 days; item_share 0 days
-- days: video_totals, item_play
-- rows: 20 %
-- column title: Title: as last seen within 7 days / 标题：7 天内最近一次
-- column published_date: Published on: Beijing day; null when the platform hides it / 发布日期：北京日期，平台隐藏时为空
-- column age_days [d]: Age: days since the day of publication; 0 on that day / 发布天数：发布当日为 0
-- column totals_at: Totals observed at: last observation of the day / 累计值时间：当日最后一次采集
-- column before_at: Observation before: last one of the nearest earlier day within a week / 上次采集时间：一周内最近一天的最后一次
-- column play_delta [additive]: Plays gained: since the observation before; negative when the platform took plays away, null without such an observation / 播放增量：较上次采集；平台核减时为负，无上次采集为空
-- column digg_delta [additive]: Likes gained: since the observation before / 点赞增量：较上次采集
-- column comment_delta [additive]: Comments gained: since the observation before / 评论增量：较上次采集
-- column share_delta [additive]: Shares gained: since the observation before / 分享增量：较上次采集
WITH totals AS (
    SELECT *
    FROM main.video_totals
    QUALIFY row_number() OVER (PARTITION BY client_key, open_id, item_id, dt ORDER BY observed_at DESC) = 1
),
today AS (SELECT * FROM totals WHERE dt = $dt),
before AS (
    SELECT * FROM totals WHERE dt < $dt QUALIFY row_number() OVER (PARTITION BY client_key, open_id, item_id ORDER BY dt DESC) = 1
),
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
)
SELECT $dt AS dt, k.client_key, k.open_id, k.item_id, a.title, a.media_type,
       (a.created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS published_date,
       $dt - (a.created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS age_days,
       t.play_count, t.digg_count, t.comment_count, t.share_count, t.observed_at AS totals_at, b.observed_at AS before_at,
       t.play_count - b.play_count AS play_delta, t.digg_count - b.digg_count AS digg_delta, t.comment_count - b.comment_count AS comment_delta, t.share_count - b.share_count AS share_delta,
       p.plays, l.likes, c.comments, s.shares
FROM known AS k
LEFT JOIN about AS a USING (client_key, open_id, item_id)
LEFT JOIN today AS t USING (client_key, open_id, item_id)
LEFT JOIN before AS b USING (client_key, open_id, item_id)
LEFT JOIN main.item_play AS p USING (client_key, open_id, item_id)
LEFT JOIN main.item_like AS l USING (client_key, open_id, item_id)
LEFT JOIN main.item_comment AS c USING (client_key, open_id, item_id)
LEFT JOIN main.item_share AS s USING (client_key, open_id, item_id)
