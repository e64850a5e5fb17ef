-- name: progress
-- Accepted jobs, of all that there are.
SELECT countIf(stage = 'acceptance' AND state = 'completed') / count() AS accepted
FROM jobs
WHERE NOT deleted
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))

-- name: remaining
-- Jobs that are not accepted yet.
SELECT countIf(NOT (stage = 'acceptance' AND state = 'completed')) AS jobs
FROM jobs
WHERE NOT deleted
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))

-- name: accepted
-- Jobs accepted in this time.
SELECT uniqExact(job_id) AS jobs
FROM job_completions
WHERE $__timeFilter(timestamp) AND stage = 'acceptance'
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: eta
-- When the remaining jobs are accepted, if as many are accepted a day as on the days of this time on which any were.
WITH
    (
        SELECT countIf(NOT (stage = 'acceptance' AND state = 'completed'))
        FROM jobs
        WHERE NOT deleted AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
            AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    ) AS remaining
SELECT if(
    uniqExact(job_id) = 0, NULL,
    toUnixTimestamp(max(timestamp)) * 1000
        + remaining / uniqExact(job_id) * uniqExact(toDate(timestamp)) * 86400000
) AS finished
FROM job_completions
WHERE $__timeFilter(timestamp) AND stage = 'acceptance'
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))

-- name: hours
-- Hours that people worked.
SELECT sum(milliseconds) / 3600000 AS hours
FROM working_time FINAL
WHERE $__timeFilter(timestamp)
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: objects
-- Objects that were drawn.
SELECT sum(objects) AS objects
FROM annotation_objects FINAL
WHERE $__timeFilter(timestamp) AND action = 'create'
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: burn_up
-- Jobs that had been created, annotated and accepted by then. A job that comes back counts from the first time.
SELECT time, reached, sum(jobs) OVER (PARTITION BY reached ORDER BY time) AS jobs
FROM
(
    SELECT $__timeInterval(shown) AS time, reached, count() AS jobs
    FROM
    (
        SELECT job_id, 'created' AS reached, greatest(toDateTime(created), $__fromTime) AS shown
        FROM jobs
        WHERE NOT deleted AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
            AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
        UNION ALL
        SELECT job_id, if(stage = 'acceptance', 'accepted', 'annotated') AS reached,
            greatest(toDateTime(min(timestamp)), $__fromTime) AS shown
        FROM job_completions
        WHERE stage IN ('annotation', 'acceptance')
            AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
            AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
        GROUP BY job_id, reached
    )
    WHERE shown <= $__toTime
    GROUP BY time, reached
)
ORDER BY time, reached

-- name: throughput
-- Jobs completed per interval, by stage.
SELECT $__timeInterval(timestamp) AS time, stage, uniqExact(job_id) AS jobs
FROM job_completions
WHERE $__timeFilter(timestamp)
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY time, stage
ORDER BY time, stage

-- name: states
-- Where the jobs are now.
SELECT concat(stage, ': ', state) AS at, count() AS jobs
FROM jobs
WHERE NOT deleted
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
GROUP BY stage, state
ORDER BY indexOf(['annotation', 'validation', 'acceptance'], stage), indexOf(['new', 'in progress', 'completed'], state)

-- name: working_time
-- Hours worked per day, by person.
SELECT toDateTime(toDate(timestamp)) AS time, user_name, sum(milliseconds) / 3600000 AS hours
FROM working_time FINAL
WHERE $__timeFilter(timestamp)
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY time, user_name
ORDER BY time, user_name

-- name: people
-- What each person did.
SELECT
    ifNull(any(name), '') AS person, sum(worked) AS hours, sum(annotated) AS `jobs annotated`,
    sum(accepted) AS `jobs accepted`, sum(returned) AS `sent back`, sum(drawn) AS `objects drawn`,
    sum(drawn) / nullIf(sum(worked), 0) AS `objects per hour`
FROM
(
    SELECT user_id, any(user_name) AS name, sum(milliseconds) / 3600000 AS worked, 0 AS annotated, 0 AS accepted,
        0 AS returned, 0 AS drawn
    FROM working_time FINAL
    WHERE $__timeFilter(timestamp) AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
        AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    GROUP BY user_id
    UNION ALL
    SELECT
        user_id, any(user_name), 0, uniqExactIf(position, stage = 'annotation' AND state = 'completed'),
        uniqExactIf(position, stage = 'acceptance' AND state = 'completed'), uniqExactIf(position, state = 'rejected'), 0
    FROM job_changes FINAL
    WHERE $__timeFilter(timestamp) AND change IN ('stage', 'state')
        AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
        AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    GROUP BY user_id
    UNION ALL
    SELECT user_id, any(user_name), 0, 0, 0, 0, sum(objects)
    FROM annotation_objects FINAL
    WHERE $__timeFilter(timestamp) AND action = 'create' AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
        AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    GROUP BY user_id
)
WHERE user_id IS NOT NULL AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY user_id
HAVING sum(worked) + sum(annotated) + sum(accepted) + sum(returned) + sum(drawn) > 0
ORDER BY `objects drawn` DESC, hours DESC

-- name: labels
-- Objects that stand now, by label.
SELECT label, sum(objects) AS objects
FROM label_distribution
WHERE (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
GROUP BY label
ORDER BY objects DESC
LIMIT 30

-- name: labels_drawn
-- Objects drawn per interval, by label.
SELECT $__timeInterval(timestamp) AS time, label, sum(objects) AS objects
FROM (SELECT * FROM annotation_objects FINAL WHERE $__timeFilter(timestamp) AND action = 'create') AS drawn
INNER JOIN labels ON labels.label_id = drawn.label_id
WHERE (0 IN (${project:csv}) OR drawn.project_id IN (${project:csv}))
    AND (0 IN (${task:csv}) OR drawn.task_id IN (${task:csv}))
    AND (0 IN (${user:csv}) OR drawn.user_id IN (${user:csv}))
GROUP BY time, label
ORDER BY time, label

-- name: stage_times
-- How long jobs were in each state of each stage that they have left.
SELECT
    concat(stage, ': ', state) AS at, count() AS times, quantileExact(0.5)(seconds) AS median,
    quantileExact(0.95)(seconds) AS `95 %`, max(seconds) AS longest
FROM job_state_times
WHERE $__timeFilter(began) AND ended IS NOT NULL
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
GROUP BY stage, state
ORDER BY indexOf(['annotation', 'validation', 'acceptance'], stage), indexOf(['new', 'in progress', 'completed'], state)

-- name: to_acceptance
-- How long jobs took from their creation to their acceptance, by when they were accepted.
SELECT $__timeInterval(timestamp) AS time, quantileExact(0.5)(seconds_since_created) AS median,
    quantileExact(0.95)(seconds_since_created) AS `95 %`
FROM job_completions
WHERE $__timeFilter(timestamp) AND stage = 'acceptance'
    AND (0 IN (${project:csv}) OR project_id IN (${project:csv})) AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
GROUP BY time
ORDER BY time

-- name: tasks
-- How far each task is: those with most to do first.
SELECT
    names.name AS task, done.*
FROM
(
    SELECT
        task_id AS id, count() AS jobs, countIf(stage = 'annotation' AND state != 'completed') AS `to annotate`,
        countIf(stage = 'validation' OR (stage = 'annotation' AND state = 'completed')) AS `to review`,
        countIf(stage = 'acceptance' AND state = 'completed') AS accepted, accepted / jobs AS progress
    FROM jobs
    WHERE NOT deleted AND (0 IN (${project:csv}) OR project_id IN (${project:csv}))
        AND (0 IN (${task:csv}) OR task_id IN (${task:csv}))
    GROUP BY task_id
) AS done
LEFT JOIN (SELECT id, name FROM names WHERE kind = 'task') AS names ON names.id = done.id
ORDER BY progress, done.id
LIMIT 500
