-- 数据哪里有缺口、不新鲜或要处理？ Where is data missing, stale or in need of an action?
SELECT level, area, coalesce(subject_name, subject) AS subject, says_zh, says_en
FROM marts.data_health
ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, area, subject
LIMIT 30;
