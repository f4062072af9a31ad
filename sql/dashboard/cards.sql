WITH {% include "_base.sql" %}, {% include "_known.sql" %}

SELECT count(DISTINCT (client_key, open_id)) AS accounts, any_value(until) AS until,
    sum(new_play) AS new_play, sum(net_fans) AS net_fans, sum(interactions) AS interactions,
    sum(interactions) FILTER (new_play IS NOT NULL)
        / nullif(sum(new_play) FILTER (interactions IS NOT NULL), 0) AS engagement_ratio,
    sum(total_fans) FILTER (dt = until) AS total_fans,
    count(*) FILTER (dt = until AND total_fans IS NULL) AS fans_missing,
    count(*) FILTER (dt <= until) AS account_days, count(*) FILTER (is_gap AND dt <= until) AS gaps
FROM base CROSS JOIN known
