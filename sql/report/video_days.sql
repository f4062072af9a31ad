SELECT d.client_key, d.open_id, d.item_id, d.dt, d.plays FROM marts.video_daily AS d
SEMI JOIN (
    (SELECT client_key, open_id, item_id FROM ({% include "hits.sql" %}))
    UNION ALL (SELECT client_key, open_id, item_id FROM ({% include "lows.sql" %}))
) USING (client_key, open_id, item_id)
WHERE d.dt BETWEEN $day - 31 AND $day AND d.plays IS NOT NULL ORDER BY ALL
