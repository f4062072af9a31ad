SELECT *
FROM marts.account_daily {% include "_chosen.sql" %}
WHERE dt BETWEEN $first AND $last
ORDER BY dt, client_key, open_id
LIMIT {{ most }}
