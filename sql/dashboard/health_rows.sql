SELECT level, area, coalesce(subject_name, subject) AS subject_name, says_zh, says_en, value, subject
FROM marts.data_health
ORDER BY CASE level WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, area, subject, client_key
LIMIT {{ most }}
