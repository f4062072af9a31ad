-- Codes and their labels 代码
-- en: What the codes of columns mean, in both languages; codes that the platform does not publish are not here.
-- zh: 各列代码的中英文含义；平台未公布的代码不在其中。
-- grain: one row per column and code
-- key: column_name, value
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column column_name: Column: of core tables and marts with this name / 列名：核心表与集市中的同名列
-- column value: Code as text: to join columns of texts / 代码（文本）：用于与文本列关联
-- column code: Code as a number: to join columns of numbers; null for texts / 代码（数字）：用于与数值列关联，文本代码为空
-- column label_zh: Label in Chinese: of the code / 中文标签
-- column label_en: Label in English: of the code / 英文标签
SELECT column_name, value, try_cast(value AS BIGINT) AS code, label_zh, label_en
FROM (VALUES
    ('media_type', '2', '图集', 'photo album'), ('media_type', '4', '视频', 'video'),
    ('video_status', '1', '已发布（旧）', 'published (legacy)'), ('video_status', '2', '不适宜公开', 'unfit'), ('video_status', '4', '审核中', 'under review'),
    ('video_status', '5', '公开', 'public'), ('video_status', '6', '好友可见', 'friends only'), ('video_status', '7', '私密', 'private'),
    ('label', '0', '无', 'none'), ('label', '1', '新', 'new'), ('label', '2', '推荐', 'recommended'), ('label', '3', '热', 'hot'), ('label', '4', '爆', 'explosive'), ('label', '5', '首发', 'first release'),
    ('gender', '0', '未知', 'unknown'), ('gender', '1', '男', 'male'), ('gender', '2', '女', 'female'),
    ('dimension', 'gender', '性别', 'gender'), ('dimension', 'age', '年龄', 'age'), ('dimension', 'province', '地域', 'province'), ('dimension', 'active_days', '活跃天数', 'active days'),
    ('dimension', 'device', '设备', 'device'), ('dimension', 'interest', '兴趣', 'interest'), ('dimension', 'city', '城市', 'city'),
    ('audience', 'visitors', '访客', 'visitors'), ('audience', 'buyers', '成交用户', 'buyers'),
    ('poi_category', '10', '餐饮', 'catering'), ('poi_category', '20', '景点', 'scenic spots'), ('poi_category', '30', '住宿', 'lodging'),
    ('ent_type', '1', '电影榜', 'films'), ('ent_type', '2', '电视剧榜', 'series'), ('ent_type', '3', '综艺榜', 'variety shows'),
    ('leads_level', '-1', '没兴趣', 'not interested'), ('leads_level', '0', '了解', 'aware'), ('leads_level', '1', '有兴趣', 'interested'), ('leads_level', '2', '有意愿', 'willing'), ('leads_level', '10', '已转化', 'converted'),
    ('action_type', '1', '私信', 'private message'), ('action_type', '2', '组件', 'component'), ('action_type', '3', '主页', 'home page'),
    ('conversation_type', '1', '单聊', 'private'), ('conversation_type', '2', '群聊', 'group'),
    ('subscription_status', '0', '未订阅', 'not subscribed'), ('subscription_status', '1', '已订阅', 'subscribed'),
    ('move', 'first', '无可比榜单', 'no list before'), ('move', 'enter', '进榜', 'entered'), ('move', 'leave', '掉榜', 'left'), ('move', 'up', '上升', 'up'), ('move', 'down', '下降', 'down'), ('move', 'stay', '持平', 'unchanged'),
    ('play_basis', 'series', '每日序列', 'daily series'), ('play_basis', 'total', '累计值', 'lifetime total'),
    ('status', 'active', '正常', 'active'), ('status', 'needs_consent', '需重新授权', 'needs consent'), ('status', 'paused', '暂停', 'paused'), ('status', 'stopped', '停用', 'stopped'),
    ('status', 'loaded', '已入库', 'loaded'), ('status', 'empty', '无数据', 'no data'), ('status', 'below_threshold', '未达门槛', 'below the threshold'), ('status', 'skipped', '跳过', 'skipped'),
    ('status', 'not_asked', '无需请求', 'not requested'), ('status', 'not_ready', '未产出', 'not ready'), ('status', 'partial', '部分成功', 'partial'), ('status', 'gone', '已不可取', 'gone'),
    ('status', 'unavailable', '能力不可用', 'unavailable'), ('status', 'quota', '配额用尽', 'quota used up'), ('status', 'failed', '失败', 'failed'),
    ('fan_tier', '0-1千', '1 千以下', 'below 1,000'), ('fan_tier', '1千-1万', '1 千至 1 万', '1,000 to 10,000'), ('fan_tier', '1万-10万', '1 万至 10 万', '10,000 to 100,000'),
    ('fan_tier', '10万-100万', '10 万至 100 万', '100,000 to 1 million'), ('fan_tier', '100万+', '100 万及以上', '1 million or more')
) AS c (column_name, value, label_zh, label_en)
