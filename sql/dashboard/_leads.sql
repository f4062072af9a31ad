FROM marts.lead_funnel {% include "_chosen.sql" %}
WHERE action_date BETWEEN $first AND $last
GROUP BY ALL
