-- 各账号这一周表现如何？ How did each account do in the last seven days: fans gained, plays, likes per play?
SELECT
    coalesce(p.all_fans_num, max(f.total_fans)) AS fans,
    any_value(n.nickname) AS account,
    left(f.open_id, 8) AS open_id,
    count(*) AS days,
    sum(f.new_fans) AS fans_gained,
    sum(i.new_play) AS plays,
    sum(l.new_like) AS likes,
    round(sum(l.new_like) / nullif(sum(i.new_play), 0), 4) AS likes_per_play
FROM user_fans AS f
LEFT JOIN user_item AS i USING (client_key, open_id, stat_date)
LEFT JOIN user_like AS l USING (client_key, open_id, stat_date)
LEFT JOIN (
    SELECT client_key, open_id, arg_max(all_fans_num, observed_at) AS all_fans_num FROM fans_profile GROUP BY ALL
) AS p USING (client_key, open_id)
LEFT JOIN (
    SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname FROM account_profiles GROUP BY ALL
) AS n USING (client_key, open_id)
WHERE f.stat_date > (SELECT max(stat_date) - 7 FROM user_fans)
GROUP BY f.open_id, p.all_fans_num
ORDER BY plays DESC;
