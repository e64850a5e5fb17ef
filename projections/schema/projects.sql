CREATE TABLE projects (
    id              bigint PRIMARY KEY,
    name            text NOT NULL,
    owner_id        bigint,
    assignee_id     bigint,
    assignee_updated_date timestamptz,
    bug_tracker     text NOT NULL,
    organization_id bigint,
    source_storage  json,
    target_storage  json,
    task_count      integer NOT NULL,
    created_date    timestamptz NOT NULL,
    updated_date    timestamptz NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE projects_discarded (LIKE projects, deletion bigint NOT NULL, PRIMARY KEY (deletion, id));
