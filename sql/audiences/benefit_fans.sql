-- description: people with some interest who did not buy yet / 有兴趣、尚未成交的意向用户
-- grain: account, person
-- owner: growth
SELECT open_id AS account, lead_open_id AS open_id, CASE leads_level WHEN 2 THEN 'willing' ELSE 'interested' END AS reason
FROM leads_latest
WHERE leads_level IN (1, 2)
