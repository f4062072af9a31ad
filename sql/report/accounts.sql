SELECT client_key, open_id, coalesce(arg_max(a.nickname, dt), any_value(n.nickname)) AS nickname,
    arg_max(total_fans, dt) AS fans, arg_max(net_fans_7d, dt) FILTER (dt = $figures) AS net_fans_7d,
       sum(interactions) FILTER (interactions IS NOT NULL AND new_play IS NOT NULL AND dt > $figures - 7)
           / nullif(sum(new_play) FILTER (interactions IS NOT NULL AND dt > $figures - 7), 0) AS engagement,
       sum(new_play) FILTER (dt > $figures - 7) AS plays_7d,
           count(new_play) FILTER (dt > $figures - 7) AS days_7d,
       sum(new_play) FILTER (dt BETWEEN $figures - 13 AND $figures - 7) AS plays_before,
           count(new_play) FILTER (dt BETWEEN $figures - 13 AND $figures - 7) AS days_before,
       list_sort(list_distinct(flatten(list(string_split(missing, ',')) FILTER (is_gap)))) AS missing,
           count(*) OVER () AS all_accounts
FROM marts.account_daily AS a LEFT JOIN {% include "_names.sql" %} AS n USING (client_key, open_id)
    WHERE dt BETWEEN $since AND $figures GROUP BY client_key, open_id
    ORDER BY fans DESC NULLS LAST, open_id LIMIT 20
