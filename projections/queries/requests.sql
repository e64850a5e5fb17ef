-- name: read
-- Requests with all that a client sees of them. They expire as with CVAT, and with them the files that exports gave.
SELECT r.*, r.params ->> 'format' AS format,
    r.finished_date + CASE
        WHEN r.status = 'finished' AND r.action <> 'export' THEN interval '1 hour'
        WHEN r.status = 'failed' AND r.action <> 'export' THEN interval '30 days'
        ELSE interval '1 day'
    END AS expiry_date,
    (SELECT count(*) FROM log.agents a
    WHERE r.queue = ANY (a.queues) AND a.beat_at > now() - interval '30 seconds') AS agents
FROM requests r

-- name: waiting
-- The requests of some queues that wait, first come first served, and the events by which they were asked for.
SELECT r.id, e.stream, e.version, e.actor_id, e.actor, e.actor_email, e.organization_id, e.organization, e.correlation_id
FROM requests r JOIN log.events e ON e.position = r.position
WHERE r.status = 'queued' AND r.queue = ANY(%(queues)s) ORDER BY r.position LIMIT %(limit)s

-- name: abandoned
-- Requests whose agent has gone silent.
SELECT r.id, r.queue, r.agent, a.beat_at FROM requests r LEFT JOIN log.agents a ON a.agent = r.agent
WHERE r.status = 'started' AND r.queue = ANY(%(queues)s)
  AND (a.agent IS NULL OR a.beat_at < now() - make_interval(secs => %(lease)s))

-- name: awaited
-- Those of some files that requests in progress are to work on.
SELECT params ->> 'sha256' AS sha256 FROM requests
WHERE status IN ('queued', 'started') AND params ->> 'sha256' = ANY (%(names)s)

-- name: queues
-- How many wait in each queue, how long the oldest has, and who serves it.
SELECT q.queue, count(r.id) AS waiting,
    coalesce(extract(epoch FROM now() - min(r.created_date)), 0)::float AS oldest_seconds,
    (SELECT count(*) FROM log.agents a WHERE q.queue = ANY (a.queues) AND a.beat_at > now() - interval '30 seconds')
        AS agents
FROM (
    SELECT DISTINCT queue FROM requests
    UNION
    SELECT DISTINCT unnest(queues) FROM log.agents WHERE beat_at > now() - interval '30 seconds'
) q (queue)
LEFT JOIN requests r ON r.queue = q.queue AND r.status = 'queued'
GROUP BY q.queue
