SELECT dt, dimension, bucket, sum(fans) AS fans,
    sum(fans) / nullif(sum(sum(fans)) OVER whole, 0) AS share_ratio,
    CASE WHEN bool_and(count(fans_before) = count(*)) OVER whole THEN sum(fans)
        / nullif(sum(sum(fans)) OVER whole, 0) - sum(fans_before)
        / nullif(sum(sum(fans_before)) OVER whole, 0) END AS share_change
FROM marts.fan_portrait {% include "_chosen.sql" %}
WHERE dt = (SELECT max(dt) FROM marts.fan_portrait {% include "_chosen.sql" %} WHERE dt BETWEEN $first AND $last)
GROUP BY dt, dimension, bucket
WINDOW whole AS (PARTITION BY dimension)
ORDER BY dimension, fans DESC, bucket
