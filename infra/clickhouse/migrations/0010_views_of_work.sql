-- Who worked how long, and what came of it.
CREATE OR REPLACE VIEW ${database}.working_time_daily ${on_cluster}
(
    day Date COMMENT 'The day, in UTC',
    user_id Nullable(UInt64) COMMENT 'Who worked',
    user_name Nullable(String) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'In which project',
    task_id Nullable(UInt64) COMMENT 'In which task; NULL: in none',
    hours Float64 COMMENT 'Hours worked',
    stretches UInt64 COMMENT 'In how many stretches'
)
AS
SELECT
    toDate(timestamp) AS day, user_id, any(user_name) AS user_name, org_id, project_id, task_id,
    sum(milliseconds) / 3600000 AS hours, count() AS stretches
FROM ${database}.working_time FINAL
GROUP BY day, user_id, org_id, project_id, task_id
COMMENT 'Working time per user, task and day';

CREATE OR REPLACE VIEW ${database}.throughput_daily ${on_cluster}
(
    day Date COMMENT 'The day, in UTC',
    user_id Nullable(UInt64) COMMENT 'Who did it',
    user_name Nullable(String) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    task_id Nullable(UInt64) COMMENT 'In which task; NULL: in none',
    hours Float64 COMMENT 'Hours worked',
    jobs_completed UInt64 COMMENT 'Jobs that were set to completed, in any stage',
    objects_created UInt64 COMMENT 'Tags, shapes, tracks and intervals that were created',
    shapes_created UInt64 COMMENT 'Shapes among them',
    objects_updated UInt64 COMMENT 'Objects that were changed',
    objects_deleted UInt64 COMMENT 'Objects that were deleted',
    frames_annotated UInt64 COMMENT 'Frames of jobs on which something was created or changed that day',
    shapes_per_hour Nullable(Float64) COMMENT 'Shapes created per hour worked; NULL when no time was reported',
    frames_per_hour Nullable(Float64) COMMENT 'Frames annotated per hour worked; NULL when no time was reported'
)
AS
SELECT
    day, user_id, any(user_name) AS user_name, org_id, task_id,
    sum(worked) / 3600000 AS hours, sum(completed) AS jobs_completed, sum(created) AS objects_created,
    sum(shapes) AS shapes_created, sum(updated) AS objects_updated, sum(deleted) AS objects_deleted,
    sum(frames) AS frames_annotated,
    shapes_created / nullIf(hours, 0) AS shapes_per_hour, frames_annotated / nullIf(hours, 0) AS frames_per_hour
FROM
(
    SELECT
        toDate(timestamp) AS day, user_id, any(user_name) AS user_name, org_id, task_id, sum(milliseconds) AS worked,
        0 AS completed, 0 AS created, 0 AS shapes, 0 AS updated, 0 AS deleted, 0 AS frames
    FROM ${database}.working_time FINAL
    GROUP BY day, user_id, org_id, task_id
    UNION ALL
    SELECT
        toDate(timestamp) AS day, user_id, any(user_name) AS user_name, org_id, task_id, 0, count(), 0, 0, 0, 0, 0
    FROM ${database}.job_changes FINAL
    WHERE change = 'state' AND value = 'completed'
    GROUP BY day, user_id, org_id, task_id
    UNION ALL
    SELECT
        toDate(timestamp) AS day, user_id, any(user_name) AS user_name, org_id, task_id, 0, 0,
        sumIf(objects, action = 'create'), sumIf(objects, action = 'create' AND kind = 'shapes'),
        sumIf(objects, action = 'update'), sumIf(objects, action = 'delete'),
        uniqExactIf(bitShiftLeft(job_id, 32) + ifNull(frame, 0), action != 'delete')
    FROM ${database}.annotation_objects FINAL
    GROUP BY day, user_id, org_id, task_id
)
GROUP BY day, user_id, org_id, task_id
COMMENT 'What each annotator got done per task and day';
