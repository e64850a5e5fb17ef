-- Every object that stands in a job, by the bucket: see projections/packing.py. `docs` is what the client gets, byte for
-- byte, an object a line; a GET only strings lines together. A full bucket stays in its page instead of being cut up.
CREATE TABLE annotations (
    bucket    bigint NOT NULL,
    job_id    bigint NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    ids       bigint[] NOT NULL,
    frames    integer[] NOT NULL,
    types     text[] NOT NULL,
    label_ids bigint[] NOT NULL,
    docs      text NOT NULL,
    PRIMARY KEY (bucket, job_id, kind)
) WITH (toast_tuple_target = 8160);
CREATE INDEX ON annotations (job_id);
-- PostgreSQL's own compression takes longer than all the rest of a submit.
ALTER TABLE annotations ALTER COLUMN docs SET STORAGE EXTERNAL;

-- The same, an object a row.
CREATE VIEW annotation_objects AS
SELECT a.bucket, a.job_id, a.kind, o.*
FROM annotations a,
    unnest(a.ids, a.frames, a.types, a.label_ids, string_to_array(a.docs, E'\n'))
        AS o (id, frame, type, label_id, doc);
