-- name: read
-- Requests with all that a client sees of them.
SELECT r.*, (SELECT count(*) FROM log.agents a
    WHERE r.queue = ANY (a.queues) AND a.beat_at > now() - interval '30 seconds') AS agents
FROM requests r

-- name: waiting
-- The requests of some queues that wait, first come first served, and the events by which they were asked for.
SELECT r.id, e.stream, e.version, e.actor_id, e.actor, e.organization_id, e.organization, e.correlation_id
FROM requests r JOIN log.events e ON e.position = r.position
WHERE r.status = 'queued' AND r.queue = ANY(%(queues)s) ORDER BY r.position LIMIT %(limit)s

-- name: abandoned
-- Requests whose agent has gone silent.
SELECT r.id, r.agent, a.beat_at FROM requests r LEFT JOIN log.agents a ON a.agent = r.agent
WHERE r.status = 'started' AND r.queue = ANY(%(queues)s)
  AND (a.agent IS NULL OR a.beat_at < now() - make_interval(secs => %(lease)s))
