-- 粉丝画像这一周变了什么？ Which buckets of the fan portrait gained or lost most share in a week, in percentage points? Without a week to compare with: the largest.
SELECT n.nickname AS account, left(p.open_id, 8) AS open_id, p.dimension, p.bucket, p.fans, p.fans_before, round(100 * p.share_ratio, 2) AS percent, round(100 * p.share_change, 2) AS points, p.compared_with
FROM marts.fan_portrait AS p
LEFT JOIN (SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname FROM account_profiles GROUP BY ALL) AS n USING (client_key, open_id)
WHERE p.dt = (SELECT coalesce(max(dt) FILTER (share_change IS NOT NULL), max(dt)) FROM marts.fan_portrait)
ORDER BY abs(p.share_change) DESC NULLS LAST, p.fans DESC, p.open_id, p.dimension, p.bucket
LIMIT 20;
