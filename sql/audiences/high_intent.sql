-- description: leads that left a way to reach them and did not buy yet / 留下联系方式、尚未成交的意向用户
-- grain: account, person
-- owner: sales
SELECT open_id AS account, lead_open_id AS open_id, 'left a contact' AS reason
FROM leads_latest
WHERE leads_level = 2
