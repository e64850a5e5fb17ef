-- Every object that stands in a job. `doc` is what the client gets, byte for byte; a GET only strings rows together.
CREATE TABLE annotations (
    id       bigint PRIMARY KEY,
    job_id   bigint NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    type     text COLLATE "C" NOT NULL,
    label_id bigint NOT NULL,
    frame    integer NOT NULL,
    doc      json NOT NULL
);
-- One index for both: by job, which is what is read all the time; by label only when a label is deleted (PostgreSQL 18
-- skips from job to job).
CREATE INDEX ON annotations (job_id, label_id);
