-- Places 门店
-- en: Every place that was claimed, found by keyword or AMap id, or on a heat list, with its name and address as last seen.
-- zh: 认领、按关键词或高德 id 查到、或上过热度榜的全部门店：最近一次的名称与地址。
-- grain: one row per app and place
-- key: client_key, poi_id
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column is_claimed: Claimed: by an account on the last day of its list / 是否认领：账号最近一次列表中有
-- column last_day: Last day: on which it was seen / 最近出现日期
WITH seen AS (
    SELECT dt, client_key, observed_at, poi_id, poi_name, address, NULL AS province_name, NULL AS city_name, NULL AS district, NULL AS latitude, NULL AS longitude FROM main.poi_claims
    UNION ALL SELECT dt, client_key, observed_at, poi_id, poi_name, address, province_name, city_name, district, NULL, NULL FROM main.poi_places
    UNION ALL SELECT dt, client_key, observed_at, poi_id, poi_name, address, NULL, city_name, NULL, latitude, longitude FROM main.poi_amap
    UNION ALL SELECT dt, client_key, observed_at, poi_id, poi_name, NULL, NULL, NULL, NULL, NULL, NULL FROM main.poi_billboard
),
claimed AS (
    SELECT DISTINCT client_key, poi_id
    FROM (SELECT client_key, poi_id, dt, max(dt) OVER (PARTITION BY client_key, open_id) AS last_day FROM main.poi_claims)
    WHERE dt = last_day
)
SELECT s.client_key, s.poi_id, arg_max(s.poi_name, s.observed_at) AS poi_name, arg_max(s.address, s.observed_at) AS address,
       arg_max(s.province_name, s.observed_at) AS province_name, arg_max(s.city_name, s.observed_at) AS city_name, arg_max(s.district, s.observed_at) AS district,
       arg_max(s.latitude, s.observed_at) AS latitude, arg_max(s.longitude, s.observed_at) AS longitude,
       bool_or(c.poi_id IS NOT NULL) AS is_claimed, max(s.dt) AS last_day
FROM seen AS s
LEFT JOIN claimed AS c USING (client_key, poi_id)
WHERE s.poi_id IS NOT NULL
GROUP BY ALL
