-- How jobs get on. Rows of one event count as one step.
CREATE OR REPLACE VIEW ${database}.jobs ${on_cluster}
(
    job_id UInt64 COMMENT 'The job',
    project_id Nullable(UInt64) COMMENT 'Its project, as when it last changed',
    task_id Nullable(UInt64) COMMENT 'Its task',
    type String COMMENT 'annotation, replica or ground_truth',
    frames UInt32 COMMENT 'Its frames. Of a ground truth job: the span they lie in',
    stage String COMMENT 'annotation, validation or acceptance',
    state String COMMENT 'new, in progress, completed or rejected',
    assignee_id Nullable(UInt64) COMMENT 'Whose it is',
    created DateTime64(3, 'Etc/UTC') COMMENT 'When it came into being',
    changed DateTime64(3, 'Etc/UTC') COMMENT 'When it last changed',
    deleted Bool COMMENT 'Whether it was deleted'
)
AS
SELECT
    job_id, argMax(project_id, position) AS project_id, any(task_id) AS task_id, ifNull(any(type), '') AS type,
    ifNull(any(frames), 0) AS frames,
    ifNull(argMax(stage, position), '') AS stage, ifNull(argMax(state, position), '') AS state,
    tupleElement(argMaxIf(tuple(assignee_id), position, change IN ('created', 'assignee')), 1) AS assignee_id,
    minIf(timestamp, change = 'created') AS created, max(timestamp) AS changed,
    argMaxIf(change, position, change IN ('created', 'deleted', 'restored')) = 'deleted' AS deleted
FROM ${database}.job_changes
GROUP BY job_id
COMMENT 'Jobs as they are now';

CREATE OR REPLACE VIEW ${database}.job_state_times ${on_cluster}
(
    job_id UInt64 COMMENT 'The job',
    project_id Nullable(UInt64) COMMENT 'Its project then',
    task_id Nullable(UInt64) COMMENT 'Its task',
    stage String COMMENT 'The stage it was in',
    state String COMMENT 'The state it was in',
    cause String COMMENT 'How it came there: created, moved or restored (after it had been deleted)',
    user_id Nullable(UInt64) COMMENT 'Who brought it there',
    user_name Nullable(String) COMMENT 'That user''s name',
    began DateTime64(3, 'Etc/UTC') COMMENT 'Since when',
    ended Nullable(DateTime64(3, 'Etc/UTC')) COMMENT 'Until when; NULL: it still is',
    seconds Float64 COMMENT 'For how long; until now, if it still is'
)
AS
SELECT
    job_id, project_id, task_id, stage, state, cause, user_id, user_name, began, ended,
    dateDiff('millisecond', began, ifNull(ended, now64(3))) / 1000 AS seconds
FROM
(
    SELECT
        job_id, project_id, task_id, cause, user_id, user_name, timestamp AS began,
        ifNull(anyLast(told_stage) OVER past, '') AS stage,
        ifNull(anyLast(told_state) OVER past, '') AS state,
        leadInFrame(toNullable(timestamp)) OVER (
            PARTITION BY job_id ORDER BY position ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS ended
    FROM
    (
        SELECT
            job_id, position, any(timestamp) AS timestamp, any(project_id) AS project_id, any(task_id) AS task_id,
            any(user_id) AS user_id, any(user_name) AS user_name,
            any(stage) AS told_stage, any(state) AS told_state,
            if(any(change) IN ('stage', 'state'), 'moved', any(change)) AS cause
        FROM ${database}.job_changes
        WHERE change != 'assignee'
        GROUP BY job_id, position
    )
    WINDOW past AS (PARTITION BY job_id ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE cause != 'deleted'
COMMENT 'How long each job was in each state of each stage: one row for each time it was there';

CREATE OR REPLACE VIEW ${database}.job_completions ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it was completed',
    job_id UInt64 COMMENT 'The job',
    project_id Nullable(UInt64) COMMENT 'Its project then',
    task_id Nullable(UInt64) COMMENT 'Its task',
    stage String COMMENT 'The stage that was completed',
    user_id Nullable(UInt64) COMMENT 'Who completed it',
    user_name Nullable(String) COMMENT 'That user''s name',
    seconds_since_created Nullable(Float64) COMMENT 'Since the job came into being',
    seconds_in_stage Float64 COMMENT 'Since it came into that stage'
)
AS
SELECT
    began AS timestamp, job_id, project_id, task_id, stage, user_id, user_name,
    dateDiff('millisecond', created, began) / 1000 AS seconds_since_created,
    dateDiff('millisecond', entered, began) / 1000 AS seconds_in_stage
FROM
(
    SELECT
        *,
        min(began) OVER (PARTITION BY job_id) AS created,
        -- A job that goes back to a stage has entered it when it first came there.
        min(began) OVER (PARTITION BY job_id, stage) AS entered
    FROM ${database}.job_state_times
)
WHERE state = 'completed' AND cause = 'moved'
COMMENT 'Each time a job was completed, by stage, and how long that took';
