-- What went wrong, for people and for agents.
CREATE TABLE IF NOT EXISTS ${database}.exceptions ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'client or server: where it happened',
    message String COMMENT 'What went wrong' CODEC(ZSTD(1)),
    times UInt32 COMMENT 'How often; clients report repeats once',
    status_code Nullable(UInt16) COMMENT 'The HTTP status that was answered, when it was an API request',
    user_id Nullable(UInt64) COMMENT 'Who met it',
    user_name LowCardinality(Nullable(String)) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'In which project',
    task_id Nullable(UInt64) COMMENT 'In which task',
    job_id Nullable(UInt64) COMMENT 'In which job',
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row)
SETTINGS ${deduplication}
COMMENT 'Errors: one row for each that was reported';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_exceptions ${on_cluster} TO ${database}.exceptions AS
SELECT
    timestamp, source, JSONExtractString(json, 'message') AS message, toUInt32(ifNull(count, 1)) AS times,
    JSONExtract(json, 'status_code', 'Nullable(UInt16)') AS status_code,
    user_id, user_name, org_id, project_id, task_id, job_id, position, row
FROM
(
    SELECT *, ifNull(payload, '') AS json
    FROM ${events}
    WHERE scope = 'send:exception'
);
