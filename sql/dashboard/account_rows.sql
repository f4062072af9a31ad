WITH {% include "_base.sql" %}, {% include "_known.sql" %}

SELECT arg_max(nickname, dt) AS nickname, arg_max(total_fans, dt) AS total_fans, sum(net_fans) AS net_fans,
    sum(new_play) AS new_play, sum(interactions) AS interactions,
    round(sum(interactions) FILTER (new_play IS NOT NULL)
        / nullif(sum(new_play) FILTER (interactions IS NOT NULL), 0), 4) AS engagement_ratio,
    sum(new_issue) AS new_issue,
    count(*) FILTER (is_gap AND dt <= until) AS gap_days, open_id
FROM base CROSS JOIN known
GROUP BY client_key, open_id
ORDER BY new_play DESC NULLS LAST, open_id
LIMIT {{ most }}
