SELECT left(action_source, 40) AS source, sum(actions) AS actions, sum(people) AS people,
    sum(contacts) AS contacts FROM marts.lead_funnel WHERE action_date BETWEEN $day - 6 AND $day
GROUP BY ALL ORDER BY people DESC, source LIMIT 8
