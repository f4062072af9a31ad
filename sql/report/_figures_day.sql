SELECT coalesce(max(dt) FILTER (2 * counted >= accounts), max(dt))
FROM (
    SELECT dt, count(*) AS accounts, count(*) FILTER (new_play IS NOT NULL OR total_fans IS NOT NULL) AS counted
    FROM marts.account_daily
    WHERE dt <= $day
    GROUP BY dt
)
WHERE counted > 0
