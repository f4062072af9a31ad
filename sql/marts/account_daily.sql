-- Accounts day by day 账号日报
-- en: Every known account on every day: fans, plays and interactions as the platform counted them for that day. What is missing is marked and stays empty; nothing is filled in.
-- zh: 每个账号每天的粉丝、播放与互动（平台统计口径）。缺失的数据会标记并保持为空，不做插补。
-- grain: one row per account that was seen on the day or in the 30 days before
-- key: dt, client_key, open_id
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 30 days
-- days: user_item, user_fans, user_like, user_comment, user_share, user_profile
-- names: nickname dim_accounts.name
-- rows: 20 %
-- column nickname: Nickname: the present name of dim_accounts on every day; in the lake as last seen within the 30 days before / 昵称：dim_accounts 的当前名称（各日相同）；数据湖中为此前 30 天内最近一次
-- column net_fans [additive]: Net fans: fans at the end of the day less those of the day before; null where either is not known / 净增粉丝：当日末粉丝数减前一日，任一未知则为空
-- column net_fans_7d [semi-additive]: Net fans in 7 days: against the total seven days before / 7 日净增粉丝：当日末粉丝数减 7 日前
-- column interactions [additive]: Interactions: likes, comments and shares of the day; null where one of them is missing / 互动数：当日点赞、评论、分享之和，任一缺失则为空
-- column engagement_ratio [ratio]: Engagement rate: interactions over plays of the same day; not additive, sum both parts instead / 互动率：当日互动数与播放数之比；不可相加，应分别求和后再除
-- column plays_median_7d: Median plays: of a day over the seven days before, days without data left out / 播放中位数：前 7 日单日播放的中位数（无数据日不计）
-- column missing: Missing series: names of the series that have no row for the day, separated by commas; empty when all are there / 缺失序列：当日无数据的序列名，逗号分隔；齐全为空文本
-- column is_gap: Gap: at least one series is missing / 是否缺失：至少一个序列无数据
WITH known AS (
    SELECT client_key, open_id FROM main.user_item
    UNION SELECT client_key, open_id FROM main.user_fans
    UNION SELECT client_key, open_id FROM main.user_like
    UNION SELECT client_key, open_id FROM main.user_comment
    UNION SELECT client_key, open_id FROM main.user_share
    UNION SELECT client_key, open_id FROM main.user_profile
),
names AS (
    SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname FROM main.account_profiles GROUP BY ALL
),
medians AS (
    SELECT client_key, open_id, round(median(new_play), 1) AS plays_median_7d FROM main.user_item WHERE dt BETWEEN $dt - 7 AND $dt - 1 GROUP BY ALL
)
SELECT $dt AS dt, k.client_key, k.open_id, n.nickname,
       f.total_fans, f.new_fans, f.total_fans - f1.total_fans AS net_fans, f.total_fans - f7.total_fans AS net_fans_7d,
       i.new_issue, i.total_issue, i.new_play, l.new_like, c.new_comment, s.new_share, p.profile_uv,
       l.new_like + c.new_comment + s.new_share AS interactions,
       round((l.new_like + c.new_comment + s.new_share) / nullif(i.new_play, 0), 6) AS engagement_ratio,
       m.plays_median_7d,
       concat_ws(',',
           CASE WHEN f.open_id IS NULL THEN 'user_fans' END, CASE WHEN i.open_id IS NULL THEN 'user_item' END, CASE WHEN l.open_id IS NULL THEN 'user_like' END,
           CASE WHEN c.open_id IS NULL THEN 'user_comment' END, CASE WHEN s.open_id IS NULL THEN 'user_share' END, CASE WHEN p.open_id IS NULL THEN 'user_profile' END
       ) AS missing,
       f.open_id IS NULL OR i.open_id IS NULL OR l.open_id IS NULL OR c.open_id IS NULL OR s.open_id IS NULL OR p.open_id IS NULL AS is_gap
FROM known AS k
LEFT JOIN names AS n USING (client_key, open_id)
LEFT JOIN medians AS m USING (client_key, open_id)
LEFT JOIN main.user_fans AS f ON f.client_key = k.client_key AND f.open_id = k.open_id AND f.dt = $dt
LEFT JOIN main.user_fans AS f1 ON f1.client_key = k.client_key AND f1.open_id = k.open_id AND f1.dt = $dt - 1
LEFT JOIN main.user_fans AS f7 ON f7.client_key = k.client_key AND f7.open_id = k.open_id AND f7.dt = $dt - 7
LEFT JOIN main.user_item AS i ON i.client_key = k.client_key AND i.open_id = k.open_id AND i.dt = $dt
LEFT JOIN main.user_like AS l ON l.client_key = k.client_key AND l.open_id = k.open_id AND l.dt = $dt
LEFT JOIN main.user_comment AS c ON c.client_key = k.client_key AND c.open_id = k.open_id AND c.dt = $dt
LEFT JOIN main.user_share AS s ON s.client_key = k.client_key AND s.open_id = k.open_id AND s.dt = $dt
LEFT JOIN main.user_profile AS p ON p.client_key = k.client_key AND p.open_id = k.open_id AND p.dt = $dt
