-- Users, also deleted ones: what they made still names them.
CREATE TABLE users (
    id            bigint PRIMARY KEY,
    username      text NOT NULL,
    email         text NOT NULL,
    first_name    text NOT NULL,
    last_name     text NOT NULL,
    role          text NOT NULL,
    is_active     boolean NOT NULL,
    is_deleted    boolean NOT NULL,
    password_hash text NOT NULL,
    date_joined   timestamptz NOT NULL,
    last_login    timestamptz
);
CREATE UNIQUE INDEX ON users (lower(username)) WHERE NOT is_deleted;
CREATE INDEX ON users (lower(email)) WHERE NOT is_deleted;
CREATE INDEX ON users (id) WHERE role = 'admin' AND is_active;

-- Open logins. A cookie or a token is looked up by its SHA-256.
CREATE TABLE logins (
    id          bigint PRIMARY KEY,
    user_id     bigint NOT NULL,
    cookie_hash text NOT NULL UNIQUE,
    token_hash  text NOT NULL UNIQUE,
    expires     timestamptz NOT NULL
);
CREATE INDEX ON logins (user_id);
