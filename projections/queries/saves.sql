-- name: at_version
-- Where a version of a stream is, and whether the same save goes on behind it.
SELECT e.position, n.position IS NULL AS whole
FROM log.events e
LEFT JOIN log.events n ON n.stream = e.stream AND n.version = e.version + 1
    AND n.time = e.time AND n.correlation_id IS NOT DISTINCT FROM e.correlation_id
WHERE e.stream = %(stream)s AND e.version = %(version)s

-- name: at_position
-- Whether an event is of some streams, and whether the same save goes on behind it.
SELECT e.position, n.position IS NULL AS whole
FROM log.events e
LEFT JOIN log.events n ON n.position = e.position + 1 AND n.stream = ANY(%(streams)s)
    AND n.time = e.time AND n.correlation_id IS NOT DISTINCT FROM e.correlation_id
WHERE e.position = %(position)s AND e.stream = ANY(%(streams)s)

-- name: at_time
-- The last event of some streams that is not later than a time, if one is given.
SELECT coalesce(max(position), 0) AS position FROM log.events
WHERE stream = ANY(%(streams)s) AND time <= coalesce(%(time)s::timestamptz, 'infinity')

-- name: spans
-- Up to which version each stream was at a position, and after which version one must read to know all that stood.
SELECT stream, max(version) AS version,
    coalesce(max(version) FILTER (WHERE type IN ('AnnotationsReplaced', 'AnnotationsCleared')), 1) - 1 AS after
FROM log.events WHERE stream = ANY(%(streams)s) AND position <= %(position)s
GROUP BY stream

-- name: page
-- Saves of some streams, the last first: events that were recorded at the same time for the same request.
SELECT min(position) AS first, max(position) AS last, max(version) AS version,
    array_agg(DISTINCT job_id ORDER BY job_id) AS job_ids, array_agg(DISTINCT type ORDER BY type) AS types,
    time, actor_id, actor, source, user_agent, correlation_id
FROM log.events WHERE stream = ANY(%(streams)s)
GROUP BY time, correlation_id, actor_id, actor, source, user_agent
ORDER BY last DESC LIMIT %(limit)s OFFSET %(offset)s

-- name: count
-- How many saves there are.
SELECT count(*) AS count FROM (
    SELECT FROM log.events WHERE stream = ANY(%(streams)s)
    GROUP BY time, correlation_id, actor_id, actor, source, user_agent
) s

-- name: labels_moved
-- The versions in which labels of a task or project were deleted or restored.
SELECT version FROM log.events
WHERE stream = %(stream)s AND position <= %(position)s AND type IN ('LabelDeleted', 'LabelRestored')
ORDER BY version
