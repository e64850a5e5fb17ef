-- The life of jobs.
CREATE TABLE IF NOT EXISTS ${database}.job_changes ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    change LowCardinality(String) COMMENT 'created, stage, state, assignee, deleted or restored',
    value Nullable(String) COMMENT 'The new stage, state or assignee''s name',
    stage LowCardinality(Nullable(String)) COMMENT 'The job''s stage from then on; NULL where it is not told',
    state LowCardinality(Nullable(String)) COMMENT 'The job''s state from then on; NULL where it is not told',
    assignee_id Nullable(UInt64) COMMENT 'Whom it was given to; told when it was created or assigned',
    type LowCardinality(Nullable(String)) COMMENT 'annotation, replica or ground_truth; told when it was created',
    frames Nullable(UInt32) COMMENT 'Its frames; told when it was created. Of a ground truth job: the span they lie in',
    user_id Nullable(UInt64) COMMENT 'Who did it',
    user_name LowCardinality(Nullable(String)) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'Its project then',
    task_id Nullable(UInt64) COMMENT 'Its task',
    job_id UInt64 COMMENT 'The job',
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row, job_id)
SETTINGS ${deduplication}
COMMENT 'Jobs: one row for each thing that changed';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_job_changes ${on_cluster} TO ${database}.job_changes AS
SELECT
    timestamp,
    multiIf(
        scope = 'create:job', 'created', scope = 'delete:job', 'deleted', scope = 'restore:job', 'restored',
        ifNull(obj_name, '')
    ) AS change,
    obj_val AS value,
    nullIf(JSONExtractString(json, 'stage'), '') AS stage,
    nullIf(JSONExtractString(json, 'state'), '') AS state,
    if(change = 'assignee', obj_id, JSONExtract(json, 'assignee_id', 'Nullable(UInt64)')) AS assignee_id,
    nullIf(JSONExtractString(json, 'type'), '') AS type,
    if(change = 'created', toUInt32(JSONExtractInt(json, 'stop_frame') - JSONExtractInt(json, 'start_frame') + 1), NULL)
        AS frames,
    user_id, user_name, org_id, project_id, task_id,
    changed_id AS job_id, position, row
FROM
(
    SELECT *, ifNull(payload, '') AS json
    FROM ${events}
    WHERE scope IN ('create:job', 'update:job', 'delete:job', 'restore:job')
)
-- Of an event of more jobs than it may have rows, the last rows have the ids of many.
ARRAY JOIN if(
    scope != 'update:job' AND obj_id IS NULL,
    JSONExtract(json, 'ids', 'Array(UInt64)'),
    [assumeNotNull(if(scope = 'update:job', job_id, obj_id))]
) AS changed_id;
