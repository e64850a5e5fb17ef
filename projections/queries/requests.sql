-- name: read
-- Requests with all that a client sees of them.
SELECT r.*, (SELECT count(*) FROM log.agents a
    WHERE r.queue = ANY (a.queues) AND a.beat_at > now() - interval '30 seconds') AS agents
FROM requests r

-- name: waiting
-- The requests of some queues that wait, first come first served.
SELECT id FROM requests WHERE status = 'queued' AND queue = ANY(%(queues)s) ORDER BY position LIMIT %(limit)s

-- name: abandoned
-- Requests whose agent has gone silent.
SELECT r.id, r.agent, a.beat_at FROM requests r LEFT JOIN log.agents a ON a.agent = r.agent
WHERE r.status = 'started' AND r.queue = ANY(%(queues)s)
  AND (a.agent IS NULL OR a.beat_at < now() - make_interval(secs => %(lease)s))
