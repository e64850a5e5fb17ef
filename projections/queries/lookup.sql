-- name: job_place
-- A job, its task and project, whose they are, when the labels that apply last changed, and the versions of all this.
SELECT j.id, j.task_id, t.project_id, j.start_frame, j.stop_frame, s.stream AS label_stream,
    s.position AS label_position, j.type, j.stage, j.state, j.assignee_id,
    ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff,
    (SELECT max(version) FROM log.events WHERE stream = 'job-' || j.id) AS job_version,
    (SELECT max(version) FROM log.events WHERE stream = 'task-' || t.id) AS task_version,
    (SELECT max(version) FROM log.events WHERE stream = 'project-' || p.id) AS project_version
FROM jobs j
JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = label_stream(t.id, t.project_id)
WHERE j.id = %(job_id)s

-- name: task_places
-- The jobs of type annotation of a task, as job_place tells of one; without the versions of the jobs.
SELECT j.id, j.task_id, t.project_id, j.start_frame, j.stop_frame, s.stream AS label_stream,
    s.position AS label_position, j.type, j.stage, j.state, j.assignee_id,
    ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff,
    NULL AS job_version, v.task_version, v.project_version
FROM tasks t
JOIN jobs j ON j.task_id = t.id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = label_stream(t.id, t.project_id)
CROSS JOIN LATERAL (
    SELECT (SELECT max(version) FROM log.events WHERE stream = 'task-' || t.id) AS task_version,
        (SELECT max(version) FROM log.events WHERE stream = 'project-' || p.id) AS project_version
) v
WHERE t.id = %(task_id)s AND j.type = 'annotation'
ORDER BY j.id

-- name: labels
-- All labels of a parent, sublabels too.
SELECT id, parent_id, name, type, attributes FROM labels WHERE stream = %(stream)s ORDER BY id

-- name: standing
-- Where the objects stand that have these ids. Also those of deleted jobs and labels, which may come back.
SELECT id, job_id, kind, type FROM annotation_objects
WHERE bucket = ANY(ARRAY(SELECT DISTINCT i >> 5 FROM unnest(%(ids)s::bigint[]) i)) AND id = ANY(%(ids)s)

-- name: jobs_of
-- The jobs of some tasks.
SELECT task_id, id FROM jobs WHERE task_id = ANY(%(task_ids)s) ORDER BY id

-- name: tasks_in
-- The tasks of a project.
SELECT id FROM tasks WHERE project_id = %(project_id)s ORDER BY id

-- name: annotation_counts
-- How many objects of each kind and type stand in a job.
SELECT kind, type, count(*) AS count FROM annotation_objects
WHERE job_id = %(job_id)s AND label_id NOT IN (
    SELECT d.id FROM jobs j JOIN labels_discarded d ON d.stream = label_stream(j.task_id, j.project_id) WHERE j.id = %(job_id)s
)
GROUP BY kind, type

-- name: label_parent
-- Whose a label is, or was.
SELECT project_id, task_id FROM labels WHERE id = %(label_id)s
UNION ALL
SELECT project_id, task_id FROM labels_discarded WHERE id = %(label_id)s
LIMIT 1

-- name: username
-- The name of a user.
SELECT username FROM users WHERE id = %(user_id)s

-- name: username_taken
-- Whether somebody has the name, in whatever case.
SELECT 1 AS taken FROM users WHERE lower(username) = lower(%(username)s)
