-- Each projection version has a schema of its own, read_<name>_v<version>, so that programs of different versions can
-- work side by side. What was in the one schema before is built anew at the start.
DROP SCHEMA IF EXISTS read CASCADE;
DROP TABLE log.projections;

-- Which projection versions there are, and up to which position each is folded.
CREATE TABLE log.projections (
    name     text NOT NULL,
    version  integer NOT NULL,
    position bigint NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
) WITH (fillfactor = 20);
