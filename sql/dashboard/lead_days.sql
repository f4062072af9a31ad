SELECT action_date AS dt, action_source, sum(actions) AS actions
{% include "_leads.sql" %}
ORDER BY ALL
