-- Moves on billboards 榜单变动
-- en: The day's last list of every billboard against the last list of the day before that has one: who entered, left, went up or down, with days on the board and the best rank so far.
-- zh: 每个榜单当日最后一次榜单与此前最近一日最后一次榜单的比较：进榜、掉榜、上升、下降，以及累计在榜天数与最高名次。
-- grain: one row per app, board and place of the day's list, or entry that left it
-- key: dt, client_key, board, entry_id
-- not null: entry, entry_kind
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 90 days
-- rows: 100 %
-- column board: Billboard: name of the list; places by kind as poi_10 and the like / 榜单：名称，门店热度榜为 poi_10 等
-- column entry_id: Entry id: of the video, track or place; of others the displayed name, with the author where there is one. #2 and on where a list has the same several times / 上榜者 id：视频、音乐或门店的 id，其他为名称（有作者则附作者）；同一榜单重复出现时加 #2 等
-- column entry: Entry: its name, else its author, else its place on the list; for display, others may have the same / 上榜者：名称，无则为作者或名次；仅供显示，可能重名
-- column entry_name: Name of the entry: displayed name or title; null where the platform gives none / 名称：昵称或标题，平台未给出为空
-- column entry_kind: Kind of entry: creator, video, star, live, topic, prop, music or poi / 类型：creator 达人，video 视频，star 明星，live 直播，topic 话题，prop 道具，music 音乐，poi 门店
-- column author: Author: of the video or track; null for other kinds / 作者：视频发布者或音乐人，其他类型为空
-- column rank_before: Rank before: on the last list before; null when it was not there / 上期名次：上一榜名次，不在榜为空
-- column rank: Rank: on the day's last list; null when it left / 名次：当日最后一次榜单，掉榜为空
-- column rank_change: Ranks gained: negative when it fell; null when it entered or left / 上升名次：下降为负；进榜、掉榜为空
-- column move: Move: first (no list before to compare with), enter 进榜, leave 掉榜, up 上升, down 下降, stay 持平, unknown (an entry without id and name) / 变动：unknown 无 id 与名称，first 无可比榜单，enter 进榜，leave 掉榜，up 上升，down 下降，stay 持平
-- column compared_with: Compared with: day of the list before / 对比日期：上一榜的日期
-- column days_on_board [d]: Days on the board: days with it on the last list, within 90 days / 在榜天数：90 天内日末在榜的天数
-- column best_rank: Best rank: within 90 days / 最高名次：90 天内
-- column value: Index of the list: influence, heat or score of the entry, as the platform gives it / 榜单指数：影响力、热度或得分，平台口径
WITH entries AS (
    SELECT dt, client_key, observed_at, board, 'creator' AS entry_kind, NULL AS id, nickname AS entry_name, NULL AS author, rank, effect_value AS value FROM main.billboard_creators
    UNION ALL SELECT dt, client_key, observed_at, 'hot_video', 'video', regexp_extract(share_url, '/share/video/([^/?#]+)', 1), title, author, rank, hot_value FROM main.billboard_videos
    UNION ALL SELECT dt, client_key, observed_at, 'stars', 'star', NULL, nickname, NULL, rank, effect_value FROM main.billboard_stars
    UNION ALL SELECT dt, client_key, observed_at, 'live', 'live', NULL, coalesce(nullif(nickname, ''), title), NULL, rank, hot_value FROM main.billboard_live
    UNION ALL SELECT dt, client_key, observed_at, 'topic', 'topic', NULL, title, NULL, rank, effect_value FROM main.billboard_topics
    UNION ALL SELECT dt, client_key, observed_at, 'prop', 'prop', NULL, prop_name, NULL, rank, effect_value FROM main.billboard_props
    UNION ALL SELECT dt, client_key, observed_at, 'music_' || board, 'music', regexp_extract(share_url, '/share/music/([^/?#]+)', 1), title, author, rank, use_count FROM main.billboard_music
    UNION ALL SELECT dt, client_key, observed_at, 'poi_' || poi_category, 'poi', poi_id, poi_name, NULL, rank, score FROM main.poi_billboard
),
last_lists AS (SELECT client_key, board, dt, max(observed_at) AS observed_at FROM entries GROUP BY ALL),
named AS (
    SELECT e.dt, e.client_key, e.board, e.entry_kind, e.rank, e.value, nullif(e.entry_name, '') AS entry_name, nullif(e.author, '') AS author,
           coalesce(nullif(e.id, ''), nullif(concat_ws(' · ', nullif(e.entry_name, ''), nullif(e.author, '')), '')) AS known_id
    FROM entries AS e
    JOIN last_lists USING (client_key, board, dt, observed_at)
),
daily AS (
    -- An entry without id and name is not the one that has its rank on another day.
    SELECT *, coalesce(entry_name, author, concat('第 ', rank, ' 名')) AS entry, known_id IS NOT NULL AS is_known,
           concat(coalesce(known_id, concat('? ', dt, ' ', rank)), CASE WHEN same > 1 THEN concat('#', same) END) AS entry_id
    FROM (SELECT *, row_number() OVER (PARTITION BY dt, client_key, board, coalesce(known_id, concat('? ', dt, ' ', rank)) ORDER BY rank) AS same FROM named)
),
compared AS (
    SELECT client_key, board, max(dt) FILTER (dt < $dt) AS compared_with
    FROM last_lists
    GROUP BY ALL
    HAVING bool_or(dt = $dt)
),
careers AS (SELECT client_key, board, entry_id, count(*) AS days_on_board, min(rank) AS best_rank FROM daily GROUP BY ALL),
now AS (SELECT * FROM daily WHERE dt = $dt),
before AS (SELECT d.* FROM daily AS d JOIN compared AS c ON c.client_key = d.client_key AND c.board = d.board AND c.compared_with = d.dt AND d.is_known)
SELECT $dt AS dt, client_key, board, entry_id, coalesce(n.entry, b.entry) AS entry, coalesce(n.entry_name, b.entry_name) AS entry_name,
       coalesce(n.entry_kind, b.entry_kind) AS entry_kind, coalesce(n.author, b.author) AS author, b.rank AS rank_before, n.rank, b.rank - n.rank AS rank_change,
       CASE
           WHEN NOT n.is_known THEN 'unknown'
           WHEN c.compared_with IS NULL THEN 'first'
           WHEN n.rank IS NULL THEN 'leave'
           WHEN b.rank IS NULL THEN 'enter'
           WHEN n.rank < b.rank THEN 'up'
           WHEN n.rank > b.rank THEN 'down'
           ELSE 'stay'
       END AS move,
       c.compared_with, k.days_on_board, k.best_rank, n.value
FROM now AS n
FULL JOIN before AS b USING (client_key, board, entry_id)
JOIN compared AS c USING (client_key, board)
JOIN careers AS k USING (client_key, board, entry_id)
