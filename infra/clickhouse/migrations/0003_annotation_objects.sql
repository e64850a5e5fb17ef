-- What was drawn, object by object: the only way to know what stands after some of it was deleted.
CREATE TABLE IF NOT EXISTS ${database}.annotation_objects ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it was saved' CODEC(Delta, ZSTD(1)),
    action LowCardinality(String) COMMENT 'create, update or delete',
    kind LowCardinality(String) COMMENT 'tags, shapes, tracks or intervals',
    type LowCardinality(String) COMMENT 'The shape type: rectangle, polygon …; empty for tags and intervals',
    object_id UInt64 COMMENT 'The object, numbered within its kind; 0 when a whole job was cleared' CODEC(Delta, ZSTD(1)),
    objects UInt32 COMMENT '1; when a whole job was cleared, how many objects went',
    label_id Nullable(UInt64) COMMENT 'The label; NULL for what was deleted',
    frame Nullable(UInt32) COMMENT 'The frame, numbered within the task; a track''s first one; NULL for what was deleted',
    replaces Bool COMMENT 'Whether all that the job held before this event gave way',
    user_id Nullable(UInt64) COMMENT 'Who saved it',
    user_name LowCardinality(Nullable(String)) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'In which project',
    task_id Nullable(UInt64) COMMENT 'In which task',
    job_id UInt64 COMMENT 'In which job',
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    item UInt32 COMMENT 'The object''s number in that row, from 1',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row, item)
SETTINGS ${deduplication}
COMMENT 'Annotations: one row for each object that a save created, updated or deleted';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_annotation_objects ${on_cluster}
TO ${database}.annotation_objects AS
SELECT
    timestamp, action, kind, ifNull(obj_name, '') AS type,
    object_id, if(empty(ids), toUInt32(ifNull(count, 0)), toUInt32(1)) AS objects,
    if(empty(label_ids), NULL, label_ids[item]) AS label_id,
    if(empty(frames), NULL, frames[item]) AS frame,
    event_type IN ('AnnotationsReplaced', 'AnnotationsCleared') AS replaces,
    user_id, user_name, org_id, project_id, task_id, assumeNotNull(job_id) AS job_id, position, row, item
FROM
(
    SELECT
        *,
        splitByChar(':', scope)[1] AS action,
        splitByChar(':', scope)[2] AS kind,
        JSONExtract(
            ifNull(payload, ''),
            'Tuple(tags Array(Tuple(id UInt64)), shapes Array(Tuple(id UInt64)), tracks Array(Tuple(id UInt64)),'
            || ' intervals Array(Tuple(id UInt64)), label_ids Array(UInt64), frames Array(UInt32))'
        ) AS listed,
        arrayConcat(listed.tags.id, listed.shapes.id, listed.tracks.id, listed.intervals.id) AS ids,
        listed.label_ids AS label_ids,
        listed.frames AS frames
    FROM ${events}
    WHERE scope IN (
        'create:tags', 'update:tags', 'delete:tags', 'create:shapes', 'update:shapes', 'delete:shapes',
        'create:tracks', 'update:tracks', 'delete:tracks', 'create:intervals', 'update:intervals', 'delete:intervals'
    )
)
ARRAY JOIN if(empty(ids), [toUInt64(0)], ids) AS object_id, arrayEnumerate(if(empty(ids), [toUInt64(0)], ids)) AS item;
