-- Places day by day 门店日报
-- en: Views, exposures, clicks and orders of every place on the day, with rates and the median of the seven days before.
-- zh: 各门店当日浏览、曝光、点击、成单及比率，与前 7 日中位数。
-- grain: one row per app and place with numbers for the day
-- key: dt, client_key, poi_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 7 days
-- days: poi_views, poi_services
-- column poi_name: Place: as last claimed within seven days / 门店名称：7 天内最近一次认领信息
-- column click_ratio [ratio]: Click rate: clicks per exposed visitor / 点击率：点击人数占曝光人数
-- column order_ratio [ratio]: Order rate: orders per person who clicked / 成单率：成单数除以点击人数
-- column views_median_7d: Median views: of a day over the seven days before / 浏览中位数：前 7 日单日浏览的中位数
-- column views_ratio [ratio]: Views against the median: of the seven days before / 浏览对比：与前 7 日中位数之比
WITH names AS (SELECT client_key, poi_id, arg_max(poi_name, observed_at) AS poi_name FROM main.poi_claims GROUP BY ALL),
views AS (SELECT * FROM main.poi_views WHERE dt = $dt),
services AS (SELECT * FROM main.poi_services WHERE dt = $dt),
medians AS (SELECT client_key, poi_id, round(median(detail_views), 1) AS views_median_7d FROM main.poi_views WHERE dt < $dt GROUP BY ALL)
SELECT $dt AS dt, client_key, poi_id, n.poi_name, v.detail_views, s.exposure_uv, s.click_uv, s.order_count,
       round(s.click_uv / nullif(s.exposure_uv, 0), 6) AS click_ratio, round(s.order_count / nullif(s.click_uv, 0), 6) AS order_ratio,
       m.views_median_7d, round(v.detail_views / nullif(m.views_median_7d, 0), 4) AS views_ratio
FROM views AS v
FULL JOIN services AS s USING (client_key, poi_id)
LEFT JOIN names AS n USING (client_key, poi_id)
LEFT JOIN medians AS m USING (client_key, poi_id)
