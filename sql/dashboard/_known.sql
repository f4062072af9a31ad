known AS (SELECT max(dt) AS until FROM base WHERE new_play IS NOT NULL OR total_fans IS NOT NULL)
