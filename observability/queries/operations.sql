-- name: queue_depth
-- Requests that waited in each queue: the most at once, per interval.
SELECT $__timeInterval(timestamp) AS time, queue, max(waiting) AS waiting
FROM queue_depth
WHERE $__timeFilter(timestamp)
GROUP BY time, queue
ORDER BY time, queue

-- name: durations
-- How long requests waited for an agent and were worked on, by what they were.
SELECT
    queue, action, count() AS requests, countIf(outcome = 'failed') AS failed, sum(attempts) - count() AS `tried again`,
    quantileExact(0.5)(seconds_waited) AS `waited (median)`, quantileExact(0.95)(seconds_waited) AS `waited (95 %)`,
    quantileExact(0.5)(seconds_worked) AS `worked on (median)`, quantileExact(0.95)(seconds_worked) AS `worked on (95 %)`
FROM request_runs
WHERE $__timeFilter(queued)
GROUP BY queue, action
ORDER BY requests DESC

-- name: failures
-- Requests that failed, and why.
SELECT ended AS time, action, request_id AS request, user_name AS person, message
FROM request_runs
WHERE outcome = 'failed' AND ended IS NOT NULL AND $__timeFilter(ended)
ORDER BY time DESC
LIMIT 200

-- name: recorded
-- Events that the log recorded, by what they are about.
SELECT $__timeInterval(timestamp) AS time, splitByChar('-', stream)[1] AS stream, count() / $__interval_s AS events
FROM events
WHERE $__timeFilter(timestamp) AND row = 0
GROUP BY time, stream
ORDER BY time, stream

-- name: exceptions
-- Errors that people and agents met.
SELECT source, message, sum(times) AS errors, uniqExact(user_id) AS people, max(timestamp) AS last
FROM exceptions FINAL
WHERE $__timeFilter(timestamp)
GROUP BY source, message
ORDER BY errors DESC
LIMIT 200
