-- 互动率走势如何，与一周前同一天相比？ How does the engagement rate go, against the same weekday a week before? Only accounts whose day is whole count.
WITH days AS (
    SELECT dt, count(*) AS accounts, sum(new_play) AS plays, sum(interactions) AS interactions, sum(interactions) / nullif(sum(new_play), 0) AS rate
    FROM marts.account_daily
    WHERE NOT is_gap
    GROUP BY dt
)
SELECT d.dt, d.accounts, d.plays, d.interactions, round(d.rate, 4) AS engagement_ratio, round(before.rate, 4) AS week_before, round(d.rate - before.rate, 4) AS change, before.accounts AS accounts_then
FROM days AS d
LEFT JOIN days AS before ON before.dt = d.dt - 7
ORDER BY d.dt DESC
LIMIT 14;
