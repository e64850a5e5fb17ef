-- name: progress
-- Jobs that there are, are annotated, and are accepted: by how many each number grew.
SELECT time, growth.1 AS series, sum(growth.2) AS value
FROM (
    SELECT time, arrayJoin([
        ('jobs', toInt64(stands) - lagInFrame(stands, 1, 0) OVER job),
        ('annotated', toInt64(annotated) - lagInFrame(annotated, 1, 0) OVER job),
        ('accepted', toInt64(accepted) - lagInFrame(accepted, 1, 0) OVER job)
    ]) AS growth
    FROM (${job_steps})
    WINDOW job AS (PARTITION BY job_id ORDER BY position, row)
)
GROUP BY time, series

-- name: throughput
-- Annotations made, by the five people who made the most of them, and by all others.
SELECT ${time} AS time, if(user_name IN (
        SELECT user_name FROM cvat.annotation_objects FINAL WHERE action = 'create' AND ${chosen}
        GROUP BY user_name ORDER BY sum(objects) DESC, user_name LIMIT 5
    ), user_name, 'others') AS series, sum(objects) AS value
FROM cvat.annotation_objects FINAL
WHERE action = 'create' AND ${chosen}
GROUP BY time, series

-- name: working_time
-- Hours worked, by the five people who worked the most, and by all others.
SELECT ${time} AS time, if(user_name IN (
        SELECT user_name FROM cvat.working_time FINAL WHERE ${chosen}
        GROUP BY user_name ORDER BY sum(milliseconds) DESC, user_name LIMIT 5
    ), user_name, 'others') AS series, sum(milliseconds) / 3600000 AS value
FROM cvat.working_time FINAL
WHERE ${chosen}
GROUP BY time, series

-- name: people
-- What each person did, who made most annotations first.
SELECT user_name AS person, sum(milliseconds) / 3600000 AS hours, sum(objects) AS annotations,
    if(hours > 0, annotations / hours, NULL) AS per_hour, sum(completed) AS jobs_completed
FROM (
    SELECT user_name, milliseconds, 0 AS objects, 0 AS completed FROM cvat.working_time FINAL WHERE ${chosen}
    UNION ALL
    SELECT user_name, 0, objects, 0 FROM cvat.annotation_objects FINAL WHERE action = 'create' AND ${chosen}
    UNION ALL
    SELECT user_name, 0, 0, 1 FROM cvat.job_changes FINAL WHERE change = 'state' AND value = 'completed' AND ${chosen}
)
WHERE user_name IS NOT NULL
GROUP BY person
ORDER BY annotations DESC, hours DESC, person
LIMIT 200

-- name: labels
-- Annotations made, by label.
SELECT ifNull(names.label, '') AS label, sum(objects) AS annotations
FROM (SELECT label_id, objects FROM cvat.annotation_objects FINAL WHERE action = 'create' AND ${chosen}) AS made
LEFT JOIN (SELECT label_id, label FROM cvat.labels) AS names USING (label_id)
GROUP BY label
ORDER BY annotations DESC, label
LIMIT 30

-- name: stages
-- Jobs by stage and state at the end of the chosen time.
SELECT ended.1 AS stage, ended.2 AS state, count() AS jobs
FROM (
    SELECT argMax((stage, state, stands), (position, row)) AS ended FROM (${job_steps}) GROUP BY job_id
)
WHERE ended.3
GROUP BY stage, state
ORDER BY indexOf(['annotation', 'validation', 'acceptance'], stage),
    indexOf(['new', 'in progress', 'rejected', 'completed'], state)

-- name: durations
-- For how long there had been the jobs whose annotation was completed in the chosen time, in seconds: how many at most
-- `longest`, and longer than the row before says.
SELECT longest, countIf(seconds > shortest AND seconds <= longest) AS jobs
FROM (
    SELECT arrayJoin([(-1, 900), (900, 3600), (3600, 14400), (14400, 43200), (43200, 86400), (86400, 259200),
        (259200, 604800), (604800, 4294967295)]) AS bounds, bounds.1 AS shortest, bounds.2 AS longest
) AS spans
CROSS JOIN (
    SELECT seconds_since_created AS seconds FROM cvat.job_completions WHERE stage = 'annotation' AND ${chosen}
) AS completions
GROUP BY longest
ORDER BY longest

-- name: span
-- When the first and the last event happened, and how many there are: of the log, each of which may have several rows.
SELECT toUnixTimestamp(min(timestamp)) AS first, toUnixTimestamp(max(timestamp)) AS last, uniqExact(position) AS events
FROM cvat.events
WHERE ${known}
