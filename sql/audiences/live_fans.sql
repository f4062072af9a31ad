-- description: people who talked to an account or followed it within 30 days / 近 30 天私信过或关注过账号的人
-- grain: account, person
-- owner: live-team
SELECT open_id AS account, actor_open_id AS open_id, 'active: ' || string_agg(DISTINCT event, ', ' ORDER BY event) AS reason
FROM lead_events_latest
WHERE event IN ('im_receive_msg', 'im_enter_direct_msg', 'new_follow_action')
  AND event_at >= (SELECT max(event_at) FROM lead_events_latest) - INTERVAL 30 DAY
GROUP BY ALL
