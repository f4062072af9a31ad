SELECT area, level, left(coalesce(subject_name, subject), 80) AS subject_zh, left(subject, 80) AS subject,
    says_zh, says_en FROM marts.data_health WHERE level <> 'ok'
ORDER BY level = 'bad' DESC, area, subject LIMIT 30
