(SELECT max(dt) FROM marts.billboard_moves WHERE board = $board AND dt BETWEEN $first AND $last)
