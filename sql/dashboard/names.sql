SELECT table_name, column_name, name_zh, name_en, meaning_zh, meaning_en
FROM meta.dictionary
WHERE table_schema = 'marts'
