-- name: of_task
-- A task's data and who has a part in it. `first` and `last` are its frames; all of the data is null before there is any.
SELECT t.id, t.id AS task_id, 0 AS first, d.size - 1 AS last,
    d.image_quality, d.chunk_size, d.start_frame, d.frame_filter, d.deleted_frames, d.updated_date,
    t.owner_id, t.assignee_id, p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id
FROM tasks t
LEFT JOIN data d ON d.task_id = t.id
LEFT JOIN projects p ON p.id = t.project_id
WHERE t.id = %(id)s

-- name: of_job
-- As of_task, for the part of the data that a job has.
SELECT j.id, j.task_id, j.start_frame AS first, j.stop_frame AS last,
    d.image_quality, d.chunk_size, d.start_frame, d.frame_filter, d.deleted_frames, d.updated_date,
    j.assignee_id, t.owner_id AS task_owner_id, t.assignee_id AS task_assignee_id,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id
FROM jobs j
JOIN tasks t ON t.id = j.task_id
JOIN data d ON d.task_id = t.id
LEFT JOIN projects p ON p.id = t.project_id
WHERE j.id = %(id)s

-- name: frames
-- Some frames of a task, in order.
SELECT number, name, sha256 FROM frames
WHERE task_id = %(task_id)s AND number BETWEEN %(first)s AND %(last)s ORDER BY number

-- name: frame_metas
-- What clients are told about some frames of a task, as JSON text without the brackets.
SELECT string_agg('{"width":' || width || ',"height":' || height || ',"name":' || to_json(name)
    || ',"related_files":0,"has_related_context":false}', ',' ORDER BY number) AS metas
FROM frames WHERE task_id = %(task_id)s AND number BETWEEN %(first)s AND %(last)s

-- name: upload_received
-- Whether the file of a resumable upload was recorded as received.
SELECT 1 AS found FROM log.events WHERE stream = %(stream)s AND causation_id = %(cause)s
