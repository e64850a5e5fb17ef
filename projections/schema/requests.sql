-- The processing queue. `position` is the log's, of the last time that the request was queued: who came first.
CREATE TABLE requests (
    id            text COLLATE "C" PRIMARY KEY,
    position      bigint NOT NULL,
    queue         text NOT NULL,
    action        text NOT NULL,
    target        text NOT NULL,
    subresource   text NOT NULL,
    owner_id      bigint,
    owner         text,
    project_id    bigint,
    task_id       bigint,
    job_id        bigint,
    params        json NOT NULL,
    status        text NOT NULL,
    agent         text,
    message       text NOT NULL,
    result        json NOT NULL,
    created_date  timestamptz NOT NULL,
    started_date  timestamptz,
    finished_date timestamptz
) WITH (fillfactor = 70);
CREATE INDEX ON requests (queue, position) WHERE status IN ('queued', 'started');
CREATE INDEX ON requests (owner_id, position);
CREATE INDEX ON requests (task_id);
