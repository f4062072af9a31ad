-- 爆款有什么共同点（话题、时段、标题长度）？ What do outstanding videos of 90 days have in common: hashtags, hours, lengths of title? lift 2: twice as often as all videos. Traits of fewer than ten videos come last.
WITH judged AS (
    -- Each video once, though it is judged on thirty days: was it ever outstanding, and how did it do in the middle?
    SELECT p.client_key, p.open_id, p.item_id, arg_max(p.title, p.dt) AS title, bool_or(p.is_hit) AS is_hit, median(p.ratio_to_median) AS ratio
    FROM marts.video_performance AS p
    WHERE p.ratio_to_median IS NOT NULL AND p.dt > (SELECT max(dt) - 90 FROM marts.video_performance)
    GROUP BY ALL
),
dated AS (
    SELECT j.*, timezone('Asia/Shanghai', v.created_at) AS published
    FROM judged AS j
    JOIN videos_latest AS v USING (client_key, open_id, item_id)
),
traits AS (
    SELECT '话题' AS trait, unnest(list_distinct(regexp_extract_all(title, '#[^#\s]+'))) AS value, is_hit, ratio FROM dated
    UNION ALL
    SELECT '时段', CASE WHEN hour(published) < 6 THEN '00–06' WHEN hour(published) < 12 THEN '06–12' WHEN hour(published) < 18 THEN '12–18' ELSE '18–24' END, is_hit, ratio FROM dated WHERE published IS NOT NULL
    UNION ALL
    SELECT '星期', '周' || substr('一二三四五六日', isodow(published), 1), is_hit, ratio FROM dated WHERE published IS NOT NULL
    UNION ALL
    SELECT '标题长度', CASE WHEN length(title) < 10 THEN '10 字以下' WHEN length(title) < 20 THEN '10–19 字' ELSE '20 字及以上' END, is_hit, ratio FROM dated
)
SELECT trait, value, count(*) AS videos, count(*) FILTER (is_hit) AS hits, round(median(ratio), 2) AS median_ratio,
    round((count(*) FILTER (is_hit) / count(*)) / nullif((SELECT avg(is_hit::INTEGER) FROM dated), 0), 2) AS lift,
    count(*) >= 10 AS is_reliable
FROM traits
GROUP BY trait, value
HAVING count(*) >= 2
ORDER BY is_reliable DESC, hits DESC, median_ratio DESC, trait, value
LIMIT 20;
