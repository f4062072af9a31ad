base AS (SELECT * FROM marts.account_daily {% include "_chosen.sql" %} WHERE dt BETWEEN $first AND $last)
