-- Conversion funnel week by week 转化漏斗周报
-- en: People of conversion_funnel per account and ISO week in Beijing days, counted in two ways: those first seen in the week and how many of them have come how far by now (new_people, cohort_*), and those who took each step for the first time in the week, whenever they were first seen. Each person counts once in a column over all weeks, so weeks may be summed.
-- zh: conversion_funnel 中的人按账号与自然周（北京日期）的两种统计：该周首次出现的人及其至今到达的阶段（new_people、cohort_*）；该周首次发生各步骤的人，不论何时首次出现。每列中每人在全部周里只计一次，可跨周求和。
-- grain: one row per account and week in which anyone took a first step
-- key: client_key, open_id, week_start
-- not null: name, is_running
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column week_start: Week: its Monday / 周：周一日期
-- column iso_week: ISO week: such as 2026-W47 / ISO 周：如 2026-W47
-- column name: Name: present name of dim_accounts / 账号名称：dim_accounts 的当前名称
-- column new_people [additive]: New people: first seen in the week / 新增人数：该周首次出现
-- column cohort_leads [additive]: Leads of them: on the list of leads by now / 其中意向用户：至今进入意向列表
-- column cohort_wrote [additive]: Writers of them: who wrote a private message by now / 其中私信人数：至今发过私信
-- column cohort_replied [additive]: Answered of them: who got an answer by now / 其中获回复人数：至今得到回复
-- column cohort_contacts [additive]: Contacts of them: who left a phone or WeChat id by now / 其中留资人数：至今留下联系方式
-- column cohort_contact_ratio [ratio]: Contact rate of the cohort: cohort_contacts of new_people / 新增留资率：其中留资人数占新增人数
-- column commented [additive]: Commented: for the first time in the week / 首次评论人数：该周首次评论
-- column acted [additive]: Acted: for the first time in the week / 首次互动人数：该周首次互动
-- column leads [additive]: New leads: on the list for the first time in the week / 新增意向人数：该周首次进入意向列表
-- column wrote [additive]: Wrote: a private message for the first time in the week / 首次私信人数：该周首次私信
-- column replied [additive]: Answered: for the first time in the week / 首次获回复人数：该周首次得到回复
-- column contacts [additive]: New contacts: left for the first time in the week / 新增留资人数：该周首次留下联系方式
-- column is_running: Running: the app's newest week here, of which more may come / 是否进行中：该应用的最新一周，可能仍有新增
WITH steps AS (
    SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'first' AS step, first_date AS day FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'commented', commented_date FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'acted', acted_date FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'lead', lead_date FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'wrote', wrote_date FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'replied', replied_date FROM marts.conversion_funnel
    UNION ALL SELECT client_key, open_id, lead_date, wrote_date, replied_date, contact_date, 'contact', contact_date FROM marts.conversion_funnel
),
weeks AS (
    SELECT client_key, open_id, date_trunc('week', day)::DATE AS week_start, count(*) FILTER (step = 'first') AS new_people,
           count(lead_date) FILTER (step = 'first') AS cohort_leads, count(wrote_date) FILTER (step = 'first') AS cohort_wrote,
           count(replied_date) FILTER (step = 'first') AS cohort_replied, count(contact_date) FILTER (step = 'first') AS cohort_contacts,
           count(*) FILTER (step = 'commented') AS commented, count(*) FILTER (step = 'acted') AS acted, count(*) FILTER (step = 'lead') AS leads,
           count(*) FILTER (step = 'wrote') AS wrote, count(*) FILTER (step = 'replied') AS replied, count(*) FILTER (step = 'contact') AS contacts
    FROM steps
    WHERE day IS NOT NULL
    GROUP BY ALL
)
SELECT w.client_key, w.open_id, w.week_start, strftime(w.week_start, '%G-W%V') AS iso_week, coalesce(a.name, w.open_id) AS name,
       w.new_people, w.cohort_leads, w.cohort_wrote, w.cohort_replied, w.cohort_contacts, round(w.cohort_contacts / nullif(w.new_people, 0), 6) AS cohort_contact_ratio,
       w.commented, w.acted, w.leads, w.wrote, w.replied, w.contacts, w.week_start = max(w.week_start) OVER (PARTITION BY w.client_key) AS is_running
FROM weeks AS w
LEFT JOIN marts.dim_accounts AS a ON a.client_key = w.client_key AND a.open_id = w.open_id
