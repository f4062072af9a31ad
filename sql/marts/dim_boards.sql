-- Billboards 榜单
-- en: Every billboard with its names, its family and the core table that its lists are in.
-- zh: 全部榜单的名称、所属类别与所在核心表。
-- grain: one row per billboard
-- key: board
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- column board: Billboard: as marts.billboard_moves names it; billboard_music has hot for music_hot, poi_billboard the number of poi_10 / 榜单：与 marts.billboard_moves 一致；billboard_music 中 music_hot 为 hot，poi_billboard 中 poi_10 为 10
-- column name_zh: Chinese name: as the platform has it / 中文名：平台名称
-- column name_en: English name: of the list / 英文名
-- column family: Family: vertical or kind of the list / 类别代码：垂类或榜单类型
-- column family_zh: Family in Chinese: vertical 垂类 or kind of the list / 类别：垂类或榜单类型
-- column table_name: Core table: that its lists are in / 核心表：榜单所在表
SELECT *
FROM (VALUES
    ('sport_overall', '体育总榜', 'Sport overall', 'sport', '体育', 'billboard_creators'),
    ('sport_basketball', '篮球榜', 'Basketball', 'sport', '体育', 'billboard_creators'),
    ('sport_soccer', '足球榜', 'Soccer', 'sport', '体育', 'billboard_creators'),
    ('sport_comprehensive', '综合体育榜', 'Multi-sport', 'sport', '体育', 'billboard_creators'),
    ('sport_fitness', '运动健身榜', 'Fitness', 'sport', '体育', 'billboard_creators'),
    ('sport_outdoors', '户外运动榜', 'Outdoor sport', 'sport', '体育', 'billboard_creators'),
    ('sport_table_tennis', '台球榜', 'Billiards (the path says table_tennis)', 'sport', '体育', 'billboard_creators'),
    ('sport_culture', '运动文化榜', 'Sport culture', 'sport', '体育', 'billboard_creators'),
    ('amusement_overall', '搞笑总榜', 'Comedy overall', 'amusement', '搞笑', 'billboard_creators'),
    ('amusement_new', '搞笑新势力榜', 'Comedy newcomers', 'amusement', '搞笑', 'billboard_creators'),
    ('game_console', '单机主机榜', 'Console and single-player games', 'game', '游戏', 'billboard_creators'),
    ('game_inf', '游戏资讯榜', 'Game news', 'game', '游戏', 'billboard_creators'),
    ('food_overall', '美食总榜', 'Food overall', 'food', '美食', 'billboard_creators'),
    ('food_new', '美食新势力榜', 'Food newcomers', 'food', '美食', 'billboard_creators'),
    ('food_tutorial', '美食教程榜', 'Food tutorials', 'food', '美食', 'billboard_creators'),
    ('food_shop', '美食探店榜', 'Restaurant visits', 'food', '美食', 'billboard_creators'),
    ('drama_overall', '剧情总榜', 'Drama overall', 'drama', '剧情', 'billboard_creators'),
    ('car_overall', '汽车总榜', 'Cars overall', 'car', '汽车', 'billboard_creators'),
    ('car_comment', '评车榜', 'Car reviews', 'car', '汽车', 'billboard_creators'),
    ('car_play', '玩车榜', 'Car fun', 'car', '汽车', 'billboard_creators'),
    ('car_use', '用车榜', 'Car use', 'car', '汽车', 'billboard_creators'),
    ('car_driver', '驾考榜', 'Driving test', 'car', '汽车', 'billboard_creators'),
    ('travel_overall', '旅游总榜', 'Travel overall', 'travel', '旅游', 'billboard_creators'),
    ('travel_new', '旅游新势力榜', 'Travel newcomers', 'travel', '旅游', 'billboard_creators'),
    ('cospa_overall', '二次元总榜', 'Anime culture overall', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_qing_man', '轻漫榜', 'Light comics', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_out_shot', '出境拍摄榜', 'Cosplay shooting', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_painting', '绘画榜', 'Drawing', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_voice_control', '声控榜', 'Voice', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_brain_cavity', '脑洞榜', 'Imagination', 'cospa', '二次元', 'billboard_creators'),
    ('cospa_new', '二次元新势力榜', 'Anime newcomers', 'cospa', '二次元', 'billboard_creators'),
    ('hot_video', '热门视频榜', 'Hot videos', 'content', '内容', 'billboard_videos'),
    ('topic', '话题榜', 'Topics', 'content', '内容', 'billboard_topics'),
    ('prop', '道具榜', 'Props and effects', 'content', '内容', 'billboard_props'),
    ('stars', '娱乐明星榜', 'Entertainment stars', 'people', '人物', 'billboard_stars'),
    ('live', '直播榜', 'Live streams', 'people', '人物', 'billboard_live'),
    ('music_hot', '热歌榜', 'Hot songs', 'music', '音乐', 'billboard_music'),
    ('music_soar', '飙升榜', 'Soaring songs', 'music', '音乐', 'billboard_music'),
    ('music_original', '原创榜', 'Original songs', 'music', '音乐', 'billboard_music'),
    ('poi_10', '餐饮热度榜', 'Hottest restaurants', 'poi', '门店', 'poi_billboard'),
    ('poi_20', '景点热度榜', 'Hottest scenic spots', 'poi', '门店', 'poi_billboard'),
    ('poi_30', '住宿热度榜', 'Hottest lodging', 'poi', '门店', 'poi_billboard')
) AS b (board, name_zh, name_en, family, family_zh, table_name)
