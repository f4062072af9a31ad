-- Accounts 账号
-- en: Every account that is authorised now or has data: its present name, tags, status, fans and, from accounts.csv of the project folder, category, owner and client. Names that never fail to join: take them from here, not from marts by day.
-- zh: 当前授权或有数据的全部账号：当前名称、标签、状态、粉丝数，以及项目目录 accounts.csv 中的品类、负责人与客户。账号名称请由此表关联，不要取自逐日集市。
-- grain: one row per account
-- key: client_key, open_id
-- not null: name
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- covers: first_day, last_day
-- column name: Name: nickname as last seen, else the name that the account was added with, else its open_id / 账号名称：最近一次昵称，否则为添加时的名称，再否则为 open_id
-- column tags: Tags: words that a person gave the account, as a list / 标签：人工标签列表
-- column category: Category 品类: of accounts.csv; null where it says nothing / 品类：来自 accounts.csv，未填为空
-- column owner: Owner 负责人: of accounts.csv; null where it says nothing / 负责人：来自 accounts.csv，未填为空
-- column client: Client 客户: of accounts.csv; null where it says nothing / 客户：来自 accounts.csv，未填为空
-- column status: State: active, needs_consent, paused or stopped; null for an account that was removed / 状态：active 正常、needs_consent 需重新授权、paused 暂停、stopped 停用；已移除的账号为空
-- column fans [semi-additive]: Fans: at the end of fans_date, the last day with the series / 粉丝数：最近有数据日的日末值
-- column fans_date: Day of the fans: last day with the series / 粉丝数日期：序列最近一天
-- column fan_tier: Tier by fans: 0-1千, 1千-1万, 1万-10万, 10万-100万 or 100万+, lower bound included / 粉丝量级：含下限
-- column first_day: First day: with data of the account / 首个数据日：最早有数据的日期
-- column last_day: Last day: with data of the account / 最近数据日：最近有数据的日期
-- column added_at: Added at: when the account became known / 添加时间：账号首次登记的时刻
-- column added_date: Added on: Beijing day / 添加日期：北京日期
-- column added_hour: Hour added: of the Beijing day, 0 to 23 / 添加小时：北京时间 0–23
WITH days AS (
    SELECT client_key, open_id, min(dt) AS first_day, max(dt) AS last_day
    FROM (
        SELECT client_key, open_id, dt FROM main.account_profiles
        UNION ALL SELECT client_key, open_id, dt FROM main.user_fans
        UNION ALL SELECT client_key, open_id, dt FROM main.user_item
    )
    GROUP BY ALL
),
names AS (
    SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname FROM main.account_profiles WHERE nickname <> '' GROUP BY ALL
),
fans AS (SELECT client_key, open_id, arg_max(total_fans, dt) AS fans, max(dt) AS fans_date FROM main.user_fans WHERE total_fans IS NOT NULL GROUP BY ALL)
SELECT client_key, open_id, coalesce(n.nickname, nullif(a.name, ''), open_id) AS name,
       list_filter(string_split(coalesce(a.tags, ''), ', '), tag -> tag <> '') AS tags,
       a.category, a.owner, a.client, a.status, f.fans, f.fans_date,
       CASE
           WHEN f.fans < 1_000 THEN '0-1千'
           WHEN f.fans < 10_000 THEN '1千-1万'
           WHEN f.fans < 100_000 THEN '1万-10万'
           WHEN f.fans < 1_000_000 THEN '10万-100万'
           WHEN f.fans IS NOT NULL THEN '100万+'
       END AS fan_tier,
       d.first_day, d.last_day, a.added_at,
       (a.added_at AT TIME ZONE 'Asia/Shanghai')::DATE AS added_date, hour(a.added_at AT TIME ZONE 'Asia/Shanghai') AS added_hour
FROM meta.accounts AS a
FULL JOIN days AS d USING (client_key, open_id)
LEFT JOIN names AS n USING (client_key, open_id)
LEFT JOIN fans AS f USING (client_key, open_id)
