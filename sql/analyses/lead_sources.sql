-- 线索从哪里来，哪个来源更容易留下联系方式？ Where do leads come from, and which source leaves contacts?
SELECT action_source AS source, sum(actions) AS actions, sum(people) AS people_days, sum(leads) AS leads, sum(contacts) AS contacts, round(sum(contacts) / nullif(sum(people), 0), 3) AS contact_ratio
FROM marts.lead_funnel
GROUP BY source
ORDER BY people_days DESC;
