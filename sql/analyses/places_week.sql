-- 各门店近 7 天浏览、点击与成单如何？ How did each place do in seven days: views, clicks, orders?
SELECT coalesce(max(poi_name), poi_id) AS place, sum(detail_views) AS views, sum(click_uv) AS clicks, sum(order_count) AS orders, round(sum(click_uv) / nullif(sum(exposure_uv), 0), 4) AS click_ratio, round(sum(order_count) / nullif(sum(click_uv), 0), 4) AS order_ratio
FROM marts.poi_daily
WHERE dt > (SELECT max(dt) - 7 FROM marts.poi_daily)
GROUP BY poi_id
ORDER BY views DESC NULLS LAST;
