{# Several apps see the same list, so one of them is shown. #}
(SELECT min(client_key) FROM marts.billboard_moves WHERE board = $board AND dt = {% include "_last_list.sql" %})
