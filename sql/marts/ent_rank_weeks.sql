-- Films and series week by week 影视综周榜
-- en: The latest known list of every week for films, series and variety shows, each title with its rank of the week before, weeks on the list and best rank.
-- zh: 电影、剧集、综艺每周榜单的最新版本，含上周名次、在榜周数与最高名次。
-- grain: one row per app, kind, week and title
-- key: client_key, ent_type, week, title_id
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- covers: week, week
-- column week: Week: its Monday / 榜单周：周一日期
-- column rank_before: Rank the week before: null when it was not on that list or the list is not known / 上周名次：不在榜或无数据为空
-- column rank_change: Ranks gained: against the week before / 上升名次：较上周
-- column weeks_on_list [weeks]: Weeks on the list: so far, of the weeks that are known / 在榜周数：累计，按已知周
-- column best_rank: Best rank: so far / 最高名次：至今
-- column is_final: Final: the list was observed after its week had ended / 是否终榜：在该周结束后采集
WITH lists AS (
    SELECT client_key, ent_type, dt AS week, max(observed_at) AS observed_at FROM main.ent_ranks GROUP BY ALL
),
latest AS (
    SELECT r.client_key, r.ent_type, l.week, coalesce(r.title_id, r.title) AS title_id, min(r.rank) AS rank, arg_min(r.title, r.rank) AS title, arg_min(r.hot_value, r.rank) AS hot_value,
           (l.observed_at AT TIME ZONE 'Asia/Shanghai')::DATE >= l.week + 7 AS is_final
    FROM main.ent_ranks AS r
    JOIN lists AS l ON l.client_key = r.client_key AND l.ent_type = r.ent_type AND l.week = r.dt AND l.observed_at = r.observed_at
    WHERE coalesce(r.title_id, r.title) IS NOT NULL
    GROUP BY ALL
)
SELECT n.client_key, n.ent_type, n.week, n.title_id, n.title, n.rank, b.rank AS rank_before, b.rank - n.rank AS rank_change,
       count(*) OVER so_far AS weeks_on_list, min(n.rank) OVER so_far AS best_rank, n.hot_value, n.is_final
FROM latest AS n
LEFT JOIN latest AS b ON b.client_key = n.client_key AND b.ent_type = n.ent_type AND b.title_id = n.title_id AND b.week = n.week - 7
WINDOW so_far AS (PARTITION BY n.client_key, n.ent_type, n.title_id ORDER BY n.week)
