-- Lead funnel 意向用户漏斗
-- en: People who acted on the day per account, source and kind of action, how many of them are leads and how many left a contact by the end of the day after.
-- zh: 当日有互动的意向用户，按账号、来源与动作统计，以及其中进入意向列表与留下联系方式的人数（截至次日）。
-- grain: one row per account, source, kind and sub-kind of action
-- key: dt, client_key, open_id, action_source, action_type, action_flag
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookahead: 1 day
-- days: lead_actions
-- column action_source: Source: page or way that the action came through, as the platform writes it; unknown 未知 when empty / 来源：平台原文，空则记为“未知”
-- column action_flag: Sub-kind of action: the platform's own number, 0 when it sends none / 动作子类：平台编号，未给出记为 0
-- column actions [additive]: Actions: on the day, each as last seen / 互动次数：当日，每次按最近一次采集
-- column people: People: who acted; the same person may act in several ways and on several days / 互动人数：不可跨行相加
-- column leads: Leads: of these people, those on the list of leads / 意向用户数：互动者中在意向用户列表中的
-- column contacts: Contacts: of these people, who left a phone or WeChat id / 留资人数：互动者中留下手机或微信的
-- column contact_ratio [ratio]: Contact rate: contacts of people who acted / 留资率：留资人数占互动人数
-- column followers: Followers: of these people, who follow the account / 已关注人数：互动者中已关注账号的
WITH acted AS (
    -- The list is read again the day after and may tell more of an action by then.
    SELECT client_key, open_id, lead_open_id, action_at, action_type, coalesce(action_flag, 0) AS action_flag, coalesce(nullif(action_source, ''), '未知') AS action_source
    FROM main.lead_actions
    WHERE (action_at AT TIME ZONE 'Asia/Shanghai')::DATE = $dt
    QUALIFY row_number() OVER (PARTITION BY client_key, open_id, lead_open_id, action_at, action_type ORDER BY observed_at DESC) = 1
),
people AS (
    SELECT client_key, open_id, lead_open_id,
           bool_or(coalesce(telephone, '') <> '' OR coalesce(wechat, '') <> '') AS has_contact, coalesce(bool_or(is_follow), false) AS follows
    FROM main.leads
    GROUP BY ALL
)
SELECT $dt AS dt, a.client_key, a.open_id, a.action_source, a.action_type, a.action_flag, count(*) AS actions, count(DISTINCT a.lead_open_id) AS people,
       count(DISTINCT p.lead_open_id) AS leads, count(DISTINCT p.lead_open_id) FILTER (p.has_contact) AS contacts,
       round(count(DISTINCT p.lead_open_id) FILTER (p.has_contact) / count(DISTINCT a.lead_open_id), 6) AS contact_ratio,
       count(DISTINCT p.lead_open_id) FILTER (p.follows) AS followers
FROM acted AS a
LEFT JOIN people AS p USING (client_key, open_id, lead_open_id)
GROUP BY ALL
