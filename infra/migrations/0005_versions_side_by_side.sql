-- Up to which position a projection version is folded while programs with other versions append, too. Null: nobody else
-- appends, and every append folds it.
ALTER TABLE log.projections ADD COLUMN folded bigint;

-- The programs that may be running: which projection versions each folds. One that runs holds a lock on its id.
CREATE TABLE log.programs (
    id       bigint PRIMARY KEY,
    versions text[] NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT SELECT ON log.programs TO annals_service;
    END IF;
END
$$;
