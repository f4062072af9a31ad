-- Accounts month by month 账号月报
-- en: Every account and calendar month in Beijing days: fans at start and end, growth, sums of plays and interactions, the pooled engagement rate, and changes against the month before and the year before. Sums take the days that are known: days_with_data counts them, and changes compare complete months only.
-- zh: 各账号按自然月（北京日期）汇总：期初与期末粉丝、净增、播放与互动之和、汇总互动率，以及环比与同比。求和只含有数据的日，天数见 days_with_data；环比与同比只比较数据完整的月。
-- grain: one row per account and month with a day in account_daily
-- key: client_key, open_id, month_start
-- not null: name, days_with_data, is_complete
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column month_start: Month: its first day / 月：当月 1 日
-- column days_in_month [d]: Days of the month: 28 to 31 / 当月天数：28 至 31
-- column name: Name: present name of dim_accounts / 账号名称：dim_accounts 的当前名称
-- column fans_start [semi-additive]: Fans at the start: at the end of the day before the month; null where not known / 期初粉丝数：月首日前一日的日末值，未知为空
-- column fans_end [semi-additive]: Fans at the end: of the last day of the month that is known / 期末粉丝数：月内最后一个有数据日的日末值
-- column net_fans [additive]: Net fans: fans_end less fans_start, in a running month so far; null where either is not known / 净增粉丝：期末减期初，进行中的月为至今，任一未知为空
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
-- column engagement_ratio [ratio]: Pooled engagement rate: engaged_interactions over engaged_plays; over accounts and months sum both parts and divide / 汇总互动率：互动率分子与分母之比；跨账号或月应分别求和后再除
-- column days_with_data [d]: Days with data: on which fans, plays, likes, comments and shares are all known / 有数据天数：粉丝、播放、点赞、评论、分享均有数据的天数
-- column is_complete: Complete: all days of the month have data; false for the running month / 是否完整：当月各日均有数据；进行中的月为否
-- column plays_mom [ratio]: Plays against the month before: change as a share of it, 0.1 is 10 % more; null unless both months are complete / 播放环比：相对上月的变化率，0.1 为增长 10%；任一月不完整为空
-- column interactions_mom [ratio]: Interactions against the month before: like plays_mom / 互动环比：口径同 plays_mom
-- column engagement_mom [ratio]: Engagement rate against the month before: like plays_mom / 互动率环比：口径同 plays_mom
-- column fans_yoy [ratio]: Fans year on year: fans_end against the same month of the year before; null unless both months are complete / 粉丝同比：期末粉丝相对上年同月的变化率；任一月不完整为空
-- column plays_yoy [ratio]: Plays year on year: like fans_yoy / 播放同比：口径同 fans_yoy
-- column interactions_yoy [ratio]: Interactions year on year: like fans_yoy / 互动同比：口径同 fans_yoy
-- column engagement_yoy [ratio]: Engagement rate year on year: like fans_yoy / 互动率同比：口径同 fans_yoy
WITH periods AS (
    SELECT client_key, open_id, date_trunc('month', dt)::DATE AS month_start,
           max(total_fans) FILTER (dt = last_day(dt)) AS fans_of_last_day, arg_max(total_fans, dt) FILTER (total_fans IS NOT NULL) AS fans_end,
           sum(new_fans) AS new_fans, sum(new_issue) AS posts, sum(new_play) AS plays, sum(new_like) AS likes, sum(new_comment) AS comments, sum(new_share) AS shares,
           sum(interactions) AS interactions, sum(interactions) FILTER (new_play IS NOT NULL) AS engaged_interactions, sum(new_play) FILTER (interactions IS NOT NULL) AS engaged_plays,
           count(*) FILTER (total_fans IS NOT NULL AND new_play IS NOT NULL AND interactions IS NOT NULL) AS days_with_data
    FROM marts.account_daily
    GROUP BY ALL
),
judged AS (
    SELECT *, engaged_interactions / nullif(engaged_plays, 0) AS engagement, days_with_data = day(last_day(month_start)) AS is_complete
    FROM periods
)
SELECT p.client_key, p.open_id, p.month_start, day(last_day(p.month_start)) AS days_in_month, coalesce(a.name, p.open_id) AS name,
       b.fans_of_last_day AS fans_start, p.fans_end, p.fans_end - b.fans_of_last_day AS net_fans, round((p.fans_end - b.fans_of_last_day) / nullif(b.fans_of_last_day, 0), 6) AS fans_growth_ratio,
       p.new_fans, p.posts, p.plays, p.likes, p.comments, p.shares, p.interactions, p.engaged_interactions, p.engaged_plays, round(p.engagement, 6) AS engagement_ratio,
       p.days_with_data, p.is_complete,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.plays / nullif(b.plays, 0) - 1, 6) END AS plays_mom,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.interactions / nullif(b.interactions, 0) - 1, 6) END AS interactions_mom,
       CASE WHEN p.is_complete AND b.is_complete THEN round(p.engagement / nullif(b.engagement, 0) - 1, 6) END AS engagement_mom,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.fans_end / nullif(y.fans_end, 0) - 1, 6) END AS fans_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.plays / nullif(y.plays, 0) - 1, 6) END AS plays_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.interactions / nullif(y.interactions, 0) - 1, 6) END AS interactions_yoy,
       CASE WHEN p.is_complete AND y.is_complete THEN round(p.engagement / nullif(y.engagement, 0) - 1, 6) END AS engagement_yoy
FROM judged AS p
LEFT JOIN judged AS b ON b.client_key = p.client_key AND b.open_id = p.open_id AND b.month_start = (p.month_start - INTERVAL 1 MONTH)::DATE
LEFT JOIN judged AS y ON y.client_key = p.client_key AND y.open_id = p.open_id AND y.month_start = (p.month_start - INTERVAL 1 YEAR)::DATE
LEFT JOIN marts.dim_accounts AS a ON a.client_key = p.client_key AND a.open_id = p.open_id
