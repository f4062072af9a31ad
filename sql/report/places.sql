SELECT dt, coalesce(left(poi_name, 60), poi_id) AS place, detail_views, views_ratio, exposure_uv, click_ratio,
    order_count, order_ratio, count(*) OVER () AS all_places FROM marts.poi_daily
WHERE dt = (SELECT max(dt) FROM marts.poi_daily WHERE dt BETWEEN $day - 6 AND $day AND detail_views IS NOT NULL)
ORDER BY detail_views DESC NULLS LAST, poi_id LIMIT 10
