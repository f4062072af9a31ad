-- Hashtags of videos 视频话题标签
-- en: Each hashtag of each video once, to count and sum by hashtag; a video with three has three rows, so sums over hashtags count it three times.
-- zh: 每个视频的每个话题标签一行，用于按标签统计；一个视频有三个标签即三行，跨标签求和会重复计算。
-- grain: one row per video and hashtag
-- key: client_key, open_id, item_id, tag
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column tag: Hashtag: without # / 话题标签：不含 #
SELECT client_key, open_id, item_id, unnest(tags) AS tag FROM marts.dim_videos
