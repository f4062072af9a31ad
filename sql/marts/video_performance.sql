-- Videos against their account's own 视频表现
-- en: Young videos against the median of the same account's other videos at the same age: outstanding ones (爆款), abnormally low plays (限流 alarm), and how fast plays fade. Plays come from the daily series where none of its days since publication is missing, through the day or, since series come a day late, the day before; else from the lifetime total.
-- zh: 发布 30 天内的视频与同账号其他视频在相同天数时的播放中位数比较：爆款、疑似限流（播放异常低）与衰减速度。播放取自发布日起完整的每日序列（截至当日；因 T+1 可截至前一日），否则取累计值。
-- grain: one row per video that is at most 30 days old and whose plays are known through the day or the day before
-- key: dt, client_key, open_id, item_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 120 days; video_daily 120 days
-- days: video_daily
-- rows: 50 %
-- column title: Title: as last seen / 标题：最近一次
-- column published_date: Published on: Beijing day / 发布日期：北京日期
-- column age_days [d]: Age: days since the day of publication / 发布天数：自发布日起
-- column counted_until: Counted until: last day in play_count / 统计截止：play_count 计入的最后一天
-- column counted_age_days [d]: Age when counted: on that day, at which videos are compared / 统计天数：截止日的发布天数，按此比较
-- column play_count [semi-additive]: Plays so far: sum of the daily series since publication, or the lifetime total where the series has gaps / 至今播放：发布以来每日序列之和；序列有缺口时取累计值
-- column play_basis: Basis of plays: series (daily series) or total (lifetime total) / 播放来源：series 每日序列，total 累计值
-- column median_play_count: Median plays: of the account's other videos at the same age, same basis, published within 120 days; null with fewer than five / 同期中位数：同账号其他视频同天数播放（120 天内、同来源），少于 5 个为空
-- column compared_videos: Videos compared: behind the median / 参与比较视频数：中位数所含的视频
-- column ratio_to_median [ratio]: Plays against the median: of the account's other videos; null without a median, and where it is 0 / 中位数倍数：播放与同期中位数之比，无中位数或其为 0 时为空
-- column ratio_change_3d: Momentum: ratio_to_median less that of three days before, same basis and at that age; below 0 it falls behind, null where either is not known / 势头：当前中位数倍数减三日前（同来源、当时天数）的倍数，为负即后劲不足，任一未知为空
-- column is_hit: Outstanding 爆款: at least three times a median above 0, counted age of one day or more / 爆款：达到中位数（大于 0）3 倍及以上，统计满 1 天
-- column is_low_play: Abnormally low 疑似限流: at most a fifth of a median above 0, counted age of one to seven days; a hint, the platform does not say so / 播放异常低：不高于中位数（大于 0）的五分之一，统计满 1–7 天；仅为提示，平台不会明示
-- column account_hit_ratio [ratio]: Share of outstanding videos 爆款率: of the account's videos that have a ratio and are at most 30 days old; null where none has / 爆款率：账号 30 天内可比较视频中爆款的占比，无可比较视频为空
-- column peak_plays: Highest plays: of one day / 单日最高播放：发布以来
-- column peak_date: Day of the highest plays / 最高播放日：单日播放最高的日期
-- column half_life_days [d]: Half-life: days from the best day to the first day with at most half of its plays; null while it lasts, and for what nobody played / 半衰期：从最高日到首个不高于其一半的日子的天数，未到或从无播放为空
WITH known AS (
    SELECT client_key, open_id, item_id, arg_max(title, dt) AS title, arg_max(published_date, dt) AS published_date
    FROM marts.video_daily
    WHERE published_date IS NOT NULL
    GROUP BY ALL
    HAVING max(published_date) >= $dt - 120
),
videos AS MATERIALIZED (
    -- Numbers instead of three ids: a million rows are sorted and joined by them.
    SELECT *, row_number() OVER () AS video, dense_rank() OVER (ORDER BY client_key, open_id) AS account FROM known
),
days AS (
    SELECT v.video, v.account, d.dt, d.dt - v.published_date AS age_days, d.plays, d.play_count AS total
    FROM marts.video_daily AS d
    JOIN videos AS v USING (client_key, open_id, item_id)
    WHERE d.dt - v.published_date BETWEEN 0 AND 30
),
aged AS (
    -- The series counts where no day since publication is missing.
    SELECT video, account, dt, age_days, plays, total,
           CASE WHEN count(plays) OVER life = age_days + 1 THEN sum(plays) OVER life END AS from_series
    FROM days
    WINDOW life AS (PARTITION BY video ORDER BY dt)
),
based AS (
    SELECT video, account, client_key, open_id, item_id, title, published_date, dt AS counted_until, age_days, coalesce(from_series, total) AS play_count,
           CASE WHEN from_series IS NOT NULL THEN 'series' ELSE 'total' END AS play_basis
    FROM aged
    JOIN videos USING (video, account)
    WHERE published_date >= $dt - 30 AND ((from_series IS NOT NULL AND dt >= $dt - 1) OR (total IS NOT NULL AND dt = $dt))
    QUALIFY row_number() OVER (PARTITION BY video ORDER BY from_series IS NULL, dt DESC) = 1
),
others AS (
    SELECT video, account, age_days, 'series' AS play_basis, from_series AS play_count FROM aged WHERE from_series IS NOT NULL
    UNION ALL
    SELECT video, account, age_days, 'total', total FROM aged WHERE total IS NOT NULL
),
points AS (
    SELECT video, account, age_days, play_basis, play_count, 0 AS days_before FROM based
    UNION ALL
    SELECT b.video, b.account, o.age_days, o.play_basis, o.play_count, 3
    FROM based AS b
    JOIN others AS o ON o.video = b.video AND o.age_days = b.age_days - 3 AND o.play_basis = b.play_basis
),
medians AS (
    SELECT p.video, p.days_before, any_value(p.play_count) AS play_count, count(*) AS compared_videos, median(o.play_count) AS median_play_count
    FROM points AS p
    JOIN others AS o ON o.account = p.account AND o.age_days = p.age_days AND o.play_basis = p.play_basis AND o.video <> p.video
    GROUP BY p.video, p.days_before
),
peaks AS (SELECT video, max(plays) AS peak_plays, arg_min(dt, (-plays, dt)) AS peak_date FROM aged WHERE plays IS NOT NULL GROUP BY ALL),
fading AS (
    SELECT p.video, min(a.dt) - any_value(p.peak_date) AS half_life_days
    FROM peaks AS p
    JOIN aged AS a USING (video)
    WHERE p.peak_plays > 0 AND a.dt > p.peak_date AND a.plays * 2 <= p.peak_plays
    GROUP BY ALL
),
judged AS (
    SELECT b.*, m.compared_videos, CASE WHEN m.compared_videos >= 5 THEN m.median_play_count END AS median_play_count,
           CASE WHEN e.compared_videos >= 5 THEN e.play_count / nullif(e.median_play_count, 0) END AS ratio_before
    FROM based AS b
    LEFT JOIN medians AS m ON m.video = b.video AND m.days_before = 0
    LEFT JOIN medians AS e ON e.video = b.video AND e.days_before = 3
),
rated AS (
    -- Where half of the others have no plays at all, every video would be outstanding, and one without plays abnormally low as well.
    SELECT *, round(play_count / nullif(median_play_count, 0), 4) AS ratio_to_median, round(play_count / nullif(median_play_count, 0) - ratio_before, 4) AS ratio_change_3d,
           coalesce(age_days >= 1 AND median_play_count > 0 AND play_count >= 3 * median_play_count, false) AS is_hit,
           coalesce(age_days BETWEEN 1 AND 7 AND median_play_count > 0 AND play_count * 5 <= median_play_count, false) AS is_low_play
    FROM judged
)
SELECT $dt AS dt, r.client_key, r.open_id, r.item_id, r.title, r.published_date, $dt - r.published_date AS age_days, r.counted_until, r.age_days AS counted_age_days, r.play_count, r.play_basis, r.median_play_count, coalesce(r.compared_videos, 0) AS compared_videos,
       r.ratio_to_median, r.ratio_change_3d, r.is_hit, r.is_low_play,
       round(count(*) FILTER (r.is_hit) OVER account / nullif(count(r.ratio_to_median) OVER account, 0), 4) AS account_hit_ratio,
       p.peak_plays, p.peak_date, f.half_life_days
FROM rated AS r
LEFT JOIN peaks AS p USING (video)
LEFT JOIN fading AS f USING (video)
WINDOW account AS (PARTITION BY r.account)
