-- Conversations 会话
-- en: Private conversations between accounts and people, from webhook events and the interaction log, each message once: when, how many messages each way, how soon the first answer came, and whether the person still waits. Groups are left out.
-- zh: 账号与用户的单聊会话（据 Webhook 事件与互动日志，每条消息只计一次）：起止时间、双方消息数、首次回复时长、是否待回复；不含群聊。
-- grain: one row per account, person and conversation, over all days
-- key: client_key, open_id, person_open_id, conversation_id
-- owner: team:data-platform
-- cadence: hourly
-- mode: full
-- covers: first_at, last_at
-- column nickname: Nickname: of the person, as the newest event or the list of leads gave it / 昵称：用户昵称，取自最近的事件或意向用户列表
-- column first_at: First at: first message or opening / 开始时间：首条消息或首次进入
-- column last_at: Last at: last message or opening / 最近时间：最近一条消息或一次进入
-- column first_message_at: First message: of the person; null where only the chat was opened / 首条消息时间：用户的首条消息，仅进入会话为空
-- column first_answer_at: First answer: first message of the account after one of the person / 首次回复时间：用户发来消息之后账号的首条消息
-- column messages_in [additive]: Messages in: of the person / 用户消息数：用户发来
-- column messages_out [additive]: Messages out: of the account, however they were sent / 账号消息数：账号发出，不论方式
-- column by_this_app [additive]: By this app: of these, sent through this app / 经本应用发出：账号消息中经本应用发出的
-- column by_hand [additive]: By hand: of these, written in Douyin itself / 手工发出：账号消息中在抖音内手工发出的
-- column openings [additive]: Openings: times the person opened the chat / 进入次数：用户进入会话
-- column waits [additive]: Turns: times the person wrote after an answer, or first / 轮次：用户首次或在回复后再次发起的次数
-- column first_answer_median_s [s]: First answer: median seconds from the first message of a turn to the answer; unanswered turns do not count / 首次回复时长：每轮首条消息到回复的秒数中位数，不含未回复的轮次
-- column is_open: Waits for an answer: the last word is the person's / 待回复：最后一条消息来自用户
-- column source: Source: webhook (events that the receiver got), log (interaction log), or log+webhook; what both have counts as webhook / 来源：webhook 为接收端收到的事件，log 为互动日志，log+webhook 为两者；两处都有的计为 webhook
WITH messages AS (
    -- A message may be reported twice: by events with ids of their own, and by the interaction log.
    SELECT client_key, open_id, person_open_id, conversation_id, event = 'im_receive_msg' AS is_in, coalesce(source_app, '') AS source_app, happened_at, origin
    FROM (
        SELECT client_key, open_id, person_open_id, conversation_id, event, source_app, message_id, event_id, coalesce(event_at, observed_at) AS happened_at, observed_at, 'webhook' AS origin
        FROM main.im_messages
        UNION ALL
        SELECT client_key, open_id, CASE WHEN event = 'im_send_msg' THEN coalesce(nullif(to_user_id, ''), actor_open_id) ELSE actor_open_id END, conversation_id, event,
               TRY(json_extract_string(json_extract_string(event_content, '$.content'), '$.source')), message_id, NULL, event_at, observed_at, 'log'
        FROM main.lead_events
    )
    WHERE event IN ('im_receive_msg', 'im_send_msg') AND conversation_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY client_key, open_id, event, coalesce(nullif(message_id, ''), event_id, concat(person_open_id, ' ', epoch_us(happened_at))) ORDER BY origin DESC, observed_at, event_id
    ) = 1
),
entries AS (
    SELECT client_key, open_id, person_open_id, conversation_id, happened_at, origin
    FROM (
        SELECT client_key, open_id, person_open_id, conversation_id, message_id, event_id, coalesce(event_at, observed_at) AS happened_at, observed_at, 'webhook' AS origin
        FROM main.im_entries
        UNION ALL
        SELECT client_key, open_id, actor_open_id, conversation_id, message_id, NULL, event_at, observed_at, 'log' FROM main.lead_events WHERE event = 'im_enter_direct_msg'
    )
    WHERE conversation_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY client_key, open_id, coalesce(nullif(message_id, ''), event_id, concat(person_open_id, ' ', epoch_us(happened_at))) ORDER BY origin DESC, observed_at, event_id
    ) = 1
),
turns AS (
    SELECT *, is_in AND lag(is_in, 1, false) OVER chat IS DISTINCT FROM true AS begins,
           min(happened_at) FILTER (NOT is_in) OVER (chat ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS answered_at
    FROM messages
    WINDOW chat AS (PARTITION BY client_key, open_id, person_open_id, conversation_id ORDER BY happened_at, is_in DESC)
),
names AS (
    SELECT client_key, open_id, person_open_id, arg_max(nickname, observed_at) AS nickname
    FROM (
        SELECT client_key, open_id, person_open_id, nickname, observed_at FROM main.im_people
        UNION ALL
        SELECT client_key, open_id, lead_open_id, nickname, observed_at FROM main.leads
    )
    WHERE nickname <> ''
    GROUP BY ALL
),
happened AS (
    SELECT client_key, open_id, person_open_id, conversation_id, happened_at, is_in, source_app, begins, answered_at, false AS is_entry, origin FROM turns
    UNION ALL
    SELECT client_key, open_id, person_open_id, conversation_id, happened_at, NULL, NULL, false, NULL, true, origin FROM entries
)
SELECT client_key, open_id, person_open_id, conversation_id,
       any_value(names.nickname) AS nickname,
       min(happened_at) AS first_at,
       max(happened_at) AS last_at,
       min(happened_at) FILTER (is_in) AS first_message_at,
       min(answered_at) FILTER (is_in) AS first_answer_at,
       count(*) FILTER (is_in) AS messages_in,
       count(*) FILTER (NOT is_in) AS messages_out,
       count(*) FILTER (NOT is_in AND source_app = client_key) AS by_this_app,
       count(*) FILTER (NOT is_in AND source_app = '') AS by_hand,
       count(*) FILTER (is_entry) AS openings,
       count(*) FILTER (begins) AS waits,
       median(epoch(answered_at) - epoch(happened_at)) FILTER (begins AND answered_at IS NOT NULL) AS first_answer_median_s,
       coalesce(max(happened_at) FILTER (is_in) > max(happened_at) FILTER (NOT is_in), count(*) FILTER (is_in) > 0) AS is_open,
       string_agg(DISTINCT origin, '+' ORDER BY origin) AS source
FROM happened LEFT JOIN names USING (client_key, open_id, person_open_id)
GROUP BY client_key, open_id, person_open_id, conversation_id
