(
    SELECT client_key, open_id, arg_max(nickname, observed_at) AS nickname
    FROM main.account_profiles
    WHERE nickname IS NOT NULL
    GROUP BY ALL
)
