SELECT name, open_id, status, access_days_left, refresh_days_left, renewals_left, consent_days_left,
    warning_days IS NOT NULL AS is_due, count(*) OVER () AS all_accounts
FROM meta.accounts ORDER BY warning_days NULLS LAST, consent_days_left NULLS FIRST, open_id LIMIT 20
