SELECT action_source, action_type, action_flag, sum(actions) AS actions, sum(people) AS person_days,
    sum(leads) AS lead_days, sum(contacts) AS contact_days,
    round(sum(contacts) / nullif(sum(people), 0), 4) AS contact_ratio
{% include "_leads.sql" %}
ORDER BY actions DESC, action_source, action_type, action_flag
LIMIT {{ most }}
