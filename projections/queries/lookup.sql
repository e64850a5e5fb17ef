-- name: job_place
-- A job, its task and project, and when the labels that apply to it last changed.
SELECT j.id, j.task_id, t.project_id, j.start_frame, j.stop_frame, s.stream AS label_stream,
    s.position AS label_position,
    j.assignee_id, ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff
FROM jobs j
JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = CASE WHEN t.project_id IS NULL THEN 'task-' || t.id ELSE 'project-' || t.project_id END
WHERE j.id = %(job_id)s

-- name: task_places
-- The jobs of type annotation of a task, as job_place tells of one.
SELECT j.id, j.task_id, t.project_id, j.start_frame, j.stop_frame, s.stream AS label_stream,
    s.position AS label_position,
    j.assignee_id, ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff
FROM jobs j
JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = CASE WHEN t.project_id IS NULL THEN 'task-' || t.id ELSE 'project-' || t.project_id END
WHERE j.task_id = %(task_id)s AND j.type = 'annotation'
ORDER BY j.id

-- name: labels
-- All labels of a parent, sublabels too.
SELECT id, parent_id, name, type, attributes FROM labels WHERE stream = %(stream)s ORDER BY id

-- name: standing
-- Where the objects stand that have these ids.
SELECT id, job_id, kind, type FROM annotations WHERE id = ANY(%(ids)s)

-- name: annotation_counts
-- How many objects of each kind and type stand in a job.
SELECT kind, type, count(*) AS count FROM annotations WHERE job_id = %(job_id)s GROUP BY kind, type

-- name: username
-- The name of a user.
SELECT username FROM users WHERE id = %(user_id)s

-- name: username_taken
-- Whether somebody has the name, in whatever case.
SELECT 1 AS taken FROM users WHERE lower(username) = lower(%(username)s)
