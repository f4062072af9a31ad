-- Fan portrait 粉丝画像
-- en: How the fans of each account are distributed by age, gender, province, device, interest and activity, and how each share changed in a week. Buckets of different dimensions count the same fans again.
-- zh: 各账号粉丝在年龄、性别、地域、设备、兴趣、活跃度上的分布，以及占比的一周变化；不同维度重复计入同一批粉丝。
-- grain: one row per account, dimension and bucket
-- key: dt, client_key, open_id, dimension, bucket
-- owner: team:data-platform
-- cadence: daily
-- mode: incremental
-- lookback: 8 days
-- rows: 30 %
-- column bucket: Bucket: label with equal separators; unknown 未知 where the platform does not know / 区间：平台未知时记为“未知”
-- column share_ratio [ratio]: Share: of the fans that the dimension knows / 占比：占该维度已知粉丝
-- column compared_with: Compared with: day nearest to a week before, six to eight days, the elder of two; null without one / 对比日期：6–8 天前最接近一周的采集日，同样接近取较早者，没有则为空
-- column fans_before [semi-additive]: Fans before: in the bucket then; null where the platform did not list it / 对比粉丝数：对比日的区间粉丝数，当时未列出为空
-- column share_change [ratio]: Change of the share: as a difference of ratios / 占比变化：两个比例之差
WITH lists AS (
    SELECT dt, client_key, open_id, dimension, coalesce(bucket, '未知') AS bucket, sum(fans) AS fans
    FROM (SELECT *, max(observed_at) OVER (PARTITION BY dt, client_key, open_id, dimension) AS last_at FROM main.fans_distributions)
    WHERE observed_at = last_at
    GROUP BY ALL
),
shares AS (
    SELECT *, fans / nullif(sum(fans) OVER (PARTITION BY dt, client_key, open_id, dimension), 0) AS share FROM lists
),
compared AS (
    SELECT client_key, open_id, dimension, arg_min(dt, (abs($dt - 7 - dt), dt)) AS dt
    FROM lists
    WHERE dt IN ($dt - 6, $dt - 7, $dt - 8)
    GROUP BY ALL
)
SELECT $dt AS dt, n.client_key, n.open_id, n.dimension, n.bucket, n.fans, round(n.share, 6) AS share_ratio, c.dt AS compared_with, b.fans AS fans_before, round(n.share - b.share, 6) AS share_change
FROM shares AS n
LEFT JOIN compared AS c ON c.client_key = n.client_key AND c.open_id = n.open_id AND c.dimension = n.dimension
LEFT JOIN shares AS b ON b.client_key = n.client_key AND b.open_id = n.open_id AND b.dimension = n.dimension AND b.bucket = n.bucket AND b.dt = c.dt
WHERE n.dt = $dt
