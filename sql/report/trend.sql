SELECT client_key, open_id, dt, new_play AS plays FROM marts.account_daily
SEMI JOIN (SELECT client_key, open_id FROM marts.account_daily WHERE dt BETWEEN $since AND $figures GROUP BY ALL
    ORDER BY arg_max(total_fans, dt) DESC NULLS LAST, open_id LIMIT 20) USING (client_key, open_id)
WHERE dt BETWEEN $since AND $figures ORDER BY ALL
