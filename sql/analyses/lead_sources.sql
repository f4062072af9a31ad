-- 线索从哪里来，哪个来源更容易留下联系方式？ Where do leads come from, and which source leaves contacts?
WITH acted AS (
    SELECT client_key, open_id, lead_open_id, action_at, action_type, arg_max(coalesce(nullif(action_source, ''), '未知'), observed_at) AS source
    FROM main.lead_actions
    GROUP BY ALL
),
known AS (
    SELECT client_key, open_id, lead_open_id, bool_or(coalesce(telephone, '') <> '' OR coalesce(wechat, '') <> '') AS has_contact, true AS is_lead
    FROM main.leads
    GROUP BY ALL
)
SELECT source, count(*) AS actions, count(DISTINCT (client_key, lead_open_id)) AS people, count(DISTINCT (client_key, lead_open_id)) FILTER (is_lead) AS leads,
       count(DISTINCT (client_key, lead_open_id)) FILTER (has_contact) AS contacts, round(contacts / people, 3) AS contact_ratio
FROM acted LEFT JOIN known USING (client_key, open_id, lead_open_id)
GROUP BY source
ORDER BY people DESC, source;
