-- description: leads that bought / 已转化的意向用户
-- grain: account, person
-- owner: sales
SELECT open_id AS account, lead_open_id AS open_id, 'converted' AS reason
FROM leads_latest
WHERE leads_level = 10
