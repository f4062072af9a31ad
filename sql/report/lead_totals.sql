SELECT sum(actions) AS actions, sum(people) AS people, sum(leads) AS leads, sum(contacts) AS contacts
    FROM marts.lead_funnel WHERE action_date BETWEEN $day - 6 AND $day HAVING count(*) > 0
