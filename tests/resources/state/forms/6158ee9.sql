CREATE TABLE accounts (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    name VARCHAR,
    status VARCHAR NOT NULL,
    reason VARCHAR,
    added_at FLOAT NOT NULL,
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
