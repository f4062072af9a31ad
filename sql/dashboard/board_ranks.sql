WITH first AS (
    SELECT entry_id, entry
    FROM marts.billboard_moves
    WHERE board = $board AND dt = {% include "_last_list.sql" %} AND client_key = {% include "_list_app.sql" %} AND rank IS NOT NULL
    ORDER BY rank, entry_id
    LIMIT {{ most }}
),
top AS (
    SELECT entry_id, CASE WHEN count(*) OVER (PARTITION BY entry) = 1 THEN entry
        ELSE concat(entry, '（', entry_id, '）') END AS entry
    FROM first
),
days AS (
    SELECT DISTINCT dt
    FROM marts.billboard_moves
    WHERE board = $board AND dt BETWEEN $first AND $last AND client_key = {% include "_list_app.sql" %}
)

SELECT days.dt, top.entry, m.rank
FROM days CROSS JOIN top
LEFT JOIN marts.billboard_moves AS m
    ON m.board = $board AND m.client_key = {% include "_list_app.sql" %} AND m.dt = days.dt AND m.entry_id = top.entry_id
ORDER BY ALL
