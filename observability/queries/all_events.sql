-- name: activity
-- Rows per interval, by verb.
SELECT $__timeInterval(timestamp) AS time, splitByChar(':', scope)[1] AS verb, count() AS rows
FROM events
WHERE $__timeFilter(timestamp)
    AND ('' IN (${scope:sqlstring}) OR scope IN (${scope:sqlstring}))
    AND ('' IN (${source:sqlstring}) OR source IN (${source:sqlstring}))
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${job:csv}) OR job_id IN (${job:csv})) AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY time, verb
ORDER BY time, verb

-- name: all
-- What happened, the last first. The table has more columns: who asked for it, and where in the log it stands.
SELECT
    timestamp AS time, scope, source, user_name AS person, obj_name, obj_id, obj_val, count, duration,
    project_id AS project, task_id AS task, job_id AS job, remote_addr, position, payload
FROM events
WHERE $__timeFilter(timestamp)
    AND ('' IN (${scope:sqlstring}) OR scope IN (${scope:sqlstring}))
    AND ('' IN (${source:sqlstring}) OR source IN (${source:sqlstring}))
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${job:csv}) OR job_id IN (${job:csv})) AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
ORDER BY timestamp DESC, position DESC, row
LIMIT 1000

-- name: scopes
-- How much of each scope there is.
SELECT scope, count() AS rows
FROM events
WHERE $__timeFilter(timestamp)
    AND ('' IN (${scope:sqlstring}) OR scope IN (${scope:sqlstring}))
    AND ('' IN (${source:sqlstring}) OR source IN (${source:sqlstring}))
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${job:csv}) OR job_id IN (${job:csv})) AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY scope
ORDER BY rows DESC
LIMIT 30

-- name: browsers
-- People by the browser that they use.
SELECT concat(platform.1, ' ', platform.2) AS browser, uniqExact(user_id) AS people
FROM
(
    SELECT user_id, JSONExtract(ifNull(payload, ''), 'platform', 'Tuple(name String, version String, os String)') AS platform
    FROM events
    WHERE $__timeFilter(timestamp) AND scope = 'load:cvat' AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
)
GROUP BY browser
ORDER BY people DESC, browser

-- name: systems
-- People by operating system.
SELECT JSONExtractString(ifNull(payload, ''), 'platform', 'os') AS system, uniqExact(user_id) AS people
FROM events
WHERE $__timeFilter(timestamp) AND scope = 'load:cvat' AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY system
ORDER BY people DESC, system

-- name: durations
-- How long things took that have a duration.
SELECT
    scope, count() AS rows, avg(duration) AS average, quantileExact(0.95)(duration) AS `95 %`, max(duration) AS longest
FROM events
WHERE $__timeFilter(timestamp) AND duration > 0
    AND ('' IN (${scope:sqlstring}) OR scope IN (${scope:sqlstring}))
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${job:csv}) OR job_id IN (${job:csv})) AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY scope
ORDER BY rows DESC
