-- name: tasks
-- The tasks that the events at some positions are about: by the log, so that one whose row is gone is among them.
SELECT DISTINCT task_id AS id FROM log.events WHERE position = ANY(%(positions)s) AND task_id IS NOT NULL LIMIT %(limit)s

-- name: users
-- The users that did them.
SELECT DISTINCT actor_id AS id FROM log.events WHERE position = ANY(%(positions)s) AND actor_id IS NOT NULL LIMIT %(limit)s

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

-- name: access_tokens
-- The tokens of some users.
SELECT id FROM access_tokens WHERE user_id = ANY(%(users)s)
