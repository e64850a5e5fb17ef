-- name: tasks
-- Some tasks, deleted ones too.
SELECT id FROM (SELECT id FROM tasks UNION ALL SELECT id FROM tasks_discarded) t ORDER BY random() LIMIT %(limit)s

-- name: users
-- Some users.
SELECT id FROM users ORDER BY random() LIMIT %(limit)s

-- name: jobs
-- The jobs of some tasks.
SELECT id FROM (SELECT id, task_id FROM jobs UNION ALL SELECT id, task_id FROM jobs_discarded) j
WHERE task_id = ANY(%(tasks)s)

-- name: projects
-- The projects of some tasks.
SELECT DISTINCT project_id AS id
FROM (SELECT id, project_id FROM tasks UNION ALL SELECT id, project_id FROM tasks_discarded) t
WHERE id = ANY(%(tasks)s) AND project_id IS NOT NULL

-- name: requests
-- The requests about some tasks.
SELECT id FROM requests WHERE task_id = ANY(%(tasks)s)
