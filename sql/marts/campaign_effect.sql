-- Effect of campaigns 活动效果
-- en: What each plan of a campaign brought: how many got it and saw it arrive, and how many of them wrote, opened the chat or left a lead action within the campaign's hours, beside the control group. Intervals hold 95 % (Wilson; the difference after Newcombe). Without a control group no uplift is claimed: it is null.
-- zh: 每个活动计划的效果：发送与送达人数，在设定小时内回复、进入会话、产生意向动作的人数，并与对照组比较；区间为 95%（Wilson，差值用 Newcombe 法）。没有对照组时不计算提升，为空。
-- grain: one row per plan that was sent
-- key: plan_id
-- owner: team:data-platform
-- cadence: hourly
-- mode: full
-- column plan_id: number of the plan / 计划编号
-- column campaign: name of the campaign / 活动名
-- column occasion: what the plan was for / 计划对应的时机
-- column sent_at: first call of the plan / 首次发送时间
-- column effect_hours [h]: so many hours count / 计入效果的小时数
-- column people_sent [semi-additive]: people who got it, as far as is known / 已发送人数
-- column people_unknown [semi-additive]: people of whom nobody knows / 结果未知人数
-- column people_failed [semi-additive]: people whom the platform refused / 发送失败人数
-- column people_blocked [semi-additive]: people who were left out for a reason / 被拦截人数
-- column people_control [semi-additive]: people left out on purpose / 对照组人数
-- column delivered [semi-additive]: people of whom an event told that it arrived / 事件确认送达人数
-- column replied [semi-additive]: people who wrote within the hours / 期内回复人数
-- column entered [semi-additive]: people who opened the chat within the hours / 期内进入会话人数
-- column acted [semi-additive]: people with a lead action within the hours / 期内产生意向动作人数
-- column responded [semi-additive]: people with any of these / 期内有任一行为的人数
-- column response_ratio [ratio]: responded of people_sent / 响应率
-- column response_low [ratio]: lower end of its interval / 响应率区间下限
-- column response_high [ratio]: upper end of its interval / 响应率区间上限
-- column control_responded [semi-additive]: people of the control group with any of these / 对照组有任一行为的人数
-- column control_ratio [ratio]: the same share of the control group; null without one / 对照组响应率，无对照组为空
-- column control_low [ratio]: lower end of its interval / 对照组区间下限
-- column control_high [ratio]: upper end of its interval / 对照组区间上限
-- column uplift [ratio]: response_ratio less control_ratio; null without a control group / 提升，无对照组为空
-- column uplift_low [ratio]: lower end of its interval / 提升区间下限
-- column uplift_high [ratio]: upper end of its interval; where the interval holds 0 nothing is shown / 提升区间上限；区间包含 0 即未见效果
WITH sent_plans AS (
    SELECT p.id AS plan_id, p.name AS campaign, p.occasion, p.effect_hours, min(m.claimed_at) AS sent_at
    FROM outreach.plans AS p
    JOIN outreach.messages AS m ON m.plan_id = p.id
    WHERE p.kind = 'messages' AND m.state IN ('sent', 'unknown', 'claimed')
    GROUP BY ALL
),
people AS (
    -- People of the control group are watched from the plan's first call on, the others from their own.
    SELECT s.plan_id, m.client_key, m.open_id, m.person_open_id, m.state, m.delivered_at,
           CASE WHEN m.state = 'control' THEN s.sent_at ELSE m.claimed_at END AS since,
           CASE WHEN m.state = 'control' THEN s.sent_at ELSE m.claimed_at END + to_hours(s.effect_hours) AS until
    FROM sent_plans AS s
    JOIN outreach.messages AS m ON m.plan_id = s.plan_id
),
watched AS (SELECT * FROM people WHERE state IN ('sent', 'control')),
done AS (
    SELECT w.plan_id, w.client_key, w.open_id, w.person_open_id,
           coalesce(bool_or(a.what = 'wrote'), false) AS wrote, coalesce(bool_or(a.what = 'entered'), false) AS entered,
           coalesce(bool_or(a.what = 'acted'), false) AS acted
    FROM watched AS w
    LEFT JOIN (
        SELECT client_key, open_id, person_open_id, event_at AS at, 'wrote' AS what FROM main.im_messages WHERE event = 'im_receive_msg'
        UNION ALL
        SELECT client_key, open_id, person_open_id, event_at, 'entered' FROM main.im_entries
        UNION ALL
        SELECT client_key, open_id, lead_open_id, action_at, 'acted' FROM main.lead_actions
    ) AS a ON a.client_key = w.client_key AND a.open_id = w.open_id AND a.person_open_id = w.person_open_id AND a.at > w.since AND a.at <= w.until
    GROUP BY ALL
),
counted AS (
    SELECT plan_id,
           count(*) FILTER (w.state = 'sent') AS n,
           count(*) FILTER (w.state = 'sent' AND w.delivered_at IS NOT NULL) AS delivered,
           count(*) FILTER (w.state = 'sent' AND d.wrote) AS replied,
           count(*) FILTER (w.state = 'sent' AND d.entered) AS entered,
           count(*) FILTER (w.state = 'sent' AND d.acted) AS acted,
           count(*) FILTER (w.state = 'sent' AND (d.wrote OR d.entered OR d.acted)) AS x,
           count(*) FILTER (w.state = 'control') AS m,
           count(*) FILTER (w.state = 'control' AND (d.wrote OR d.entered OR d.acted)) AS y
    FROM watched AS w
    JOIN done AS d USING (plan_id, client_key, open_id, person_open_id)
    GROUP BY plan_id
),
shares AS (
    -- Wilson's interval with z = 1.959964: (x + z²/2 ± z √(x (n − x) / n + z²/4)) / (n + z²). It ends at 0 and 1 themselves.
    SELECT *, x / nullif(n, 0) AS p, y / nullif(m, 0) AS q,
           CASE WHEN x = 0 THEN p ELSE (x + 1.920729 - 1.959964 * sqrt(x * (n - x) / nullif(n, 0) + 0.960365)) / (n + 3.841459) END AS p_low,
           CASE WHEN x = n THEN p ELSE (x + 1.920729 + 1.959964 * sqrt(x * (n - x) / nullif(n, 0) + 0.960365)) / (n + 3.841459) END AS p_high,
           CASE WHEN y = 0 THEN q ELSE (y + 1.920729 - 1.959964 * sqrt(y * (m - y) / nullif(m, 0) + 0.960365)) / (m + 3.841459) END AS q_low,
           CASE WHEN y = m THEN q ELSE (y + 1.920729 + 1.959964 * sqrt(y * (m - y) / nullif(m, 0) + 0.960365)) / (m + 3.841459) END AS q_high
    FROM counted
),
others AS (
    SELECT plan_id, count(*) FILTER (state = 'unknown') AS unknown, count(*) FILTER (state IN ('failed', 'not_sent')) AS failed, count(*) FILTER (state = 'blocked') AS blocked
    FROM people
    GROUP BY plan_id
)
SELECT s.plan_id, s.campaign, s.occasion, s.sent_at, s.effect_hours,
       coalesce(c.n, 0) AS people_sent, o.unknown AS people_unknown, o.failed AS people_failed, o.blocked AS people_blocked, coalesce(c.m, 0) AS people_control,
       coalesce(c.delivered, 0) AS delivered, coalesce(c.replied, 0) AS replied, coalesce(c.entered, 0) AS entered, coalesce(c.acted, 0) AS acted,
       coalesce(c.x, 0) AS responded, c.p AS response_ratio, c.p_low AS response_low, c.p_high AS response_high,
       coalesce(c.y, 0) AS control_responded, c.q AS control_ratio, c.q_low AS control_low, c.q_high AS control_high,
       c.p - c.q AS uplift,
       c.p - c.q - sqrt((c.p - c.p_low) ** 2 + (c.q_high - c.q) ** 2) AS uplift_low,
       c.p - c.q + sqrt((c.p_high - c.p) ** 2 + (c.q - c.q_low) ** 2) AS uplift_high
FROM sent_plans AS s
JOIN others AS o USING (plan_id)
LEFT JOIN shares AS c USING (plan_id)
