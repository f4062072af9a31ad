{# Restricts the table before it to the chosen accounts; empty if all accounts are meant. #}
{% if accounts %}SEMI JOIN (
    SELECT unnest($client_keys::VARCHAR[]) AS client_key, unnest($open_ids::VARCHAR[]) AS open_id
) USING (client_key, open_id){% endif %}
