CREATE TABLE jobs (
    id              bigint PRIMARY KEY,
    task_id         bigint NOT NULL,
    project_id      bigint,
    segment_id      bigint NOT NULL,
    type            text NOT NULL,
    start_frame     integer NOT NULL,
    stop_frame      integer NOT NULL,
    -- Fewer than there are from start to stop, where only some frames are in the job (ground truth).
    frame_count     integer NOT NULL,
    parent_job_id   bigint,
    replicas_count  integer NOT NULL,
    issue_count     integer NOT NULL,
    assignee_id     bigint,
    assignee_updated_date timestamptz,
    stage           text NOT NULL,
    state           text NOT NULL,
    created_date    timestamptz NOT NULL,
    updated_date    timestamptz NOT NULL,
    -- The version of the stream annotations-<id>: 0 as long as nobody has drawn.
    annotations_version bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON jobs (task_id, id);
CREATE INDEX ON jobs (project_id);
CREATE INDEX ON jobs (assignee_id);
CREATE INDEX ON jobs (parent_job_id) WHERE parent_job_id IS NOT NULL;

CREATE TABLE jobs_discarded (LIKE jobs, deletion bigint NOT NULL, PRIMARY KEY (deletion, id));
