SELECT area, level, count(*) AS matters, max(as_of) AS as_of
FROM marts.data_health
GROUP BY ALL
ORDER BY ALL
