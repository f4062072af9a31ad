-- Life of hot words 热点词生命周期
-- en: Each hot word as it was known at the end of the day: when it was first and last seen on the list, its best rank and highest heat, hours on the list, how fast it climbed, and how often it came back.
-- zh: 截至当日每个热点词的生命周期：首次与最近上榜、最高名次与热度、在榜时长、上升速度、重新上榜次数。
-- grain: one row per app and hot word that was on the list on the day or in the six days before
-- key: dt, client_key, sentence
-- owner: team:data-platform
-- cadence: hourly
-- mode: incremental
-- lookback: 60 days
-- rows: 100 %
-- column first_seen_at: First seen: first observation on the list within 60 days / 首次上榜：60 天内首次在榜的采集时间
-- column last_seen_at: Last seen: latest observation on the list / 最近在榜：最近一次在榜的采集时间
-- column is_on_board: On the list: it is on the day's last list / 是否在榜：当日最后一次榜单中是否仍在榜
-- column best_rank: Best rank: 1 is the highest / 最高名次：1 为第一
-- column best_rank_at: Best rank at: when it first reached that rank / 最高名次时间：首次达到最高名次的时间
-- column peak_hot_level: Highest heat: the platform's own scale / 热度峰值：平台口径
-- column peak_at: Highest heat at: when that was first seen / 热度峰值时间：首次出现该峰值的时间
-- column lists_on_board: Lists with it: observations in which it was on the list / 在榜次数：在榜的采集次数
-- column hours_on_board [h]: Hours on the list: from each list with it to the next list, at most three hours each, since nobody looked in between; the last list counts when the next one comes / 在榜时长：每次在榜到下一次采集的时长之和，单次最多计 3 小时
-- column first_rank: First rank: rank at first sight / 首次名次：首次上榜时的名次
-- column last_rank: Last rank: rank when last seen / 最近名次：最近一次在榜的名次
-- column climb_per_hour [ranks/h]: Velocity: ranks gained per hour from first sight to the best rank; null where it never climbed / 上升速度：从首次上榜到最高名次每小时上升的名次，未上升为空
-- column re_entries: Re-entries: times it came back after a list without it / 重新上榜次数：掉榜后再次上榜的次数
WITH seen AS (
    SELECT client_key, sentence, observed_at, min(rank) AS rank, max(hot_level) AS hot_level
    FROM main.hot_words
    GROUP BY ALL
),
lists AS (
    SELECT client_key, observed_at, row_number() OVER app AS number, lead(observed_at) OVER app AS next_at
    FROM (SELECT DISTINCT client_key, observed_at FROM seen)
    WINDOW app AS (PARTITION BY client_key ORDER BY observed_at)
),
placed AS (
    SELECT s.*, l.number, l.next_at,
           l.number - lag(l.number) OVER (PARTITION BY client_key, sentence ORDER BY l.number) > 1 AS is_back
    FROM seen AS s
    JOIN lists AS l USING (client_key, observed_at)
),
lives AS (
    SELECT client_key, sentence,
           min(observed_at) AS first_seen_at,
           max(observed_at) AS last_seen_at,
           min(rank) AS best_rank,
           arg_min(observed_at, (rank, observed_at)) AS best_rank_at,
           max(hot_level) AS peak_hot_level,
           arg_min(observed_at, (-hot_level, observed_at)) AS peak_at,
           count(*) AS lists_on_board,
           sum(CASE WHEN next_at IS NOT NULL THEN least(epoch_us(next_at) - epoch_us(observed_at), 10800000000) END) AS us_on_board,
           arg_min(rank, observed_at) AS first_rank,
           arg_max(rank, observed_at) AS last_rank,
           count(*) FILTER (is_back) AS re_entries
    FROM placed
    GROUP BY client_key, sentence
),
last_lists AS (SELECT client_key, max(observed_at) AS last_list_at FROM lists GROUP BY client_key)
SELECT $dt AS dt, client_key, sentence, first_seen_at, last_seen_at,
       last_seen_at = last_list_at AND (last_list_at AT TIME ZONE 'Asia/Shanghai')::DATE = $dt AS is_on_board,
       best_rank, best_rank_at, peak_hot_level, peak_at, lists_on_board,
       round(coalesce(us_on_board, 0) / 3600000000, 4) AS hours_on_board,
       first_rank, last_rank,
       CASE WHEN first_rank > best_rank THEN round((first_rank - best_rank) / ((epoch_us(best_rank_at) - epoch_us(first_seen_at)) / 3600000000), 4) END AS climb_per_hour,
       re_entries
FROM lives
JOIN last_lists USING (client_key)
WHERE (last_seen_at AT TIME ZONE 'Asia/Shanghai')::DATE >= $dt - 6
