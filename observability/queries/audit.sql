-- What server processes and agents report of their own work, and what follows from clients' reports, is nothing that
-- people did: `event_type` tells.

-- name: people
-- People who did something.
SELECT uniqExact(user_id) AS people
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server'
    AND event_type NOT IN (
        'ClientEventsReported', 'ServerEventsReported', 'RequestStarted', 'RequestFinished', 'RequestFailed', 'LeaseExpired'
    )
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: changes
-- Changes that people made.
SELECT uniqExact(position) AS changes
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND user_id IS NOT NULL
    AND event_type NOT IN (
        'ClientEventsReported', 'ServerEventsReported', 'RequestStarted', 'RequestFinished', 'RequestFailed', 'LeaseExpired'
    )
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: deleted
-- Things that were deleted, without what was drawn.
SELECT count() AS deleted
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND startsWith(scope, 'delete:')
    AND scope NOT IN ('delete:shapes', 'delete:tracks', 'delete:tags', 'delete:intervals')
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: restored
-- Things that came back.
SELECT uniqExact(position) AS restored
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server'
    AND (startsWith(scope, 'restore:') OR event_type = 'AnnotationsRestored')
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: logins
-- Logins.
SELECT count() AS logins
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND scope = 'login:user'
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: token_uses
-- Days on which an access token was used.
SELECT count() AS uses
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND scope = 'use:accesstoken'
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))

-- name: activity
-- What people did per interval, by verb.
SELECT $__timeInterval(timestamp) AS time, splitByChar(':', scope)[1] AS verb, uniqExact(position) AS changes
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND user_id IS NOT NULL
    AND event_type NOT IN (
        'ClientEventsReported', 'ServerEventsReported', 'RequestStarted', 'RequestFinished', 'RequestFailed', 'LeaseExpired'
    )
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY time, verb
ORDER BY time, verb

-- name: who
-- Who did what.
SELECT
    ifNull(any(user_name), '') AS person,
    uniqExactIf(position, startsWith(scope, 'create:')) AS created,
    uniqExactIf(position, startsWith(scope, 'update:')) AS changed,
    uniqExactIf(position, startsWith(scope, 'delete:')) AS deleted,
    uniqExactIf(position, startsWith(scope, 'restore:') OR event_type = 'AnnotationsRestored') AS restored,
    uniqExactIf(position, scope = 'export:dataset') AS exports,
    uniqExactIf(position, scope = 'import:dataset') AS imports,
    uniqExactIf(position, scope = 'login:user') AS logins,
    max(timestamp) AS last
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND user_id IS NOT NULL
    AND event_type NOT IN (
        'ClientEventsReported', 'ServerEventsReported', 'RequestStarted', 'RequestFinished', 'RequestFailed', 'LeaseExpired'
    )
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY user_id
ORDER BY deleted DESC, person

-- name: deletions
-- What was deleted, by whom. What was drawn is counted per save.
SELECT
    timestamp AS time, user_name AS person, splitByChar(':', scope)[2] AS what, obj_name AS name, obj_id AS id,
    count AS objects, project_id AS project, task_id AS task, job_id AS job
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND startsWith(scope, 'delete:')
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
ORDER BY scope IN ('delete:shapes', 'delete:tracks', 'delete:tags', 'delete:intervals'), time DESC, position DESC, row
LIMIT 1000

-- name: restores
-- What came back, and who brought it back.
SELECT
    timestamp AS time, user_name AS person,
    if(event_type = 'AnnotationsRestored', 'annotations', splitByChar(':', scope)[2]) AS what, obj_name AS name,
    obj_id AS id, task_id AS task, job_id AS job
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server'
    AND (startsWith(scope, 'restore:') OR event_type = 'AnnotationsRestored')
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
ORDER BY time DESC, position DESC, row
LIMIT 1000

-- name: sign_ins
-- Who came in: logins, with the addresses that their browsers reported from.
SELECT
    ifNull(any(user_name), '') AS person,
    countIf(scope = 'login:user' AND source = 'server') AS logins,
    countIf(scope = 'logout:user' AND source = 'server') AS logouts,
    maxIf(timestamp, scope = 'login:user' AND source = 'server') AS last,
    arrayStringConcat(arraySort(groupUniqArray(10)(remote_addr)), ', ') AS addresses
FROM events
WHERE $__timeFilter(timestamp) AND user_id IS NOT NULL AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
GROUP BY user_id
HAVING logins + logouts > 0
ORDER BY person

-- name: tokens
-- What became of access tokens.
SELECT
    timestamp AS time, user_name AS person,
    transform(splitByChar(':', scope)[1], ['create', 'update', 'use', 'delete'], ['made', 'changed', 'used', 'revoked'])
        AS what,
    ifNull(obj_id, JSONExtractUInt(ifNull(payload, ''), 'token_id')) AS token,
    coalesce(obj_name, JSONExtractString(ifNull(payload, ''), 'name')) AS name
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND endsWith(scope, ':accesstoken')
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
ORDER BY time DESC
LIMIT 1000

-- name: accounts
-- Accounts: made, changed, closed.
SELECT
    timestamp AS time, user_name AS `done by`, splitByChar(':', scope)[1] AS what,
    dictionary.name AS account, if(scope = 'update:user', obj_name, NULL) AS field,
    JSONExtractString(ifNull(payload, ''), 'old_value') AS before, obj_val AS after
FROM
(
    SELECT *, if(scope = 'update:user', JSONExtractUInt(ifNull(payload, ''), 'user_id'), obj_id)
        AS account_id
    FROM events
    WHERE $__timeFilter(timestamp) AND source = 'server' AND scope IN ('create:user', 'update:user', 'delete:user')
        AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
) AS changes
LEFT JOIN (SELECT id, name FROM names WHERE kind = 'user') AS dictionary ON dictionary.id = changes.account_id
ORDER BY time DESC, position DESC, row
LIMIT 1000

-- name: everything
-- Everything that people did, the last first.
SELECT
    timestamp AS time, user_name AS person, scope, obj_name AS name, obj_val AS value, obj_id AS id, count AS objects,
    project_id AS project, task_id AS task, job_id AS job, correlation_id AS request
FROM events
WHERE $__timeFilter(timestamp) AND source = 'server' AND user_id IS NOT NULL
    AND event_type NOT IN (
        'ClientEventsReported', 'ServerEventsReported', 'RequestStarted', 'RequestFinished', 'RequestFailed', 'LeaseExpired'
    )
    AND (0 IN (${user:csv}) OR user_id IN (${user:csv}))
ORDER BY timestamp DESC, position DESC, row
LIMIT 1000
