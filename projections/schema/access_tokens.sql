-- Access tokens that were not revoked; they may have expired. A value is looked up by its SHA-256.
CREATE TABLE access_tokens (
    id             bigint PRIMARY KEY,
    user_id        bigint NOT NULL,
    name           text NOT NULL,
    read_only      boolean NOT NULL,
    expiry_date    timestamptz,
    value_hash     text NOT NULL UNIQUE,
    created_date   timestamptz NOT NULL,
    updated_date   timestamptz NOT NULL,
    last_used_date timestamptz
);
CREATE INDEX ON access_tokens (user_id);
