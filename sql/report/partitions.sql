SELECT name, min(dt) AS first_day, max(dt) AS last_day, bool_or(dt = $day) AS has_day
FROM meta.partitions
GROUP BY name
