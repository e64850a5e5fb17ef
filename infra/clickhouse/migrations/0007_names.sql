-- What things are called, and whether they are still there.
CREATE TABLE IF NOT EXISTS ${database}.name_changes ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'project, task, label or user',
    id UInt64 COMMENT 'Its id, within its kind',
    name Nullable(String) COMMENT 'Its name from then on; NULL: as it was' CODEC(ZSTD(1)),
    action LowCardinality(String) COMMENT 'create, update, delete or restore',
    parent_id Nullable(UInt64) COMMENT 'Of a skeleton''s point: the label of the skeleton; told when it was created',
    org_id Nullable(UInt64) COMMENT 'In which organization it was done',
    project_id Nullable(UInt64) COMMENT 'The project it belongs to',
    task_id Nullable(UInt64) COMMENT 'The task it belongs to',
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row)
SETTINGS ${deduplication}
COMMENT 'Projects, tasks, labels and users: one row for each time one came, went or was renamed';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_name_changes ${on_cluster} TO ${database}.name_changes AS
SELECT
    timestamp,
    splitByChar(':', scope)[2] AS kind,
    assumeNotNull(multiIf(
        action != 'update', obj_id, kind = 'project', project_id, kind = 'task', task_id,
        kind = 'label', JSONExtractUInt(json, 'label', 'id'), JSONExtractUInt(json, 'user_id')
    )) AS id,
    if(action = 'update', obj_val, obj_name) AS name,
    splitByChar(':', scope)[1] AS action,
    JSONExtract(json, 'parent_id', 'Nullable(UInt64)') AS parent_id,
    org_id, project_id, task_id, position, row
FROM
(
    SELECT *, ifNull(payload, '') AS json
    FROM ${events}
    WHERE
        scope IN (
            'create:project', 'delete:project', 'restore:project', 'create:task', 'delete:task', 'restore:task',
            'create:label', 'delete:label', 'restore:label', 'create:user', 'delete:user'
        )
        OR (scope IN ('update:project', 'update:task', 'update:label') AND obj_name = 'name')
        OR (scope = 'update:user' AND obj_name = 'username')
);
