-- What the last verifications found.
CREATE TABLE log.verifications (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    position    bigint NOT NULL,
    quick       boolean NOT NULL,
    differences integer NOT NULL,
    findings    json NOT NULL
);
