-- name: active_now
-- People who did something in the last 15 minutes.
SELECT uniqExact(user_id) AS people
FROM cvat.events
WHERE user_id IS NOT NULL AND timestamp >= $__toTime - INTERVAL 15 MINUTE AND timestamp <= $__toTime

-- name: active
-- People who did something, in intervals of 15 minutes.
SELECT toStartOfInterval(timestamp, INTERVAL 15 MINUTE) AS time, uniqExact(user_id) AS people
FROM cvat.events
WHERE user_id IS NOT NULL AND $__timeFilter(timestamp)
GROUP BY time
ORDER BY time ASC WITH FILL STEP toIntervalMinute(15)

-- name: durations
-- How long events took.
SELECT scope, avg(duration) AS average, min(duration) AS shortest, max(duration) AS longest
FROM cvat.events
WHERE $__timeFilter(timestamp) AND duration > 0 AND scope IN (${scopes}) AND source IN (${sources})
GROUP BY scope
ORDER BY scope

-- name: numbers
-- How many events there were.
SELECT scope, count() AS events
FROM cvat.events
WHERE $__timeFilter(timestamp) AND scope IN (${scopes}) AND source IN (${sources})
GROUP BY scope
ORDER BY events DESC

-- name: exceptions
-- Exceptions per interval.
SELECT $__timeInterval(timestamp) AS time, source, count() AS exceptions
FROM cvat.events
WHERE $__timeFilter(timestamp) AND scope = 'send:exception' AND source IN (${sources})
    AND (-1 IN (${users}) OR user_id IN (${users})) AND (-1 IN (${organizations}) OR org_id IN (${organizations}))
    AND (-1 IN (${projects}) OR project_id IN (${projects})) AND (-1 IN (${tasks}) OR task_id IN (${tasks}))
    AND (-1 IN (${jobs}) OR job_id IN (${jobs}))
GROUP BY time, source
ORDER BY time ASC

-- name: exceptions_table
-- What they said.
SELECT timestamp, source, user_id, user_name, JSONExtractString(payload, 'message') AS message,
    JSONExtractString(payload, 'stack') AS stack, JSONExtractRaw(payload, 'request') AS request
FROM cvat.events
PREWHERE scope = 'send:exception'
WHERE $__timeFilter(timestamp)
ORDER BY timestamp DESC
LIMIT 1000

-- name: cache_written
-- Bytes of chunks written into the cache, by queue.
SELECT $__timeInterval(timestamp) AS time, JSON_VALUE(payload, '$.queue') AS queue,
    sum(JSONExtractUInt(payload, 'cache_item', 'size')) / $__interval_s AS bytes
FROM cvat.events
WHERE $__timeFilter(timestamp) AND scope = 'create:cache_item'
GROUP BY time, queue
ORDER BY time ASC

-- name: cache_read
-- Bytes of chunks read from the cache, by queue.
SELECT $__timeInterval(timestamp) AS time, JSON_VALUE(payload, '$.queue') AS queue,
    sum(JSONExtractUInt(payload, 'cache_item', 'size')) / $__interval_s AS bytes
FROM cvat.events
WHERE $__timeFilter(timestamp) AND scope = 'read:cache_item'
GROUP BY time, queue
ORDER BY time ASC
