-- Videos 视频
-- en: Every video of the accounts that was ever listed, as last seen, with the Beijing day and hour of publication, hashtags, and whether the account's latest listing still has it.
-- zh: 各账号曾被列出的全部视频（最近一次状态）：北京时间的发布日期与小时、话题标签，以及账号最近一次列表中是否仍有。
-- grain: one row per video
-- key: client_key, open_id, item_id
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- covers: first_day, last_seen_date
-- column title: Title: as last seen / 标题：最近一次
-- column tags: Hashtags: words after # in the title, each once, in alphabetical order / 话题标签：标题中 # 之后的词，去重并排序
-- column published_date: Published on: Beijing day; null when the platform hides it / 发布日期：北京日期，平台隐藏时为空
-- column published_hour: Hour of publication: of the Beijing day, 0 to 23 / 发布小时：北京时间 0–23
-- column first_day: First day: on which it was listed / 首次出现日期：最早被列出的日期
-- column last_seen_at: Last seen at: latest listing that has it / 最近出现时间：最近一次列出它的时刻
-- column last_seen_date: Last seen on: Beijing day / 最近出现日期：北京日期
-- column is_listed: Listed: the account's latest listing has it; false for what was deleted or hidden since / 是否仍在列表：账号最近一次列表中仍有；删除或隐藏后为否
WITH seen AS (
    SELECT client_key, open_id, item_id, min(dt) AS first_day, max(observed_at) AS last_seen_at,
           arg_max({'title': title, 'media_type': media_type, 'created_at': created_at, 'is_top': is_top, 'share_url': share_url}, observed_at) AS last
    FROM main.videos
    GROUP BY ALL
)
SELECT client_key, open_id, item_id, last.title AS title, list_sort(list_distinct(regexp_extract_all(coalesce(last.title, ''), '#([^\s#@]+)', 1))) AS tags,
       last.media_type AS media_type, last.is_top AS is_top, last.created_at AS created_at,
       (last.created_at AT TIME ZONE 'Asia/Shanghai')::DATE AS published_date, hour(last.created_at AT TIME ZONE 'Asia/Shanghai') AS published_hour,
       first_day, last_seen_at, (last_seen_at AT TIME ZONE 'Asia/Shanghai')::DATE AS last_seen_date,
       last_seen_at = max(last_seen_at) OVER (PARTITION BY client_key, open_id) AS is_listed, last.share_url AS share_url
FROM seen
