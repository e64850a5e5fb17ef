-- name: agents
-- Agents that were heard of within a day, by when that was in seconds since 1970, and what each works on.
SELECT a.agent, a.queues, extract(epoch FROM a.beat_at)::float AS heard, count(r.id) AS requests
FROM log.agents a LEFT JOIN requests r ON r.agent = a.agent AND r.status = 'started'
WHERE a.beat_at > now() - interval '1 day'
GROUP BY a.agent ORDER BY heard DESC, a.agent LIMIT 100

-- name: dead_letters
-- The last events that a follower could not pass on.
SELECT follower, place, position, stage, left(error, 300) AS error, extract(epoch FROM noted_at)::float AS noted
FROM log.dead_letters ORDER BY noted_at DESC, place LIMIT 20
