-- Conversion funnel 转化漏斗
-- en: Every person who ever did something at an account, under one id: the Beijing days on which they first commented, acted, were on the list of leads, wrote, got an answer and had left a contact, and the furthest stage. Days of leads and contacts are those on which a list first showed them; not everyone passes through every stage.
-- zh: 曾与账号互动的每个人一行（统一为 person_open_id）：首次评论、互动、进入意向列表、私信、得到回复、留下联系方式的北京日期与最深阶段。意向与留资日期为列表首次显示的日期；并非每人都经过全部阶段。
-- grain: one row per account and person, over all days
-- key: client_key, open_id, person_open_id
-- not null: first_date, stage, stage_number
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column first_date: First seen: the earliest of the days of this row / 首次出现日期：本行各日期中最早的
-- column commented_date: First commented on: Beijing day; the account's own comments do not count / 首次评论日期：北京日期，不含账号自己的评论
-- column acted_date: First acted on: first known action of the list of actions / 首次互动日期：互动列表中最早的已知互动
-- column lead_date: Lead since: day on which the list of leads first had them / 成为意向用户日期：意向列表首次出现的日期
-- column wrote_date: First wrote on: first private message / 首次私信日期：首条私信
-- column replied_date: First answered on: first answer of the account to a message of theirs / 首次获回复日期：账号首次回复其私信
-- column contact_date: Contact since: day on which the list of leads first had a phone or WeChat id / 留资日期：意向列表首次出现手机或微信的日期
-- column stage: Stage: the furthest: commented, acted, lead, wrote, replied or contact / 阶段：最深阶段，commented 评论、acted 互动、lead 意向、wrote 私信、replied 已回复、contact 留资
-- column stage_number: Number of the stage: 1 commented to 6 contact / 阶段序号：1 评论至 6 留资
WITH events AS (
    SELECT client_key, open_id, commenter_open_id AS person_open_id, created_date AS day, 1 AS stage_number FROM marts.comment_labels
    UNION ALL
    SELECT client_key, open_id, lead_open_id, (action_at AT TIME ZONE 'Asia/Shanghai')::DATE, 2 FROM main.lead_actions
    UNION ALL
    SELECT client_key, open_id, lead_open_id, dt, 3 FROM main.leads
    UNION ALL
    SELECT client_key, open_id, person_open_id, (first_message_at AT TIME ZONE 'Asia/Shanghai')::DATE, 4 FROM marts.conversations WHERE first_message_at IS NOT NULL
    UNION ALL
    SELECT client_key, open_id, person_open_id, (first_answer_at AT TIME ZONE 'Asia/Shanghai')::DATE, 5 FROM marts.conversations WHERE first_answer_at IS NOT NULL
    UNION ALL
    SELECT client_key, open_id, lead_open_id, dt, 6 FROM main.leads WHERE coalesce(telephone, '') <> '' OR coalesce(wechat, '') <> ''
)
SELECT client_key, open_id, person_open_id, min(day) AS first_date,
       min(day) FILTER (stage_number = 1) AS commented_date, min(day) FILTER (stage_number = 2) AS acted_date, min(day) FILTER (stage_number = 3) AS lead_date,
       min(day) FILTER (stage_number = 4) AS wrote_date, min(day) FILTER (stage_number = 5) AS replied_date, min(day) FILTER (stage_number = 6) AS contact_date,
       ['commented', 'acted', 'lead', 'wrote', 'replied', 'contact'][max(stage_number)] AS stage, max(stage_number) AS stage_number
FROM events
WHERE person_open_id IS NOT NULL AND person_open_id <> open_id
GROUP BY client_key, open_id, person_open_id
