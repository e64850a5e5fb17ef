-- Events that a follower of the log could not pass on, and why. The events themselves stay in the log.
CREATE TABLE log.dead_letters (
    follower text NOT NULL,
    place    text NOT NULL,
    position bigint,
    stage    text NOT NULL,
    error    text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower, place)
);
CREATE INDEX ON log.dead_letters (follower, position);

-- `whole`, `quick`, or the name of a follower that was compared with the log.
ALTER TABLE log.verifications ADD COLUMN scope text;
UPDATE log.verifications SET scope = CASE WHEN quick THEN 'quick' ELSE 'whole' END;
ALTER TABLE log.verifications ALTER COLUMN scope SET NOT NULL, DROP COLUMN quick;
CREATE INDEX ON log.verifications (scope, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.dead_letters TO annals_service;
        GRANT SELECT, INSERT, DELETE ON log.verifications TO annals_service;
    END IF;
END
$$;
