-- What reviewers found. Issues of deleted jobs stay, unseen, and come back with the job.
CREATE TABLE issues (
    id           bigint PRIMARY KEY,
    job_id       bigint NOT NULL,
    frame        integer NOT NULL,
    position     json NOT NULL,
    owner_id     bigint,
    assignee_id  bigint,
    resolved     boolean NOT NULL,
    comment_count integer NOT NULL,
    created_date timestamptz NOT NULL,
    updated_date timestamptz NOT NULL
);
CREATE INDEX ON issues (job_id);

CREATE TABLE comments (
    id           bigint PRIMARY KEY,
    issue_id     bigint NOT NULL,
    owner_id     bigint,
    message      text NOT NULL,
    created_date timestamptz NOT NULL,
    updated_date timestamptz NOT NULL
);
CREATE INDEX ON comments (issue_id);
