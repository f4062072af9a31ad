WITH found AS (SELECT *, share_ratio - share_change AS share_before FROM marts.fan_portrait WHERE dt = $day),
accounts AS (
    SELECT client_key, open_id, dimension, sum(fans) AS fans,
        max(fans_before / share_before) FILTER (share_before > 0.001 AND fans_before > 0) AS fans_before,
           bool_or(compared_with IS NOT NULL) AS is_compared
    FROM found GROUP BY ALL
),
totals AS (
    SELECT dimension, sum(fans) AS fans, sum(fans) FILTER (is_compared AND fans_before > 0) AS fans_same,
        sum(fans_before) FILTER (is_compared) AS fans_before, count(*) AS accounts,
           count(*) FILTER (is_compared AND fans_before > 0) AS compared
    FROM accounts GROUP BY ALL
)
SELECT f.dimension, left(f.bucket, 40) AS bucket, sum(f.fans) AS fans, sum(f.fans) / any_value(t.fans) AS share,
       coalesce(sum(f.fans) FILTER (a.is_compared AND a.fans_before > 0), 0) / any_value(t.fans_same)
           - coalesce(sum(f.fans_before) FILTER (a.is_compared AND a.fans_before > 0), 0)
           / any_value(t.fans_before) AS change,
       any_value(t.accounts) AS accounts, any_value(t.compared) AS compared
FROM found AS f JOIN totals AS t USING (dimension) JOIN accounts AS a USING (client_key, open_id, dimension)
WHERE t.fans > 0 GROUP BY ALL ORDER BY f.dimension, fans DESC, bucket
