-- 近 7 日谁涨粉最多、谁掉粉最多？ Who won and who lost most fans in seven days?
SELECT nickname AS account, left(open_id, 8) AS open_id, total_fans AS fans, net_fans_7d, round(100.0 * net_fans_7d / nullif(total_fans - net_fans_7d, 0), 2) AS percent, missing
FROM marts.account_daily
WHERE dt = (SELECT max(dt) FROM marts.account_daily WHERE net_fans_7d IS NOT NULL)
ORDER BY net_fans_7d DESC NULLS LAST
LIMIT 20;
