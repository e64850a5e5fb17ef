-- The life of requests: work that an agent does.
CREATE TABLE IF NOT EXISTS ${database}.request_changes ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    change LowCardinality(String) COMMENT 'queue, start, expire, finish, fail or cancel',
    request_id String COMMENT 'The request; the same work asked for again has the same' CODEC(ZSTD(1)),
    queue LowCardinality(String) COMMENT 'The queue; told when it was queued',
    action LowCardinality(String) COMMENT 'create, import or export; told when it was queued',
    target LowCardinality(String) COMMENT 'project, task or job; told when it was queued',
    subresource LowCardinality(String) COMMENT 'annotations, dataset, backup …; told when it was queued',
    format LowCardinality(String) COMMENT 'The format asked for; told when it was queued',
    agent LowCardinality(String) COMMENT 'The agent that took it up or was lost',
    message String COMMENT 'Why it failed' CODEC(ZSTD(1)),
    user_id Nullable(UInt64) COMMENT 'Who did it; NULL: an agent',
    user_name LowCardinality(Nullable(String)) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'The project that it is about',
    task_id Nullable(UInt64) COMMENT 'The task that it is about',
    job_id Nullable(UInt64) COMMENT 'The job that it is about',
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row)
SETTINGS ${deduplication}
COMMENT 'Requests: one row for each step of one';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_request_changes ${on_cluster} TO ${database}.request_changes AS
SELECT
    timestamp, splitByChar(':', scope)[1] AS change, ifNull(obj_name, '') AS request_id,
    JSONExtractString(json, 'queue') AS queue,
    JSONExtractString(json, 'action') AS action,
    JSONExtractString(json, 'target') AS target,
    JSONExtractString(json, 'subresource') AS subresource,
    JSONExtractString(json, 'params', 'format') AS format,
    JSONExtractString(json, 'agent') AS agent,
    JSONExtractString(json, 'message') AS message,
    user_id, user_name, org_id, project_id, task_id, job_id, position, row
FROM
(
    SELECT *, ifNull(payload, '') AS json
    FROM ${events}
    WHERE scope IN
        ('queue:request', 'start:request', 'expire:request', 'finish:request', 'fail:request', 'cancel:request')
);
