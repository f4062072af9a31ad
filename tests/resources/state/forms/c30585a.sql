CREATE TABLE accounts (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    name VARCHAR,
    status VARCHAR NOT NULL,
    reason VARCHAR,
    added_at FLOAT NOT NULL,
    tags VARCHAR,
    PRIMARY KEY (client_key, open_id)
);
CREATE TABLE user_tokens (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    access_token VARCHAR NOT NULL,
    access_expires_at FLOAT NOT NULL,
    refresh_token VARCHAR NOT NULL,
    refresh_expires_at FLOAT NOT NULL,
    renewals INTEGER NOT NULL,
    scope VARCHAR NOT NULL,
    updated_at FLOAT NOT NULL,
    PRIMARY KEY (client_key, open_id)
);
CREATE TABLE business_tokens (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    access_token VARCHAR NOT NULL,
    access_expires_at FLOAT NOT NULL,
    refresh_token VARCHAR NOT NULL,
    refresh_expires_at FLOAT NOT NULL,
    updated_at FLOAT NOT NULL,
    PRIMARY KEY (client_key, open_id)
);
CREATE TABLE client_tokens (
    client_key VARCHAR NOT NULL,
    access_token VARCHAR NOT NULL,
    expires_at FLOAT NOT NULL,
    PRIMARY KEY (client_key)
);
CREATE TABLE buckets (
    client_key VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    next_at FLOAT NOT NULL,
    PRIMARY KEY (client_key, scope)
);
CREATE TABLE quotas (
    client_key VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    day VARCHAR NOT NULL,
    calls BIGINT NOT NULL,
    exhausted INTEGER NOT NULL,
    PRIMARY KEY (client_key, scope, day)
);
CREATE TABLE load_status (
    table_name VARCHAR NOT NULL,
    dt VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    calls BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    code BIGINT,
    reason VARCHAR,
    updated_at FLOAT NOT NULL,
    PRIMARY KEY (table_name, dt, operation, client_key, open_id)
);
CREATE TABLE load_status_days (
    dt VARCHAR NOT NULL,
    changed_ns BIGINT NOT NULL,
    PRIMARY KEY (dt)
);
CREATE TABLE capabilities (
    client_key VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,
    owned INTEGER NOT NULL,
    code BIGINT,
    reason VARCHAR,
    since FLOAT NOT NULL,
    PRIMARY KEY (client_key, operation)
);
CREATE TABLE watched (
    client_key VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    added_at FLOAT NOT NULL,
    PRIMARY KEY (client_key, kind, value, open_id)
);
CREATE TABLE inbox (
    id INTEGER NOT NULL,
    client_key VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    body_hash VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    received_at FLOAT NOT NULL,
    day VARCHAR NOT NULL,
    body BLOB,
    PRIMARY KEY (id),
    UNIQUE (client_key, event_id),
    UNIQUE (client_key, body_hash)
);
CREATE INDEX inbox_by_day ON inbox (client_key, day);
CREATE TABLE receiving (
    client_key VARCHAR NOT NULL,
    since FLOAT NOT NULL,
    PRIMARY KEY (client_key)
);
CREATE TABLE chats (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    person_open_id VARCHAR NOT NULL,
    said_at FLOAT,
    said_id VARCHAR,
    said_in VARCHAR,
    entered_at FLOAT,
    entered_id VARCHAR,
    entered_in VARCHAR,
    consents INTEGER,
    consents_at FLOAT,
    by_hand_at FLOAT,
    handed_over_until FLOAT,
    PRIMARY KEY (client_key, open_id, person_open_id)
);
CREATE TABLE sent_messages (
    client_key VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    person_open_id VARCHAR NOT NULL,
    conversation_id VARCHAR,
    fingerprint VARCHAR NOT NULL,
    by_us INTEGER NOT NULL,
    sent_at FLOAT NOT NULL,
    outbox_id INTEGER,
    PRIMARY KEY (client_key, message_id)
);
CREATE INDEX sent_messages_by_person ON sent_messages (client_key, open_id, person_open_id);
CREATE TABLE plans (
    id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    occasion VARCHAR NOT NULL,
    planned_at FLOAT NOT NULL,
    good_until FLOAT NOT NULL,
    hash VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    approved_hash VARCHAR,
    approver VARCHAR,
    approved_at FLOAT,
    rules VARCHAR NOT NULL,
    effect_hours INTEGER,
    PRIMARY KEY (id)
);
CREATE TABLE outbox (
    id INTEGER NOT NULL,
    plan_id INTEGER,
    operation VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL,
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    person_open_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    scene VARCHAR,
    window_id VARCHAR,
    messages INTEGER NOT NULL,
    request VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    why VARCHAR,
    code BIGINT,
    "key" VARCHAR NOT NULL,
    claim VARCHAR,
    planned_at FLOAT NOT NULL,
    claimed_at FLOAT,
    claimed_by VARCHAR,
    ended_at FLOAT,
    delivered_at FLOAT,
    message_ids VARCHAR,
    resolved_by VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (claim)
);
CREATE INDEX outbox_by_plan ON outbox (plan_id);
CREATE INDEX outbox_by_state ON outbox (state);
CREATE INDEX outbox_by_key ON outbox ("key");
CREATE INDEX outbox_by_window ON outbox (client_key, window_id);
CREATE INDEX outbox_by_person ON outbox (client_key, person_open_id);
CREATE TABLE opt_outs (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    person_open_id VARCHAR NOT NULL,
    since FLOAT NOT NULL,
    how VARCHAR NOT NULL,
    PRIMARY KEY (client_key, open_id, person_open_id)
);
CREATE TABLE deletions (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    listed_at FLOAT NOT NULL,
    done_at FLOAT,
    PRIMARY KEY (client_key, open_id)
);
CREATE TABLE alerts (
    id INTEGER NOT NULL,
    "key" VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    zh VARCHAR NOT NULL,
    en VARCHAR NOT NULL,
    todo VARCHAR NOT NULL,
    tags VARCHAR NOT NULL,
    first_at FLOAT NOT NULL,
    last_at FLOAT NOT NULL,
    resolved_at FLOAT,
    due_at FLOAT,
    times INTEGER NOT NULL,
    muted_until FLOAT,
    PRIMARY KEY (id),
    UNIQUE ("key")
);
CREATE TABLE alert_deliveries (
    alert_id INTEGER NOT NULL,
    channel VARCHAR NOT NULL,
    sent_at FLOAT,
    ended_at FLOAT,
    message VARCHAR,
    tries INTEGER NOT NULL,
    next_try_at FLOAT,
    error VARCHAR,
    PRIMARY KEY (alert_id, channel)
);
CREATE TABLE alert_channels (
    channel VARCHAR NOT NULL,
    tries INTEGER NOT NULL,
    wait_until FLOAT,
    error VARCHAR,
    PRIMARY KEY (channel)
);
