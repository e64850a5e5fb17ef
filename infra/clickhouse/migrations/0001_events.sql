-- What analysts query: CVAT's columns in CVAT's order, then where in the log a row comes from.
CREATE DATABASE IF NOT EXISTS ${database} ${on_cluster};

-- A row is known by (position, row); the timestamp follows from the position, so it may stand first and serve queries
-- by time. Should a row ever be written twice, a merge drops one; the deduplication log stops a batch that is sent
-- twice before that. `rows` is how many rows its event has, so that a missing one is noticed.
CREATE TABLE IF NOT EXISTS ${database}.events ${on_cluster}
(
    scope String COMMENT 'What happened, as verb:object' CODEC(ZSTD(1)),
    obj_name Nullable(String) COMMENT 'Name, field or shape type, by scope' CODEC(ZSTD(1)),
    obj_id Nullable(UInt64) COMMENT 'The object, by scope' CODEC(ZSTD(1)),
    obj_val Nullable(String) COMMENT 'The new value of a changed field, as text' CODEC(ZSTD(1)),
    source String COMMENT 'client or server: who says so' CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    count Nullable(UInt16) COMMENT 'How many objects, by scope' CODEC(ZSTD(1)),
    duration UInt32 DEFAULT 0 COMMENT 'How long it took, in milliseconds' CODEC(ZSTD(1)),
    project_id Nullable(UInt64) COMMENT 'The project it happened in' CODEC(ZSTD(1)),
    task_id Nullable(UInt64) COMMENT 'The task it happened in' CODEC(ZSTD(1)),
    job_id Nullable(UInt64) COMMENT 'The job it happened in' CODEC(ZSTD(1)),
    user_id Nullable(UInt64) COMMENT 'Who did it; NULL: the system itself' CODEC(ZSTD(1)),
    user_name Nullable(String) COMMENT 'That user''s name then' CODEC(ZSTD(1)),
    user_email Nullable(String) COMMENT 'The address that user had then; NULL: none' CODEC(ZSTD(1)),
    org_id Nullable(UInt64) COMMENT 'The organization it was done in' CODEC(ZSTD(1)),
    org_slug Nullable(String) COMMENT 'That organization''s short name' CODEC(ZSTD(1)),
    payload Nullable(String) COMMENT 'The rest as JSON text, by scope' CODEC(ZSTD(1)),
    access_token_id Nullable(UInt64) COMMENT 'The access token that the request came with; NULL: with none' CODEC(ZSTD(1)),
    remote_addr Nullable(String) COMMENT 'The address that a client''s report came from' CODEC(ZSTD(1)),
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number within its event, from 0' CODEC(ZSTD(1)),
    rows UInt16 COMMENT 'How many rows its event has' CODEC(ZSTD(1)),
    stream String COMMENT 'The event''s stream in the log' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'The event''s number within its stream' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'The event''s type in the log',
    schema_version UInt16 COMMENT 'The version of that type''s shape' CODEC(ZSTD(1)),
    correlation_id Nullable(String) COMMENT 'The request that it all came from' CODEC(ZSTD(1)),
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row)
SETTINGS ${deduplication}
COMMENT 'Everything that happened, in CVAT''s columns and scopes';
