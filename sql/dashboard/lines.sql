WITH {% include "_base.sql" %},
most AS (
    SELECT client_key, open_id
    FROM base
    GROUP BY ALL
    ORDER BY sum(abs({{ metric }})) DESC NULLS LAST, open_id
    LIMIT {{ most }}
),
{% include "_known.sql" %}

SELECT dt, open_id, {{ metric }} AS value, missing, dt > until AS is_pending
FROM base SEMI JOIN most USING (client_key, open_id) CROSS JOIN known
ORDER BY open_id, dt
