SELECT table_name, status, count(DISTINCT open_id) AS accounts, max(dt) AS last_day FROM meta.load_status
    WHERE dt BETWEEN $day - 6 AND $day GROUP BY ALL ORDER BY ALL
