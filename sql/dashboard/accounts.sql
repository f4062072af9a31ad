SELECT client_key, open_id, coalesce(d.name, m.name) AS name, d.fans
FROM (
    SELECT client_key, open_id, arg_max(nickname, dt) AS name, arg_max(total_fans, dt) AS fans
    FROM marts.account_daily
    WHERE dt >= (SELECT max(dt) - 7 FROM marts.account_daily)
    GROUP BY ALL
) AS d
FULL JOIN meta.accounts AS m USING (client_key, open_id)
ORDER BY fans DESC NULLS LAST, name, open_id
