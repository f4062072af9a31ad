-- Days 日期
-- en: Every day from 2018 to 2035 with week, month, public holidays, days off in lieu and shopping festivals. Holidays and working weekends are those of the State Council's yearly notices (国务院办公厅关于部分节假日安排的通知) for 2018 to 2026; later days have none yet, and say null, not false.
-- zh: 2018–2035 年每一天：周、月、法定节假日、调休与大促。节假日与调休依据国务院办公厅每年的放假通知（2018–2026 年）；之后的日期尚未公布，为空而非“否”。
-- grain: one row per day
-- key: dt
-- owner: team:data-platform
-- cadence: daily
-- mode: full
-- covers: dt
-- column dt: Day: Beijing day / 日期：北京日期
-- column year: Year: of the calendar / 年：公历年
-- column quarter: Quarter: 1 to 4 / 季度：一至四季度
-- column month: Month: 1 to 12 / 月：一至十二月
-- column month_start: First of the month: to group by / 月初：用于按月汇总
-- column iso_week: ISO week: such as 2026-W47; weeks begin on Monday, and those around New Year belong to the year of their Thursday / ISO 周：如 2026-W47，周一开始，跨年周按周四所在年份
-- column week_start: Monday of the week: to group by / 周一日期：用于按周汇总
-- column weekday: Weekday: 1 Monday to 7 Sunday / 星期：1 周一至 7 周日
-- column weekday_zh: Weekday in Chinese: 周一 to 周日 / 星期（中文）：周一至周日
-- column is_weekend: Weekend: Saturday or Sunday, whether or not it is worked / 是否周末：周六或周日，不考虑调休
-- column holiday: Public holiday: its name on each day off, and on the weekend that is worked for it; null on all other days and where no notice is known / 节假日：放假日及其调休上班日的节日名称，其他日期与尚无通知的日期为空
-- column is_holiday: Day off for a holiday: null after the last known notice / 是否法定放假：无通知的年份为空
-- column is_makeup_workday: Working weekend 调休上班: null after the last known notice / 是否调休上班：无通知的年份为空
-- column is_workday: Working day: weekday without a holiday, or a working weekend; null after the last known notice / 是否工作日：考虑放假与调休，无通知的年份为空
-- column festival: Shopping festival: 618 (June 1 to 20), 双11 (November 1 to 11), 年货节 (the 28 days before Spring Festival); platforms set other days each year / 大促：618（6 月 1–20 日）、双11（11 月 1–11 日）、年货节（春节前 28 天）；平台每年实际档期不同
WITH holidays AS (
    SELECT unnest(generate_series(first::DATE, last::DATE, INTERVAL 1 DAY))::DATE AS dt, name
    FROM (VALUES
        ('2018-01-01', '2018-01-01', '元旦'), ('2018-02-15', '2018-02-21', '春节'), ('2018-04-05', '2018-04-07', '清明节'), ('2018-04-29', '2018-05-01', '劳动节'), ('2018-06-18', '2018-06-18', '端午节'), ('2018-09-24', '2018-09-24', '中秋节'), ('2018-10-01', '2018-10-07', '国庆节'),
        ('2018-12-30', '2019-01-01', '元旦'), ('2019-02-04', '2019-02-10', '春节'), ('2019-04-05', '2019-04-07', '清明节'), ('2019-05-01', '2019-05-04', '劳动节'), ('2019-06-07', '2019-06-09', '端午节'), ('2019-09-13', '2019-09-15', '中秋节'), ('2019-10-01', '2019-10-07', '国庆节'),
        ('2020-01-01', '2020-01-01', '元旦'), ('2020-01-24', '2020-02-02', '春节'), ('2020-04-04', '2020-04-06', '清明节'), ('2020-05-01', '2020-05-05', '劳动节'), ('2020-06-25', '2020-06-27', '端午节'), ('2020-10-01', '2020-10-08', '国庆节'),
        ('2021-01-01', '2021-01-03', '元旦'), ('2021-02-11', '2021-02-17', '春节'), ('2021-04-03', '2021-04-05', '清明节'), ('2021-05-01', '2021-05-05', '劳动节'), ('2021-06-12', '2021-06-14', '端午节'), ('2021-09-19', '2021-09-21', '中秋节'), ('2021-10-01', '2021-10-07', '国庆节'),
        ('2022-01-01', '2022-01-03', '元旦'), ('2022-01-31', '2022-02-06', '春节'), ('2022-04-03', '2022-04-05', '清明节'), ('2022-04-30', '2022-05-04', '劳动节'), ('2022-06-03', '2022-06-05', '端午节'), ('2022-09-10', '2022-09-12', '中秋节'), ('2022-10-01', '2022-10-07', '国庆节'),
        ('2022-12-31', '2023-01-02', '元旦'), ('2023-01-21', '2023-01-27', '春节'), ('2023-04-05', '2023-04-05', '清明节'), ('2023-04-29', '2023-05-03', '劳动节'), ('2023-06-22', '2023-06-24', '端午节'), ('2023-09-29', '2023-09-29', '中秋节'), ('2023-09-30', '2023-10-06', '国庆节'),
        ('2023-12-30', '2024-01-01', '元旦'), ('2024-02-10', '2024-02-17', '春节'), ('2024-04-04', '2024-04-06', '清明节'), ('2024-05-01', '2024-05-05', '劳动节'), ('2024-06-10', '2024-06-10', '端午节'), ('2024-09-15', '2024-09-17', '中秋节'), ('2024-10-01', '2024-10-07', '国庆节'),
        ('2025-01-01', '2025-01-01', '元旦'), ('2025-01-28', '2025-02-04', '春节'), ('2025-04-04', '2025-04-06', '清明节'), ('2025-05-01', '2025-05-05', '劳动节'), ('2025-05-31', '2025-06-02', '端午节'), ('2025-10-01', '2025-10-05', '国庆节'), ('2025-10-06', '2025-10-06', '中秋节'), ('2025-10-07', '2025-10-08', '国庆节'),
        ('2026-01-01', '2026-01-03', '元旦'), ('2026-02-15', '2026-02-23', '春节'), ('2026-04-04', '2026-04-06', '清明节'), ('2026-05-01', '2026-05-05', '劳动节'), ('2026-06-19', '2026-06-21', '端午节'), ('2026-09-25', '2026-09-27', '中秋节'), ('2026-10-01', '2026-10-07', '国庆节')
    ) AS h (first, last, name)
),
makeup_workdays AS (
    SELECT day::DATE AS dt, name
    FROM (VALUES
        ('2018-02-11', '春节'), ('2018-02-24', '春节'), ('2018-04-08', '清明节'), ('2018-04-28', '劳动节'), ('2018-09-29', '国庆节'), ('2018-09-30', '国庆节'), ('2018-12-29', '元旦'),
        ('2019-02-02', '春节'), ('2019-02-03', '春节'), ('2019-04-28', '劳动节'), ('2019-05-05', '劳动节'), ('2019-09-29', '国庆节'), ('2019-10-12', '国庆节'),
        ('2020-01-19', '春节'), ('2020-04-26', '劳动节'), ('2020-05-09', '劳动节'), ('2020-06-28', '端午节'), ('2020-09-27', '国庆节'), ('2020-10-10', '国庆节'),
        ('2021-02-07', '春节'), ('2021-02-20', '春节'), ('2021-04-25', '劳动节'), ('2021-05-08', '劳动节'), ('2021-09-18', '中秋节'), ('2021-09-26', '国庆节'), ('2021-10-09', '国庆节'),
        ('2022-01-29', '春节'), ('2022-01-30', '春节'), ('2022-04-02', '清明节'), ('2022-04-24', '劳动节'), ('2022-05-07', '劳动节'), ('2022-10-08', '国庆节'), ('2022-10-09', '国庆节'),
        ('2023-01-28', '春节'), ('2023-01-29', '春节'), ('2023-04-23', '劳动节'), ('2023-05-06', '劳动节'), ('2023-06-25', '端午节'), ('2023-10-07', '国庆节'), ('2023-10-08', '国庆节'),
        ('2024-02-04', '春节'), ('2024-02-18', '春节'), ('2024-04-07', '清明节'), ('2024-04-28', '劳动节'), ('2024-05-11', '劳动节'), ('2024-09-14', '中秋节'), ('2024-09-29', '国庆节'), ('2024-10-12', '国庆节'),
        ('2025-01-26', '春节'), ('2025-02-08', '春节'), ('2025-04-27', '劳动节'), ('2025-09-28', '国庆节'), ('2025-10-11', '国庆节'),
        ('2026-01-04', '元旦'), ('2026-02-14', '春节'), ('2026-02-28', '春节'), ('2026-05-09', '劳动节'), ('2026-09-20', '国庆节'), ('2026-10-10', '国庆节')
    ) AS w (day, name)
),
new_years AS (
    SELECT day::DATE AS day
    FROM (VALUES
        ('2018-02-16'), ('2019-02-05'), ('2020-01-25'), ('2021-02-12'), ('2022-02-01'), ('2023-01-22'), ('2024-02-10'), ('2025-01-29'), ('2026-02-17'), ('2027-02-06'),
        ('2028-01-26'), ('2029-02-13'), ('2030-02-03'), ('2031-01-23'), ('2032-02-11'), ('2033-01-31'), ('2034-02-19'), ('2035-02-08'), ('2036-01-28')
    ) AS n (day)
),
days AS (SELECT unnest(generate_series(DATE '2018-01-01', DATE '2035-12-31', INTERVAL 1 DAY))::DATE AS dt),
noted AS (SELECT *, dt <= DATE '2026-12-31' AS is_known, isodow(dt) AS weekday FROM days)
SELECT dt, year(dt) AS year, quarter(dt) AS quarter, month(dt) AS month, date_trunc('month', dt)::DATE AS month_start,
       strftime(dt, '%G-W%V') AS iso_week, (dt - (weekday - 1)::INTEGER) AS week_start, weekday,
       ['周一', '周二', '周三', '周四', '周五', '周六', '周日'][weekday] AS weekday_zh, weekday >= 6 AS is_weekend,
       coalesce(h.name, w.name) AS holiday,
       CASE WHEN is_known THEN h.name IS NOT NULL END AS is_holiday,
       CASE WHEN is_known THEN w.name IS NOT NULL END AS is_makeup_workday,
       CASE WHEN is_known THEN w.name IS NOT NULL OR (weekday <= 5 AND h.name IS NULL) END AS is_workday,
       CASE
           WHEN month(dt) = 6 AND day(dt) <= 20 THEN '618'
           WHEN month(dt) = 11 AND day(dt) <= 11 THEN '双11'
           WHEN EXISTS (FROM new_years AS n WHERE noted.dt BETWEEN n.day - 28 AND n.day - 1) THEN '年货节'
       END AS festival
FROM noted
LEFT JOIN holidays AS h USING (dt)
LEFT JOIN makeup_workdays AS w USING (dt)
