-- name: of_task
-- A task's data and who has a part in it. Its frames are `first` to `last`, or only those `included`; all is null before
-- there is data, and all of `video` when the frames are pictures.
SELECT t.id, t.id AS task_id, 0 AS first, d.size - 1 AS last,
    d.image_quality, d.chunk_size, d.start_frame, d.frame_filter, d.deleted_frames, d.updated_date,
    t.original_chunk_type, t.compressed_chunk_type,
    v.name AS video, v.sha256 AS video_sha256, v.index_sha256, v.width AS video_width, v.height AS video_height,
    NULL::integer[] AS included,
    t.owner_id, t.assignee_id, p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id
FROM tasks t
LEFT JOIN data d ON d.task_id = t.id
LEFT JOIN videos v ON v.task_id = t.id
LEFT JOIN projects p ON p.id = t.project_id
WHERE t.id = %(id)s

-- name: of_job
-- As of_task, for the part of the data that a job has.
SELECT j.id, j.task_id, j.start_frame AS first, j.stop_frame AS last,
    d.image_quality, d.chunk_size, d.start_frame, d.frame_filter, d.deleted_frames, d.updated_date,
    t.original_chunk_type, t.compressed_chunk_type,
    v.name AS video, v.sha256 AS video_sha256, v.index_sha256, v.width AS video_width, v.height AS video_height,
    g.frames AS included,
    j.assignee_id, t.owner_id AS task_owner_id, t.assignee_id AS task_assignee_id,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id
FROM jobs j
JOIN tasks t ON t.id = j.task_id
JOIN data d ON d.task_id = t.id
LEFT JOIN videos v ON v.task_id = t.id
LEFT JOIN validation g ON g.job_id = j.id
LEFT JOIN projects p ON p.id = t.project_id
WHERE j.id = %(id)s

-- name: frames
-- Some frames of a task, in order.
SELECT number, name, sha256, related_files FROM frames
WHERE task_id = %(task_id)s AND number = ANY(%(numbers)s) ORDER BY number

-- name: related_images
-- What is shown beside a frame.
SELECT name, sha256 FROM related_images WHERE task_id = %(task_id)s AND frame = %(frame)s ORDER BY name

-- name: frame_metas
-- What clients are told about a run of a task's frames, as JSON text without the brackets. A job that has but some of
-- them (`included`, otherwise null) gets placeholders for the others, as in CVAT.
SELECT string_agg('{"width":' || width || ',"height":' || height || ',"name":'
    || CASE WHEN shown THEN to_json(name)::text ELSE '"placeholder.jpg"' END || ',"related_files":'
    || CASE WHEN shown THEN related_files ELSE 0 END || ',"has_related_context":'
    || CASE WHEN shown AND related_files > 0 THEN 'true' ELSE 'false' END || '}', ',' ORDER BY number) AS metas
FROM frames, LATERAL (SELECT %(included)s::integer[] IS NULL OR number = ANY(%(included)s::integer[]) AS shown) s
WHERE task_id = %(task_id)s AND number BETWEEN %(first)s AND %(last)s

-- name: upload_recorded
-- Whether something came of a resumable upload.
SELECT 1 AS found FROM log.events WHERE stream = %(stream)s AND causation_id = %(cause)s
