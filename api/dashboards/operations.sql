-- name: activity
-- Events of the log per minute, by what the first row of each is about.
WITH splitByChar(':', scope)[2] AS noun
SELECT ${time} AS time,
    multiIf(
        scope = 'send:exception', 'errors',
        source = 'client' OR scope = 'send:working_time', 'user interface',
        noun IN ('shapes', 'tracks', 'tags', 'intervals'), 'annotations',
        noun IN ('project', 'task', 'job', 'jobs', 'label', 'issue', 'comment'), 'jobs and tasks',
        noun IN ('request', 'dataset'), 'requests',
        noun IN ('upload', 'files', 'data', 'frames', 'video', 'related_images', 'cache_item'), 'media',
        'other'
    ) AS series,
    count() * 60 / {step:UInt32} AS value
FROM cvat.events
WHERE row = 0 AND ${chosen}
GROUP BY time, series

-- name: waiting
-- Requests that wait, by queue: by how many they became more.
SELECT time, queue AS series, sum(growth) AS value
FROM (
    SELECT ${time} AS time, max(queue) OVER (PARTITION BY request_id) AS queue,
        change IN ('queue', 'expire') AS waits,
        toInt64(waits) - lagInFrame(waits, 1, 0) OVER request AS growth
    FROM cvat.request_changes FINAL
    WHERE ${known}
    WINDOW request AS (PARTITION BY request_id ORDER BY position)
)
GROUP BY time, series

-- name: waits
-- The longest time in seconds that a request had waited for an agent, by queue, when it was taken up.
SELECT ${time} AS time, queue AS series, max(seconds_waited) AS value
FROM (SELECT *, started AS timestamp FROM cvat.request_runs WHERE started IS NOT NULL)
WHERE ${chosen}
GROUP BY time, series

-- name: errors
-- Errors, by where they happened.
SELECT ${time} AS time, if(source = 'client', 'in browsers', 'on the server') AS series, sum(times) AS value
FROM cvat.exceptions FINAL
WHERE ${chosen}
GROUP BY time, series

-- name: failures
-- Requests that failed, by queue.
SELECT ${time} AS time, queue AS series, count() AS value
FROM (SELECT *, ended AS timestamp FROM cvat.request_runs WHERE outcome = 'failed')
WHERE ${chosen}
GROUP BY time, series

-- name: messages
-- What the most frequent errors said.
SELECT substring(message, 1, 300) AS message, source, sum(times) AS times, uniqExact(user_id) AS people,
    toUnixTimestamp(max(timestamp)) AS last
FROM cvat.exceptions FINAL
WHERE ${chosen}
GROUP BY message, source
ORDER BY times DESC, last DESC, message
LIMIT 20
