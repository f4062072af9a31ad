SELECT action_date AS dt, sum(people) AS people, sum(contacts) AS contacts
FROM marts.lead_funnel
WHERE action_date BETWEEN $day - 6 AND $day
GROUP BY ALL
ORDER BY ALL
