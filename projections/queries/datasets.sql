-- name: task
-- What an export tells of a task, and the numbers of its frames; null data: there is none.
SELECT t.id, t.project_id, t.name, t.mode, coalesce(t.overlap, 0) AS overlap, t.bug_tracker, t.created_date,
    t.updated_date, t.subset, d.size, d.start_frame, d.stop_frame, d.frame_filter, d.deleted_frames,
    o.username AS owner, o.email AS owner_email, a.username AS assignee, a.email AS assignee_email,
    v.name AS video, v.sha256 AS video_sha256, v.index_sha256, v.width AS video_width, v.height AS video_height,
    label_stream(t.id, t.project_id) AS label_stream
FROM tasks t
LEFT JOIN data d ON d.task_id = t.id
LEFT JOIN videos v ON v.task_id = t.id
LEFT JOIN users o ON o.id = t.owner_id
LEFT JOIN users a ON a.id = t.assignee_id
WHERE t.id = %(task_id)s

-- name: project
-- What an export tells of a project.
SELECT p.id, p.name, p.bug_tracker, p.created_date, p.updated_date, p.owner_id, p.organization_id,
    'project-' || p.id AS label_stream,
    o.username AS owner, o.email AS owner_email, a.username AS assignee, a.email AS assignee_email
FROM projects p
LEFT JOIN users o ON o.id = p.owner_id
LEFT JOIN users a ON a.id = p.assignee_id
WHERE p.id = %(project_id)s

-- name: tasks_with_data
-- The tasks of a project that have something to export.
SELECT t.id FROM tasks t JOIN data d ON d.task_id = t.id WHERE t.project_id = %(project_id)s ORDER BY t.id

-- name: jobs
-- The jobs of a task, as far as an export tells of them.
SELECT id, segment_id, type, start_frame, stop_frame FROM jobs WHERE task_id = %(task_id)s ORDER BY id

-- name: labels
-- All labels of a parent, with the points of skeletons.
SELECT id, parent_id, name, color, type, svg, attributes FROM labels WHERE stream = %(stream)s ORDER BY id

-- name: frames
-- The pictures of a run of a task's frames, in order.
SELECT number, name, sha256, width, height FROM frames
WHERE task_id = %(task_id)s AND number BETWEEN %(first)s AND %(last)s ORDER BY number

-- name: drawn
-- The shapes and tags of some jobs of a task, frame after frame, as JSON text without the brackets.
SELECT o.frame, o.job_id, o.kind, string_agg(o.doc, ',' ORDER BY o.id) AS docs
FROM annotation_objects o
WHERE o.job_id = ANY(%(job_ids)s) AND o.kind IN ('shapes', 'tags') AND o.label_id NOT IN (
    SELECT d.id FROM labels_discarded d WHERE d.stream = %(label_stream)s
)
GROUP BY o.frame, o.job_id, o.kind
ORDER BY o.frame, o.job_id, o.kind

-- name: tracks
-- The tracks of some jobs of a task, as JSON text without the brackets.
SELECT o.job_id, string_agg(o.doc, ',' ORDER BY o.frame, o.id) AS docs
FROM annotation_objects o
WHERE o.job_id = ANY(%(job_ids)s) AND o.kind = 'tracks' AND o.label_id NOT IN (
    SELECT d.id FROM labels_discarded d WHERE d.stream = %(label_stream)s
)
GROUP BY o.job_id

-- name: job
-- A job's task and frames; `included`: which of them, where it has not all.
SELECT j.id, j.task_id, j.start_frame, j.stop_frame, v.frames AS included
FROM jobs j LEFT JOIN validation v ON v.job_id = j.id
WHERE j.id = %(job_id)s

-- name: honeypots
-- Frames of a task that only repeat others.
SELECT frame FROM honeypots WHERE task_id = %(task_id)s
