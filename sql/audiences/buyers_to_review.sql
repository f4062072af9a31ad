-- description: leads that bought, seen within the last 30 days / 近 30 天已转化的意向用户
-- grain: account, person
-- owner: after-sales
SELECT open_id AS account, lead_open_id AS open_id, 'converted' AS reason
FROM leads_latest
WHERE leads_level = 10
