-- Copies of everything that can be read, as it was at a position of the log: each has a schema of its own, `copy_<name>`.
CREATE TABLE log.copies (
    name     text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    -- Of the last event that is in the copy; null: of an empty log.
    time     timestamptz,
    made_at  timestamptz NOT NULL DEFAULT now(),
    -- Projection → its version.
    versions json NOT NULL
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT SELECT ON log.copies TO annals_service;
    END IF;
END
$$;
