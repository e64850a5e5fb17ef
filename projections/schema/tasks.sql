CREATE TABLE tasks (
    id              bigint PRIMARY KEY,
    project_id      bigint,
    name            text NOT NULL,
    owner_id        bigint,
    assignee_id     bigint,
    assignee_updated_date timestamptz,
    bug_tracker     text NOT NULL,
    subset          text NOT NULL,
    segment_size    integer NOT NULL,
    overlap         integer,
    consensus_replicas integer NOT NULL,
    organization_id bigint,
    source_storage  json,
    target_storage  json,
    created_date    timestamptz NOT NULL,
    updated_date    timestamptz NOT NULL,
    -- Null until the task has data.
    size            integer,
    image_quality   smallint,
    chunk_size      integer,
    original_chunk_type text,
    compressed_chunk_type text,
    mode            text NOT NULL,
    dimension       text NOT NULL,
    media_type      text NOT NULL,
    -- Null unless a ground truth job stands.
    validation_mode text,
    -- Jobs by what counts for the task's status and summary.
    job_count       integer NOT NULL,
    annotation_jobs integer NOT NULL,
    completed_jobs  integer NOT NULL,
    validation_stage_jobs integer NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON tasks (project_id);
CREATE INDEX ON tasks (owner_id);
CREATE INDEX ON tasks (assignee_id);

CREATE TABLE tasks_discarded (LIKE tasks, deletion bigint NOT NULL, PRIMARY KEY (deletion, id));
