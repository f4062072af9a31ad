-- Lead funnel 意向用户漏斗
-- en: People who acted per account, day, source and kind of action, how many of them are leads and how many left a contact by the end of the day after dt. Every known action counts once: those seen by the next day in the partition of their own day, others, such as those before collection began, in that of the day on which they were first seen: count by action_date.
-- zh: 有互动的意向用户，按账号、日期、来源与动作统计，以及其中进入意向列表与留下联系方式的人数（截至 dt 次日）。每次已知互动只计一次：次日前采集到的在其发生日的分区，其他（如开始采集之前的）在首次采集日的分区：请按 action_date 统计。
-- grain: one row per account, day, source, kind and sub-kind of action
-- key: dt, client_key, open_id, action_date, action_source, action_type, action_flag
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: lead_actions all
-- lookahead: 1 day
-- days: lead_actions
-- covers: action_date
-- column action_date: Acted on: Beijing day, dt or, first seen late, before / 互动日期：北京日期，为 dt 或（较晚采集）更早
-- column action_source: Source: page or way that the action came through, as the platform writes it; unknown 未知 when empty / 来源：平台原文，空则记为“未知”
-- column action_flag: Sub-kind of action: the platform's own number, 0 when it sends none / 动作子类：平台编号，未给出记为 0
-- column actions [additive]: Actions: of the action_date, each as last seen / 互动次数：互动日期当日，每次按最近一次采集
-- column people: People: who acted; the same person may act in several ways and on several days / 互动人数：不可跨行相加
-- column leads: Leads: of these people, those on the list of leads / 意向用户数：互动者中在意向用户列表中的
-- column contacts: Contacts: of these people, who left a phone or WeChat id / 留资人数：互动者中留下手机或微信的
-- column contact_ratio [ratio]: Contact rate: contacts of people who acted / 留资率：留资人数占互动人数
-- column followers: Followers: of these people, who follow the account / 已关注人数：互动者中已关注账号的
WITH seen AS (
    SELECT dt, client_key, open_id, lead_open_id, action_at, action_type, coalesce(action_flag, 0) AS action_flag, coalesce(nullif(action_source, ''), '未知') AS action_source, observed_at,
           (action_at AT TIME ZONE 'Asia/Shanghai')::DATE AS action_date
    FROM main.lead_actions
    WHERE dt >= $dt - 1
),
late AS (
    -- The partition of its own day does not have it: there is none, or it was seen more than a day after.
    SELECT DISTINCT client_key, open_id, lead_open_id, action_at, action_type
    FROM seen
    WHERE dt = $dt AND action_date < greatest($dt - 1, least((SELECT min(dt) FROM main.lead_actions), $dt))
),
before AS (
    SELECT DISTINCT client_key, open_id, lead_open_id, action_at, action_type
    FROM main.lead_actions
    SEMI JOIN late USING (client_key, open_id, lead_open_id, action_at, action_type)
    WHERE dt < $dt
),
acted AS (
    -- The list is read again the day after and may tell more of an action by then.
    SELECT s.*
    FROM seen AS s
    LEFT JOIN (FROM late ANTI JOIN before USING (client_key, open_id, lead_open_id, action_at, action_type)) AS l USING (client_key, open_id, lead_open_id, action_at, action_type)
    WHERE (s.action_date = $dt AND $dt >= (SELECT min(dt) FROM main.lead_actions)) OR l.lead_open_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY s.client_key, s.open_id, s.lead_open_id, s.action_at, s.action_type ORDER BY s.observed_at DESC) = 1
),
people AS (
    SELECT client_key, open_id, lead_open_id,
           bool_or(coalesce(telephone, '') <> '' OR coalesce(wechat, '') <> '') AS has_contact, coalesce(bool_or(is_follow), false) AS follows
    FROM main.leads
    GROUP BY ALL
)
SELECT $dt AS dt, a.client_key, a.open_id, a.action_date, a.action_source, a.action_type, a.action_flag, count(*) AS actions, count(DISTINCT a.lead_open_id) AS people,
       count(DISTINCT p.lead_open_id) AS leads, count(DISTINCT p.lead_open_id) FILTER (p.has_contact) AS contacts,
       round(count(DISTINCT p.lead_open_id) FILTER (p.has_contact) / count(DISTINCT a.lead_open_id), 6) AS contact_ratio,
       count(DISTINCT p.lead_open_id) FILTER (p.follows) AS followers
FROM acted AS a
LEFT JOIN people AS p USING (client_key, open_id, lead_open_id)
GROUP BY ALL
