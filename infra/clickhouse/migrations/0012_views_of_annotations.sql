-- What stands now: what was drawn, less what was deleted by itself, or with its job, task or label.
CREATE OR REPLACE VIEW ${database}.standing_objects ${on_cluster}
(
    kind String COMMENT 'tags, shapes, tracks or intervals',
    object_id UInt64 COMMENT 'The object, numbered within its kind',
    type String COMMENT 'The shape type: rectangle, polygon …; empty for tags and intervals',
    label_id UInt64 COMMENT 'Its label',
    frame UInt32 COMMENT 'Its frame, numbered within the task; a track''s first one',
    project_id Nullable(UInt64) COMMENT 'The project, as when it was last saved',
    task_id Nullable(UInt64) COMMENT 'The task',
    job_id UInt64 COMMENT 'The job'
)
AS
SELECT
    kind, object_id, type, last_label AS label_id, last_frame AS frame, nullIf(last_project, 0) AS project_id,
    nullIf(task, 0) AS task_id, job_id
FROM
(
    -- Without NULLs, which would take twice the memory: this is one row for every object that ever was.
    SELECT
        kind, object_id, any(job_id) AS job_id, any(ifNull(task_id, 0)) AS task, any(type) AS type,
        max(position) AS last_position, argMax(action = 'delete', position) AS deleted,
        argMax(ifNull(label_id, 0), position) AS last_label, argMax(ifNull(frame, 0), position) AS last_frame,
        argMax(ifNull(project_id, 0), position) AS last_project
    FROM ${database}.annotation_objects
    WHERE object_id != 0
    GROUP BY kind, object_id
) AS objects
LEFT JOIN
(
    SELECT job_id, max(position) AS cleared FROM ${database}.annotation_objects WHERE replaces GROUP BY job_id
) AS clearings USING (job_id)
WHERE
    NOT deleted AND last_position >= cleared
    AND job_id NOT IN (SELECT job_id FROM ${database}.jobs WHERE deleted)
    AND last_label NOT IN (SELECT label_id FROM ${database}.labels WHERE deleted)
COMMENT 'Annotations that stand now: one row for each object';

CREATE OR REPLACE VIEW ${database}.label_distribution ${on_cluster}
(
    project_id Nullable(UInt64) COMMENT 'The project',
    task_id Nullable(UInt64) COMMENT 'The task',
    label_id UInt64 COMMENT 'The label',
    label String COMMENT 'Its name now',
    kind String COMMENT 'tags, shapes, tracks or intervals',
    type String COMMENT 'The shape type',
    objects UInt64 COMMENT 'How many stand now',
    frames UInt64 COMMENT 'On how many frames of jobs they are (tracks: begin)'
)
AS
SELECT project_id, task_id, label_id, ifNull(names.label, '') AS label, kind, type, objects, frames
FROM
(
    SELECT project_id, task_id, label_id, kind, type, count() AS objects, uniqExact(bitShiftLeft(job_id, 32) + frame) AS frames
    FROM ${database}.standing_objects
    GROUP BY project_id, task_id, label_id, kind, type
) AS counted
LEFT JOIN (SELECT label_id, label FROM ${database}.labels) AS names USING (label_id)
COMMENT 'How often each label is used now';

CREATE OR REPLACE VIEW ${database}.shapes_per_frame ${on_cluster}
(
    project_id Nullable(UInt64) COMMENT 'The project',
    task_id Nullable(UInt64) COMMENT 'The task',
    job_id UInt64 COMMENT 'The job',
    frame UInt32 COMMENT 'The frame, numbered within the task',
    shapes UInt64 COMMENT 'How many shapes stand on it now',
    tags UInt64 COMMENT 'How many tags',
    tracks_begun UInt64 COMMENT 'How many tracks begin on it'
)
AS
SELECT
    project_id, task_id, job_id, frame, countIf(kind = 'shapes') AS shapes, countIf(kind = 'tags') AS tags,
    countIf(kind = 'tracks') AS tracks_begun
FROM ${database}.standing_objects
GROUP BY project_id, task_id, job_id, frame
COMMENT 'What stands on each frame; a frame without anything has no row';
