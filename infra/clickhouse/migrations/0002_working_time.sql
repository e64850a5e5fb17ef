-- Time worked, as it follows from what clients report. Keyed like events, so that parts that come one after another do
-- not overlap and reading with FINAL costs next to nothing.
CREATE TABLE IF NOT EXISTS ${database}.working_time ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When the work began' CODEC(Delta, ZSTD(1)),
    milliseconds UInt32 COMMENT 'How long was worked',
    user_id Nullable(UInt64) COMMENT 'Who worked',
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
COMMENT 'Time worked: one row for each stretch that a client reported';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_working_time ${on_cluster} TO ${database}.working_time AS
SELECT
    timestamp, duration AS milliseconds, user_id, user_name, org_id, project_id, task_id, job_id, position, row
FROM ${events}
WHERE scope = 'send:working_time';
