WITH long AS (
    UNPIVOT (SELECT dt, client_key, open_id, new_play::BIGINT AS plays, net_fans::BIGINT AS net_fans,
        interactions::BIGINT AS interactions, profile_uv::BIGINT AS visitors,
                    total_fans::BIGINT AS fans, new_issue::BIGINT AS issued
             FROM marts.account_daily WHERE dt BETWEEN $since AND $figures)
    ON plays, net_fans, interactions, visitors, fans, issued INTO NAME measure VALUE value
),
counted AS (SELECT measure, client_key, open_id FROM long WHERE dt = $figures),
sizes AS (SELECT measure, count(*) AS accounts FROM counted GROUP BY measure),
days AS (SELECT measure, dt, sum(value) AS total, count(*) AS accounts FROM long
    JOIN counted USING (measure, client_key, open_id) GROUP BY ALL)
SELECT d.measure, any_value(s.accounts) AS accounts, any_value(total) FILTER (dt = $figures) AS total,
    median(total) FILTER (dt BETWEEN $figures - 7 AND $figures - 1) AS median,
       count(*) FILTER (dt BETWEEN $figures - 7 AND $figures - 1) AS median_days,
           any_value(total) FILTER (dt = $figures - 7) AS week_before,
           list({'dt': dt, 'value': total} ORDER BY dt) AS curve,
       (SELECT count(*) FROM marts.account_daily WHERE dt = $figures) AS all_accounts
FROM days AS d JOIN sizes AS s USING (measure) WHERE d.accounts >= $enough * s.accounts GROUP BY d.measure
