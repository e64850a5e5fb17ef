-- name: user_activity
-- Events per person and interval.
SELECT $__timeInterval(timestamp) AS time, toString(user_id) AS user, count() AS events
FROM cvat.events
WHERE $__timeFilter(timestamp) AND user_id IS NOT NULL AND (-1 IN (${users}) OR user_id IN (${users}))
GROUP BY time, user
ORDER BY time ASC

-- name: overall_activity
-- Events per interval.
SELECT $__timeInterval(timestamp) AS time, count() AS events
FROM cvat.events
WHERE $__timeFilter(timestamp)
GROUP BY time
ORDER BY time ASC WITH FILL STEP toUInt32($__interval_s)

-- name: working_time
-- Hours, and how many reports they were in.
SELECT
    user_id, user_name, project_id, task_id, job_id,
    sum(JSONExtractUInt(payload, 'working_time')) / 1000 / 3600 AS hours, count() AS reports
FROM cvat.events
WHERE JSONHas(payload, 'working_time') AND $__timeFilter(timestamp)
    AND (-1 IN (${users}) OR user_id IN (${users})) AND (-1 IN (${projects}) OR project_id IN (${projects}))
    AND (-1 IN (${tasks}) OR task_id IN (${tasks})) AND (-1 IN (${jobs}) OR job_id IN (${jobs}))
GROUP BY user_id, user_name, project_id, task_id, job_id
ORDER BY hours DESC
