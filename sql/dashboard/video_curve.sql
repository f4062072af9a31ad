WITH listed AS (
    SELECT dt, plays
    FROM marts.video_daily
    WHERE dt BETWEEN $first AND $last AND open_id = $open_id AND item_id = $item_id
)

SELECT day::DATE AS dt, plays
FROM generate_series((SELECT min(dt) FROM listed), (SELECT max(dt) FROM listed), INTERVAL 1 DAY) AS days(day)
LEFT JOIN listed ON listed.dt = day::DATE
ORDER BY dt
