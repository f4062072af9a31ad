CREATE TABLE accounts (
    client_key VARCHAR NOT NULL,
    open_id VARCHAR NOT NULL,
    name VARCHAR,
    status VARCHAR NOT NULL,
    reason VARCHAR,
    added_at FLOAT NOT NULL,
    PRIMARY KEY (client_key, open_id)
);
