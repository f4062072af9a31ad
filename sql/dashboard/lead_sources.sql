SELECT action_source, sum(actions) AS actions, sum(people) AS person_days, sum(contacts) AS contact_days
{% include "_leads.sql" %}
ORDER BY actions DESC, action_source
LIMIT 8
