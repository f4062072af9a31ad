-- description: people who wrote and left neither phone nor WeChat id / 私信过但未留下手机号和微信号的人
-- grain: account, person
-- owner: sales
SELECT open_id AS account, lead_open_id AS open_id, 'wrote, left nothing' AS reason
FROM leads_latest
WHERE coalesce(telephone, '') = '' AND coalesce(wechat, '') = '' AND leads_level >= 0
  AND lead_open_id IN (SELECT actor_open_id FROM lead_events_latest WHERE event = 'im_receive_msg')
