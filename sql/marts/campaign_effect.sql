-- Effect of campaigns 活动效果
-- en: What each plan of a campaign brought: how many got it and saw it arrive, and how many of them wrote, opened the chat or left a lead action within the campaign's hours, beside the control group. Intervals hold 95 % (Wilson; the difference after Newcombe). Without a control group no uplift is claimed: it is null.
-- zh: 每个活动计划的效果：发送与送达人数，在设定小时内回复、进入会话、产生意向动作的人数，并与对照组比较；区间为 95%（Wilson，差值用 Newcombe 法）。没有对照组时不计算提升，为空。
-- grain: one row per plan that was sent
-- key: plan_id
-- owner: team:data-platform
-- cadence: hourly
-- mode: full
-- covers: sent_at
-- column plan_id: Plan: its number / 计划编号：outreach.plans 的 id
-- column campaign: Campaign: its name / 活动：名称
-- column occasion: Occasion: what the plan was for / 时机：计划对应的日期、时刻或场次
-- column sent_at: Sent at: first call of the plan / 首次发送时间：计划的第一次调用
-- column effect_hours [h]: Hours of effect: so many hours count / 效果时长：计入效果的小时数
-- column people_sent: People reached: who got it, as far as is known / 发送人数：已知发送成功的人数
-- column people_unknown: People unknown: of whom nobody knows whether they got it / 未知人数：结果未知
-- column people_failed: People failed: whom the platform refused / 失败人数：被平台拒绝
-- column people_blocked: People blocked: left out for a reason / 拦截人数：因规则未发送
-- column people_control: Control group: people left out on purpose / 对照组人数：有意不发送
-- column delivered: People delivered: of whom an event told that it arrived / 送达人数：由事件确认
-- column replied: People who wrote: within the hours / 回复人数：期内发来消息
-- column entered: People who opened the chat: within the hours / 进入人数：期内进入会话
-- column acted: People who acted: with a lead action within the hours / 动作人数：期内产生意向动作
-- column responded: People who responded: with any of these / 响应人数：期内有任一行为
-- column response_ratio [ratio]: Response rate: responded of people_sent / 响应率：响应人数占发送人数
-- column response_low [ratio]: Response rate, low: lower end of its 95 % interval / 响应率下限：95% 区间
-- column response_high [ratio]: Response rate, high: upper end of its 95 % interval / 响应率上限：95% 区间
-- column control_responded: Control group responded: people of it with any of these / 对照响应人数：对照组中期内有任一行为
-- column control_ratio [ratio]: Control rate: the same share of the control group; null without one / 对照响应率：无对照组为空
-- column control_low [ratio]: Control rate, low: lower end of its 95 % interval / 对照响应率下限：95% 区间
-- column control_high [ratio]: Control rate, high: upper end of its 95 % interval / 对照响应率上限：95% 区间
-- column uplift [ratio]: Uplift: response_ratio less control_ratio; null without a control group / 提升：响应率减对照响应率，无对照组为空
-- column uplift_low [ratio]: Uplift, low: lower end of its 95 % interval / 提升下限：95% 区间
-- column uplift_high [ratio]: Uplift, high: upper end of its 95 % interval; where the interval holds 0 nothing is shown / 提升上限：95% 区间；区间包含 0 即未见效果
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
