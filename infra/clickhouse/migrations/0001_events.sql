-- What analysts query: CVAT's columns in CVAT's order, then where in the log a row comes from.
CREATE DATABASE IF NOT EXISTS cvat;

-- A row is known by (position, row); the timestamp follows from the position, so it may stand first and serve queries
-- by time. Should a row ever be written twice, a merge drops one; the deduplication log stops a batch that is sent
-- twice before that. `rows` is how many rows its event has, so that a missing one is noticed.
CREATE TABLE IF NOT EXISTS cvat.events
(
    scope String CODEC(ZSTD(1)),
    obj_name Nullable(String) CODEC(ZSTD(1)),
    obj_id Nullable(UInt64) CODEC(ZSTD(1)),
    obj_val Nullable(String) CODEC(ZSTD(1)),
    source String CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'Etc/UTC') CODEC(Delta, ZSTD(1)),
    count Nullable(UInt16) CODEC(ZSTD(1)),
    duration UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    project_id Nullable(UInt64) CODEC(ZSTD(1)),
    task_id Nullable(UInt64) CODEC(ZSTD(1)),
    job_id Nullable(UInt64) CODEC(ZSTD(1)),
    user_id Nullable(UInt64) CODEC(ZSTD(1)),
    user_name Nullable(String) CODEC(ZSTD(1)),
    user_email Nullable(String) CODEC(ZSTD(1)),
    org_id Nullable(UInt64) CODEC(ZSTD(1)),
    org_slug Nullable(String) CODEC(ZSTD(1)),
    payload Nullable(String) CODEC(ZSTD(1)),
    access_token_id Nullable(UInt64) CODEC(ZSTD(1)),
    remote_addr Nullable(String) CODEC(ZSTD(1)),
    position UInt64 CODEC(Delta, ZSTD(1)),
    row UInt16 CODEC(ZSTD(1)),
    rows UInt16 CODEC(ZSTD(1)),
    stream String CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    event_type LowCardinality(String),
    schema_version UInt16 CODEC(ZSTD(1)),
    correlation_id Nullable(String) CODEC(ZSTD(1)),
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (timestamp, position, row)
SETTINGS non_replicated_deduplication_window = 1000;
