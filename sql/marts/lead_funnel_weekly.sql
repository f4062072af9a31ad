-- Lead funnel week by week 意向用户漏斗周报
-- en: People who acted per account, ISO week in Beijing days, source and kind of action, each person once in a row, and how many of them are leads and have left a contact by now. account_people counts each person of the account and week once, whatever they did. Reaches as far back as the lists in the lake.
-- zh: 按账号、自然周（北京日期）、来源与动作统计互动用户（每行内去重），以及其中至今进入意向列表与留下联系方式的人数。account_people 为账号该周去重总人数，不论来源与动作。覆盖数据湖中的列表所及的时间。
-- grain: one row per account, week, source, kind and sub-kind of action
-- key: client_key, open_id, week_start, action_source, action_type, action_flag
-- not null: name, is_running
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column week_start: Week: its Monday / 周：周一日期
-- column iso_week: ISO week: such as 2026-W47 / ISO 周：如 2026-W47
-- column name: Name: present name of dim_accounts / 账号名称：dim_accounts 的当前名称
-- column action_source: Source: page or way that the action came through, as the platform writes it; unknown 未知 when empty / 来源：平台原文，空则记为“未知”
-- column action_flag: Sub-kind of action: the platform's own number, 0 when it sends none / 动作子类：平台编号，未给出记为 0
-- column actions [additive]: Actions: of the week, each as last seen / 互动次数：该周，每次按最近一次采集
-- column people: People: who acted so in the week, each once; not to be summed over weeks, sources or kinds / 互动人数：该周去重；不可跨周、来源或动作相加
-- column new_people: New people: of these, whose first known action at the account lies in the week / 新增互动人数：其中首次已知互动在该周的
-- column leads: Leads: of these people, those on the list of leads by now / 意向用户数：至今进入意向用户列表的
-- column contacts: Contacts: of these people, who left a phone or WeChat id by now / 留资人数：至今留下手机或微信的
-- column contact_ratio [ratio]: Contact rate: contacts of people / 留资率：留资人数占互动人数
-- column followers: Followers: of these people, who were seen to follow the account / 已关注人数：曾采集到已关注账号的
-- column account_people: People of the account: who acted in the week in any way, each once; the same in every row of the account and week / 账号互动总人数：该周去重总人数，账号同周各行相同
-- column is_running: Running: the app's newest week here, of which more may come / 是否进行中：该应用的最新一周，可能仍有新增
WITH acted AS (
    SELECT client_key, open_id, lead_open_id, action_type, date_trunc('week', action_at AT TIME ZONE 'Asia/Shanghai')::DATE AS week_start,
           arg_max({'flag': coalesce(action_flag, 0), 'source': coalesce(nullif(action_source, ''), '未知')}, observed_at) AS last
    FROM main.lead_actions
    GROUP BY client_key, open_id, lead_open_id, action_at, action_type
),
marked AS (
    SELECT *, min(week_start) OVER (PARTITION BY client_key, open_id, lead_open_id) = week_start AS is_new,
           week_start = max(week_start) OVER (PARTITION BY client_key) AS is_running
    FROM acted
),
totals AS (SELECT client_key, open_id, week_start, count(DISTINCT lead_open_id) AS account_people FROM acted GROUP BY ALL),
people AS (
    SELECT client_key, open_id, lead_open_id,
           bool_or(coalesce(telephone, '') <> '' OR coalesce(wechat, '') <> '') AS has_contact, coalesce(bool_or(is_follow), false) AS follows
    FROM main.leads
    GROUP BY ALL
)
SELECT m.client_key, m.open_id, m.week_start, strftime(m.week_start, '%G-W%V') AS iso_week, coalesce(any_value(a.name), m.open_id) AS name,
       m.last.source AS action_source, m.action_type, m.last.flag AS action_flag, count(*) AS actions,
       count(DISTINCT m.lead_open_id) AS people, count(DISTINCT m.lead_open_id) FILTER (m.is_new) AS new_people,
       count(DISTINCT p.lead_open_id) AS leads, count(DISTINCT p.lead_open_id) FILTER (p.has_contact) AS contacts,
       round(count(DISTINCT p.lead_open_id) FILTER (p.has_contact) / count(DISTINCT m.lead_open_id), 6) AS contact_ratio,
       count(DISTINCT p.lead_open_id) FILTER (p.follows) AS followers, any_value(t.account_people) AS account_people, any_value(m.is_running) AS is_running
FROM marked AS m
JOIN totals AS t USING (client_key, open_id, week_start)
LEFT JOIN people AS p USING (client_key, open_id, lead_open_id)
LEFT JOIN marts.dim_accounts AS a USING (client_key, open_id)
GROUP BY m.client_key, m.open_id, m.week_start, m.last, m.action_type
