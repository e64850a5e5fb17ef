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
CREATE INDEX ON annotations (job_id);
CREATE INDEX ON annotations (label_id);
