-- Accounts week by week 账号周报
-- en: Every account and ISO week, Monday to Sunday, in Beijing days: fans at start and end, growth, sums of plays and interactions, the pooled engagement rate, and changes against the week before and the year before. Sums take the days that are known: days_with_data counts them, and changes compare complete weeks only.
-- zh: 各账号按自然周（周一至周日）（北京日期）汇总：期初与期末粉丝、净增、播放与互动之和、汇总互动率，以及环比与同比。求和只含有数据的日，天数见 days_with_data；环比与同比只比较数据完整的周。
-- grain: one row per account and week with a day in account_daily
-- key: client_key, open_id, week_start
-- not null: name, days_with_data, is_complete
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column week_start: Week: its Monday / 周：周一日期
-- column iso_week: ISO week: such as 2026-W47 / ISO 周：如 2026-W47
-- column name: Name: present name of dim_accounts / 账号名称：dim_accounts 的当前名称
-- column fans_start [semi-additive]: Fans at the start: at the end of the day before the week; null where not known / 期初粉丝数：周首日前一日的日末值，未知为空
-- column fans_end [semi-additive]: Fans at the end: of the last day of the week that is known / 期末粉丝数：周内最后一个有数据日的日末值
-- column net_fans [additive]: Net fans: fans_end less fans_start, in a running week so far; null where either is not known / 净增粉丝：期末减期初，进行中的周为至今，任一未知为空
-- column fans_growth_ratio [ratio]: Growth of fans: net_fans over fans_start / 粉丝增长率：净增粉丝与期初粉丝之比
-- column new_fans [additive]: New fans: of the known days / 新增粉丝：有数据日之和
-- column posts [additive]: Videos published: of the known days / 发布数：有数据日之和
-- column plays [additive]: Plays: of the known days / 播放数：有数据日之和
-- column likes [additive]: Likes: of the known days / 点赞数：有数据日之和
-- column comments [additive]: Comments: of the known days / 评论数：有数据日之和
-- column shares [additive]: Shares: of the known days / 分享数：有数据日之和
-- column interactions [additive]: Interactions: likes, comments and shares of the days on which all three are known / 互动数：点赞、评论、分享之和，只含三者齐全的日
-- column engaged_interactions [additive]: Interactions behind the rate: of the days with interactions and plays / 互动率分子：互动与播放均有数据日的互动数
-- column engaged_plays [additive]: Plays behind the rate: of the same days / 互动率分母：同样这些日的播放数
-- column engagement_ratio [ratio]: Pooled engagement rate: engaged_interactions over engaged_plays; over accounts and weeks sum both parts and divide / 汇总互动率：互动率分子与分母之比；跨账号或周应分别求和后再除
-- column days_with_data [d]: Days with data: on which fans, plays, likes, comments and shares are all known / 有数据天数：粉丝、播放、点赞、评论、分享均有数据的天数
-- column is_complete: Complete: all seven days have data; false for the running week / 是否完整：七天均有数据；进行中的周为否
-- column plays_wow [ratio]: Plays against the week before: change as a share of it, 0.1 is 10 % more; null unless both weeks are complete / 播放环比：相对上周的变化率，0.1 为增长 10%；任一周不完整为空
-- column interactions_wow [ratio]: Interactions against the week before: like plays_wow / 互动环比：口径同 plays_wow
-- column engagement_wow [ratio]: Engagement rate against the week before: like plays_wow / 互动率环比：口径同 plays_wow
-- column fans_yoy [ratio]: Fans year on year: fans_end against 52 weeks before; null unless both weeks are complete / 粉丝同比：期末粉丝相对 52 周前的变化率；任一周不完整为空
-- column plays_yoy [ratio]: Plays year on year: like fans_yoy / 播放同比：口径同 fans_yoy
-- column interactions_yoy [ratio]: Interactions year on year: like fans_yoy / 互动同比：口径同 fans_yoy
-- column engagement_yoy [ratio]: Engagement rate year on year: like fans_yoy / 互动率同比：口径同 fans_yoy
WITH periods AS (
    SELECT client_key, open_id, date_trunc('week', dt)::DATE AS week_start,
           max(total_fans) FILTER (dt = date_trunc('week', dt)::DATE + 6) AS fans_of_last_day, arg_max(total_fans, dt) FILTER (total_fans IS NOT NULL) AS fans_end,
           sum(new_fans) AS new_fans, sum(new_issue) AS posts, sum(new_play) AS plays, sum(new_like) AS likes, sum(new_comment) AS comments, sum(new_share) AS shares,
           sum(interactions) AS interactions, sum(interactions) FILTER (new_play IS NOT NULL) AS engaged_interactions, sum(new_play) FILTER (interactions IS NOT NULL) AS engaged_plays,
           count(*) FILTER (total_fans IS NOT NULL AND new_play IS NOT NULL AND interactions IS NOT NULL) AS days_with_data
    FROM marts.account_daily
    GROUP BY ALL
),
judged AS (
    SELECT *, engaged_interactions / nullif(engaged_plays, 0) AS engagement, days_with_data = 7 AS is_complete
    FROM periods
)
SELECT p.client_key, p.open_id, p.week_start, strftime(p.week_start, '%G-W%V') AS iso_week, coalesce(a.name, p.open_id) AS name,
       b.fans_of_last_day AS fans_start, p.fans_end, p.fans_end - b.fans_of_last_day AS net_fans, round((p.fans_end - b.fans_of_last_day) / nullif(b.fans_of_last_day, 0), 6) AS fans_growth_ratio,
       p.new_fans, p.posts, p.plays, p.likes, p.comments, p.shares, p.interactions, p.engaged_interactions, p.engaged_plays, round(p.engagement, 6) AS engagement_ratio,
       p.days_with_data, p.is_complete,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.plays / nullif(b.plays, 0) - 1, 6) END AS plays_wow,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.interactions / nullif(b.interactions, 0) - 1, 6) END AS interactions_wow,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.engagement / nullif(b.engagement, 0) - 1, 6) END AS engagement_wow,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.fans_end / nullif(y.fans_end, 0) - 1, 6) END AS fans_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.plays / nullif(y.plays, 0) - 1, 6) END AS plays_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.interactions / nullif(y.interactions, 0) - 1, 6) END AS interactions_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.engagement / nullif(y.engagement, 0) - 1, 6) END AS engagement_yoy
FROM judged AS p
LEFT JOIN judged AS b ON b.client_key = p.client_key AND b.open_id = p.open_id AND b.week_start = p.week_start - 7
LEFT JOIN judged AS y ON y.client_key = p.client_key AND y.open_id = p.open_id AND y.week_start = p.week_start - 364
LEFT JOIN marts.dim_accounts AS a ON a.client_key = p.client_key AND a.open_id = p.open_id
