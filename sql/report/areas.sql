SELECT area, count(*) FILTER (level = 'ok') AS ok, count(*) FILTER (level = 'warn') AS warn,
    count(*) FILTER (level = 'bad') AS bad, max(as_of) AS as_of FROM marts.data_health GROUP BY area
    ORDER BY area
