-- name: project
-- Projects that there are.
SELECT id, name FROM names WHERE kind = 'project' AND NOT deleted ORDER BY name

-- name: task
-- Tasks that there are, of the chosen projects.
SELECT id, name
FROM names
WHERE kind = 'task' AND NOT deleted
    AND (0 IN (${project:csv}) OR id IN (SELECT task_id FROM jobs WHERE project_id IN (${project:csv})))
ORDER BY name, id

-- name: user
-- People who did something.
SELECT user_id, any(user_name) AS name
FROM events
WHERE $__timeFilter(timestamp) AND user_id IS NOT NULL
GROUP BY user_id
ORDER BY name

-- name: job
-- Jobs in which something happened.
SELECT DISTINCT assumeNotNull(job_id) AS id, toString(id) AS name
FROM events
WHERE $__timeFilter(timestamp) AND job_id IS NOT NULL AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
ORDER BY id
LIMIT 2000

-- name: scope
-- What happened, as verb:object.
SELECT DISTINCT scope FROM events WHERE $__timeFilter(timestamp) ORDER BY scope

-- name: source
-- Who says so: client or server.
SELECT DISTINCT source FROM events WHERE $__timeFilter(timestamp) ORDER BY source
