-- Data health 数据健康
-- en: What an operator looks at in the morning, one line a matter: how fresh each table is, gaps of the last 30 days, quarantine and failures of the last seven, quota use of the last day with calls, and the days left of each consent.
-- zh: 运维每日检查项，每项一行：各表新鲜度、近 30 天缺口、近 7 天隔离与失败、最近一天配额使用、各账号授权剩余天数。
-- grain: one row per matter: area and subject
-- key: area, client_key, subject
-- owner: team:data-platform
-- cadence: hourly
-- mode: full
-- not null: level, as_of
-- column area: Area: freshness 新鲜度, gaps 缺口, quarantine 隔离, failures 失败, quota 配额, token 授权 / 类别：freshness 新鲜度，gaps 缺口，quarantine 隔离，failures 失败，quota 配额，token 授权
-- column subject: Subject: table, scope or account / 对象：表、能力或账号
-- column subject_name: Name: of the subject in Chinese, where it has one / 对象名称：中文名，没有则为空
-- column level: Level: ok, warn, bad; a table is bad more than two days later than normal, quarantine above 1 % of the rows, quota when used up (warn from 80 %), consent when a day or less is left / 等级：ok 正常，warn 注意，bad 异常；新鲜度超过正常值两天以上、隔离超过 1%、配额用尽（80% 起为 warn）、授权剩余一天以内为 bad
-- column value: Number judged: days behind, days missing, share of rows, failed outcomes, share of the quota, days left / 判定数值：落后天数、缺失天数、占比、失败数、配额占比、剩余天数
-- column says_en: In English: the matter in words / 英文说明：一句话
-- column says_zh: In Chinese: the matter in words / 中文说明：一句话
-- column as_of: As of: when it was judged / 判定时间：计算的时刻
WITH clock AS (SELECT max(as_of) AS as_of, (max(as_of) AT TIME ZONE 'Asia/Shanghai')::DATE AS today FROM meta.tables),
loads AS (
    SELECT s.client_key, s.table_name, s.dt, bool_or(s.status IN ('loaded', 'empty', 'below_threshold', 'partial', 'not_asked', 'skipped')) AS is_there, bool_and(s.status = 'unavailable') AS is_unavailable,
           sum(s.rows) AS rows, sum(s.quarantined) AS quarantined, count(*) FILTER (s.status IN ('failed', 'partial', 'quota', 'needs_consent')) AS failed
    FROM meta.load_status AS s
    GROUP BY ALL
),
fresh AS (
    SELECT l.client_key, l.table_name, max(l.dt) FILTER (l.is_there) AS newest, bool_and(l.is_unavailable) AS is_unavailable FROM loads AS l GROUP BY ALL
),
freshness AS (
    SELECT 'freshness' AS area, f.client_key, f.table_name AS subject, t.name_zh AS subject_name,
           CASE WHEN f.is_unavailable THEN 'ok' WHEN f.newest IS NULL OR c.today - f.newest - t.days_behind > 2 THEN 'bad' WHEN c.today - f.newest > t.days_behind THEN 'warn' ELSE 'ok' END AS level,
           (c.today - f.newest)::DOUBLE AS value,
           CASE WHEN f.is_unavailable THEN 'not available to this app' WHEN f.newest IS NULL THEN 'not loaded within a month' ELSE concat('newest day ', f.newest, ', ', c.today - f.newest, ' days behind; ', t.days_behind, ' is normal') END AS says_en,
           CASE WHEN f.is_unavailable THEN '本应用不可用' WHEN f.newest IS NULL THEN '近一月未采集到' ELSE concat('最新 ', f.newest, '，落后 ', c.today - f.newest, ' 天（正常 ', t.days_behind, ' 天）') END AS says_zh
    FROM fresh AS f
    JOIN meta.tables AS t ON t.table_name = f.table_name
    CROSS JOIN clock AS c
),
gaps AS (
    SELECT 'gaps' AS area, l.client_key, l.table_name AS subject, any_value(t.name_zh) AS subject_name,
           max(l.dt) - min(l.dt) + 1 - count(DISTINCT l.dt) AS missing_days, min(l.dt) AS first_day, max(l.dt) AS last_day
    FROM loads AS l
    JOIN meta.tables AS t ON t.table_name = l.table_name
    CROSS JOIN clock AS c
    WHERE l.is_there AND l.dt > c.today - 30 AND t.history NOT IN ('version', 'event')
    GROUP BY ALL
),
trouble AS (
    SELECT l.client_key, l.table_name, any_value(t.name_zh) AS name_zh, sum(l.rows) AS rows, sum(l.quarantined) AS quarantined, sum(l.failed) AS failed
    FROM loads AS l
    JOIN meta.tables AS t ON t.table_name = l.table_name
    CROSS JOIN clock AS c
    WHERE l.dt > c.today - 7
    GROUP BY ALL
),
last_quotas AS (SELECT * FROM meta.quotas QUALIFY row_number() OVER (PARTITION BY client_key, scope ORDER BY day DESC) = 1),
matters AS (
    SELECT area, client_key, subject, subject_name, level, value, says_en, says_zh FROM freshness
    UNION ALL
    SELECT area, client_key, subject, subject_name, CASE WHEN missing_days > 0 THEN 'warn' ELSE 'ok' END, missing_days,
           concat(missing_days, ' days missing between ', first_day, ' and ', last_day), concat(first_day, ' 至 ', last_day, ' 之间缺 ', missing_days, ' 天')
    FROM gaps
    UNION ALL
    SELECT 'quarantine', client_key, table_name, name_zh, CASE WHEN quarantined * 100 > rows + quarantined THEN 'bad' WHEN quarantined > 0 THEN 'warn' ELSE 'ok' END,
           round(quarantined / nullif(rows + quarantined, 0), 6), concat(quarantined, ' rows in quarantine in seven days, beside ', rows), concat('近 7 天隔离 ', quarantined, ' 行，正常 ', rows, ' 行')
    FROM trouble
    UNION ALL
    SELECT 'failures', client_key, table_name, name_zh, CASE WHEN failed > 0 THEN 'warn' ELSE 'ok' END, failed, concat(failed, ' failed outcomes in seven days'), concat('近 7 天失败 ', failed, ' 次')
    FROM trouble
    UNION ALL
    SELECT 'quota', client_key, scope, NULL, CASE WHEN is_exhausted THEN 'bad' WHEN calls >= 0.8 * per_day THEN 'warn' ELSE 'ok' END, round(calls / per_day, 6),
           concat(calls, ' calls on ', day, CASE WHEN per_day IS NULL THEN ', limit not known' ELSE concat(' of ', per_day) END),
           concat(day, ' 调用 ', calls, ' 次', CASE WHEN per_day IS NULL THEN '，上限未知' ELSE concat('，上限 ', per_day) END)
    FROM last_quotas
    UNION ALL
    SELECT 'token', client_key, open_id, name, CASE WHEN status = 'stopped' OR status = 'paused' THEN 'ok' WHEN warning_days IS NULL THEN 'ok' WHEN warning_days <= 1 THEN 'bad' ELSE 'warn' END,
           consent_days_left, concat(status, ', consent ends in ', round(consent_days_left, 1), ' days, ', renewals_left, ' renewals left'),
           concat(CASE status WHEN 'active' THEN '正常' WHEN 'needs_consent' THEN '需重新授权' WHEN 'paused' THEN '已暂停' ELSE '已停用' END, '，授权剩余 ', round(consent_days_left, 1), ' 天，可续期 ', renewals_left, ' 次')
    FROM meta.accounts
)
SELECT m.area, m.client_key, m.subject, m.subject_name, m.level, m.value, m.says_en, m.says_zh, c.as_of
FROM matters AS m
CROSS JOIN clock AS c
