-- Publishing rhythm 发布节奏
-- en: When the account's videos of the last 90 days were published, by weekday and hour in Beijing, and how they did against the account's own median at the same age.
-- zh: 账号近 90 天视频的发布时间（北京时间，星期与小时），以及相对账号自身同天数中位数的表现。
-- grain: one row per account, weekday and hour in which it published
-- key: dt, client_key, open_id, weekday, hour
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 90 days; videos 7 days
-- days: video_performance
-- column weekday: Weekday: 1 Monday to 7 Sunday / 星期：1 周一至 7 周日
-- column hour: Hour: Beijing, 0 to 23 / 小时：北京时间，0–23
-- column videos [semi-additive]: Videos: published then / 视频数：该时段发布
-- column judged_videos [semi-additive]: Videos judged: of these, with a median to compare with / 可比视频数：其中可与中位数比较的
-- column median_ratio [ratio]: Median against the account: of their plays over the account's median at the same age / 表现中位数：播放与账号同天数中位数之比的中位数
-- column judged_plays [semi-additive]: Plays of judged videos: so far / 可比视频播放：至今
-- column expected_plays [semi-additive]: Plays expected: sum of the account's medians at the same age for these videos / 预期播放：这些视频对应的账号同天数中位数之和
-- column pooled_ratio [ratio]: Pooled against the account: judged_plays over expected_plays; over hours and accounts sum both parts and divide / 汇总表现：可比视频播放与预期播放之比；跨时段、账号应分别求和后再除
-- column is_reliable: Reliable: at least five judged videos / 是否可靠：可比视频不少于 5 个
-- column best_title: Best video: title of the best of them / 最佳视频：其中表现最好的标题
-- column hits [semi-additive]: Outstanding 爆款: how many of them were so on any day / 爆款数：其中任一天判为爆款的
WITH published AS (
    SELECT client_key, open_id, item_id, arg_max(created_at, observed_at) AS created_at, arg_max(title, observed_at) AS title
    FROM main.videos
    WHERE created_at IS NOT NULL
    GROUP BY ALL
    HAVING max((created_at AT TIME ZONE 'Asia/Shanghai')::DATE) BETWEEN $dt - 90 AND $dt
),
results AS (
    SELECT client_key, open_id, item_id, arg_max(ratio_to_median, dt) AS ratio, arg_max(play_count, dt) FILTER (ratio_to_median IS NOT NULL) AS plays,
           arg_max(median_play_count, dt) FILTER (ratio_to_median IS NOT NULL) AS expected, bool_or(is_hit) AS is_hit
    FROM marts.video_performance
    GROUP BY ALL
)
SELECT $dt AS dt, p.client_key, p.open_id, isodow(p.created_at AT TIME ZONE 'Asia/Shanghai') AS weekday, hour(p.created_at AT TIME ZONE 'Asia/Shanghai') AS hour,
       count(*) AS videos, count(r.ratio) AS judged_videos, round(median(r.ratio), 4) AS median_ratio,
       sum(r.plays) AS judged_plays, sum(r.expected) AS expected_plays, round(sum(r.plays) / nullif(sum(r.expected), 0), 4) AS pooled_ratio, count(r.ratio) >= 5 AS is_reliable,
       arg_max(p.title, (coalesce(r.ratio, -1), p.item_id)) AS best_title,
       count(*) FILTER (r.is_hit) AS hits
FROM published AS p
LEFT JOIN results AS r USING (client_key, open_id, item_id)
GROUP BY ALL
