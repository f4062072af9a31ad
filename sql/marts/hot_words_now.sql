-- Hot words now 当前热点词
-- en: The day's last list of hot words, each compared with the list before and with the list about a day earlier: new entries, risers, and whether the platform's own rising list names it.
-- zh: 当日最后一次热点词榜，与上一次榜单及约一天前的榜单比较：新上榜、上升，以及是否出现在官方上升词榜。
-- grain: one row per app and hot word of the day's last list
-- key: dt, client_key, sentence
-- owner: team:data-platform
-- cadence: hourly
-- mode: incremental
-- lookback: 2 days; hot_word_lifecycle 0 days
-- rows: 50 %
-- column listed_at: Listed at: when the list was observed / 榜单时间：该次榜单的采集时间
-- column rank_before: Rank before: rank in the list before; null when it was not there / 上次名次：上一次榜单中的名次，不在榜为空
-- column rank_change: Ranks gained: against the list before; a new entry counts from below the list / 上升名次：较上一次榜单，新上榜按榜尾之后计
-- column rank_day_before: Rank a day before: in the list nearest to 24 hours earlier; null when it was not there or nobody looked / 昨日名次：约 24 小时前的名次，不在榜或无采集为空
-- column hot_level_before: Heat before: heat in the list before / 上次热度：上一次榜单中的热度
-- column hot_level_ratio [ratio]: Change of heat: heat over that of the list before / 热度变化：与上一次榜单热度之比
-- column is_new: New: not in the list before, and first seen on this day / 新上榜：不在上一次榜单，且首次上榜在当日
-- column is_back: Back: not in the list before, but seen earlier / 重新上榜：不在上一次榜单，但此前上过榜
-- column is_rising: Rising: new or back, or climbed by three ranks or more, or on the platform's own rising list / 上升：新上榜、重新上榜、上升至少三名或出现在官方上升词榜
-- column is_on_rising_list: On the rising list: the platform's own list of rising words of the same hour names it / 是否官方上升词：同一小时的官方上升词榜中有该词
-- column label: Label: of the rising list; 0 none, 1 new 新, 2 recommended 推荐, 3 hot 热, 4 explosive 爆, 5 first release 首发 / 标签：上升词榜标签，0 无，1 新，2 推荐，3 热，4 爆，5 首发
-- column first_seen_at: First seen: within 60 days / 首次上榜：60 天内首次在榜的时间
-- column hours_on_board [h]: Hours on the list: so far / 在榜时长：截至当日累计
WITH observed AS (
    SELECT client_key, observed_at, sentence, min(rank) AS rank, max(hot_level) AS hot_level FROM main.hot_words GROUP BY ALL
),
lists AS (
    SELECT client_key, observed_at, lag(observed_at) OVER (PARTITION BY client_key ORDER BY observed_at) AS before_at
    FROM (SELECT DISTINCT client_key, observed_at FROM observed)
),
last_lists AS (
    SELECT client_key, observed_at AS listed_at, before_at
    FROM lists
    WHERE (observed_at AT TIME ZONE 'Asia/Shanghai')::DATE = $dt
    QUALIFY row_number() OVER (PARTITION BY client_key ORDER BY observed_at DESC) = 1
),
day_before AS (
    SELECT l.client_key, e.observed_at AS day_before_at
    FROM last_lists AS l
    JOIN lists AS e ON e.client_key = l.client_key AND e.observed_at BETWEEN l.listed_at - INTERVAL 28 HOUR AND l.listed_at - INTERVAL 20 HOUR
    QUALIFY row_number() OVER (PARTITION BY l.client_key ORDER BY abs(epoch(l.listed_at) - epoch(e.observed_at) - 86400), e.observed_at) = 1
),
rising AS (
    SELECT r.client_key, r.sentence, max(r.label) AS label
    FROM main.hot_words_rising AS r
    JOIN last_lists AS l ON l.client_key = r.client_key AND r.observed_at BETWEEN l.listed_at - INTERVAL 1 HOUR AND l.listed_at + INTERVAL 1 HOUR
    GROUP BY ALL
),
before AS (
    SELECT o.*
    FROM observed AS o
    JOIN last_lists AS l ON l.client_key = o.client_key AND l.before_at = o.observed_at
),
lengths AS (SELECT client_key, max(rank) AS last_rank FROM before GROUP BY client_key)
SELECT $dt AS dt, o.client_key, o.sentence, l.listed_at, o.rank, o.hot_level,
       b.rank AS rank_before,
       coalesce(b.rank, n.last_rank + 1) - o.rank AS rank_change,
       d.rank AS rank_day_before,
       b.hot_level AS hot_level_before,
       round(o.hot_level / nullif(b.hot_level, 0), 4) AS hot_level_ratio,
       l.before_at IS NOT NULL AND b.rank IS NULL AND (f.first_seen_at AT TIME ZONE 'Asia/Shanghai')::DATE = $dt AS is_new,
       l.before_at IS NOT NULL AND b.rank IS NULL AND (f.first_seen_at AT TIME ZONE 'Asia/Shanghai')::DATE < $dt AS is_back,
       coalesce(coalesce(b.rank, n.last_rank + 1) - o.rank >= 3, false) OR r.sentence IS NOT NULL OR (l.before_at IS NOT NULL AND b.rank IS NULL) AS is_rising,
       r.sentence IS NOT NULL AS is_on_rising_list,
       r.label, f.first_seen_at, f.hours_on_board
FROM last_lists AS l
JOIN observed AS o ON o.client_key = l.client_key AND o.observed_at = l.listed_at
LEFT JOIN before AS b ON b.client_key = o.client_key AND b.sentence = o.sentence
LEFT JOIN lengths AS n ON n.client_key = o.client_key
LEFT JOIN day_before AS y ON y.client_key = o.client_key
LEFT JOIN observed AS d ON d.client_key = o.client_key AND d.observed_at = y.day_before_at AND d.sentence = o.sentence
LEFT JOIN rising AS r ON r.client_key = o.client_key AND r.sentence = o.sentence
LEFT JOIN marts.hot_word_lifecycle AS f ON f.client_key = o.client_key AND f.sentence = o.sentence AND f.dt = $dt
