-- Moves on billboards 榜单变动
-- en: The day's last list of every billboard against the last list of the day before that has one: who entered, left, went up or down, with days on the board and the best rank so far.
-- zh: 每个榜单当日最后一次榜单与此前最近一日最后一次榜单的比较：进榜、掉榜、上升、下降，以及累计在榜天数与最高名次。
-- grain: one row per app, board and entry that is on the day's list or left it
-- key: dt, client_key, board, entry
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 90 days
-- rows: 100 %
-- column board: Billboard: name of the list; places by kind as poi_10 and the like / 榜单：名称，门店热度榜为 poi_10 等
-- column entry: Entry: displayed name or title; the platform gives no stable id, so people of one name cannot be told apart / 上榜者：昵称或标题；平台不提供稳定 id，同名无法区分
-- column rank_before: Rank before: on the last list before; null when it was not there / 上期名次：上一榜名次，不在榜为空
-- column rank: Rank: on the day's last list; null when it left / 名次：当日最后一次榜单，掉榜为空
-- column rank_change: Ranks gained: negative when it fell; null when it entered or left / 上升名次：下降为负；进榜、掉榜为空
-- column move: Move: first (no list before to compare with), enter 进榜, leave 掉榜, up 上升, down 下降, stay 持平 / 变动：first 无可比榜单，enter 进榜，leave 掉榜，up 上升，down 下降，stay 持平
-- column compared_with: Compared with: day of the list before / 对比日期：上一榜的日期
-- column days_on_board [d]: Days on the board: days with it on the last list, within 90 days / 在榜天数：90 天内日末在榜的天数
-- column best_rank: Best rank: within 90 days / 最高名次：90 天内
-- column value: Index of the list: influence, heat or score of the entry, as the platform gives it / 榜单指数：影响力、热度或得分，平台口径
WITH entries AS (
    SELECT dt, client_key, observed_at, board, nickname AS entry, rank, effect_value AS value FROM main.billboard_creators
    UNION ALL SELECT dt, client_key, observed_at, 'hot_video', title, rank, hot_value FROM main.billboard_videos
    UNION ALL SELECT dt, client_key, observed_at, 'stars', nickname, rank, effect_value FROM main.billboard_stars
    UNION ALL SELECT dt, client_key, observed_at, 'live', nickname, rank, hot_value FROM main.billboard_live
    UNION ALL SELECT dt, client_key, observed_at, 'topic', title, rank, effect_value FROM main.billboard_topics
    UNION ALL SELECT dt, client_key, observed_at, 'prop', prop_name, rank, effect_value FROM main.billboard_props
    UNION ALL SELECT dt, client_key, observed_at, 'music_' || board, title, rank, use_count FROM main.billboard_music
    UNION ALL SELECT dt, client_key, observed_at, 'poi_' || poi_category, poi_name, rank, score FROM main.poi_billboard
),
last_lists AS (SELECT client_key, board, dt, max(observed_at) AS observed_at FROM entries GROUP BY ALL),
daily AS (
    SELECT e.dt, e.client_key, e.board, e.entry, min(e.rank) AS rank, max(e.value) AS value
    FROM entries AS e
    JOIN last_lists USING (client_key, board, dt, observed_at)
    WHERE e.entry IS NOT NULL
    GROUP BY ALL
),
compared AS (
    SELECT client_key, board, max(dt) FILTER (dt < $dt) AS compared_with
    FROM last_lists
    GROUP BY ALL
    HAVING bool_or(dt = $dt)
),
careers AS (SELECT client_key, board, entry, count(*) AS days_on_board, min(rank) AS best_rank FROM daily GROUP BY ALL),
now AS (SELECT * FROM daily WHERE dt = $dt),
before AS (SELECT d.* FROM daily AS d JOIN compared AS c ON c.client_key = d.client_key AND c.board = d.board AND c.compared_with = d.dt)
SELECT $dt AS dt, client_key, board, entry, b.rank AS rank_before, n.rank, b.rank - n.rank AS rank_change,
       CASE
           WHEN c.compared_with IS NULL THEN 'first'
           WHEN n.rank IS NULL THEN 'leave'
           WHEN b.rank IS NULL THEN 'enter'
           WHEN n.rank < b.rank THEN 'up'
           WHEN n.rank > b.rank THEN 'down'
           ELSE 'stay'
       END AS move,
       c.compared_with, k.days_on_board, k.best_rank, n.value
FROM now AS n
FULL JOIN before AS b USING (client_key, board, entry)
JOIN compared AS c USING (client_key, board)
JOIN careers AS k USING (client_key, board, entry)
