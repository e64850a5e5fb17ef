-- What agents do: how long it takes, and what waits for them.
CREATE OR REPLACE VIEW ${database}.request_runs ${on_cluster}
(
    request_id String COMMENT 'The request',
    run UInt64 COMMENT 'How many times it had been asked for by then, this one included',
    queue String COMMENT 'The queue',
    action String COMMENT 'create, import or export',
    target String COMMENT 'project, task or job',
    subresource String COMMENT 'annotations, dataset, backup …; empty: the target itself',
    format String COMMENT 'The format asked for',
    user_id Nullable(UInt64) COMMENT 'Who asked for it',
    user_name Nullable(String) COMMENT 'That user''s name',
    org_id Nullable(UInt64) COMMENT 'In which organization',
    project_id Nullable(UInt64) COMMENT 'The project that it is about',
    task_id Nullable(UInt64) COMMENT 'The task that it is about',
    job_id Nullable(UInt64) COMMENT 'The job that it is about',
    queued DateTime64(3, 'Etc/UTC') COMMENT 'When it was asked for',
    started Nullable(DateTime64(3, 'Etc/UTC')) COMMENT 'When an agent took it up, the last time',
    ended Nullable(DateTime64(3, 'Etc/UTC')) COMMENT 'When it ended',
    outcome String COMMENT 'queued, started, finished, failed or cancelled',
    message String COMMENT 'Why it failed',
    attempts UInt64 COMMENT 'How many times an agent took it up',
    seconds_waited Nullable(Float64) COMMENT 'From when it was asked for until an agent took it up, the first time',
    seconds_worked Nullable(Float64) COMMENT 'From when an agent took it up, the last time, until it ended'
)
AS
SELECT
    request_id, run, max(queue) AS queue, max(action) AS action, max(target) AS target,
    max(subresource) AS subresource, max(format) AS format,
    tupleElement(anyIf(tuple(user_id), change = 'queue'), 1) AS user_id,
    tupleElement(anyIf(tuple(user_name), change = 'queue'), 1) AS user_name, any(org_id) AS org_id,
    any(project_id) AS project_id, any(task_id) AS task_id, any(job_id) AS job_id,
    min(timestamp) AS queued, maxOrNullIf(timestamp, change = 'start') AS started,
    maxOrNullIf(timestamp, change IN ('finish', 'fail', 'cancel')) AS ended,
    transform(
        argMax(change, position),
        ['queue', 'start', 'expire', 'finish', 'fail', 'cancel'],
        ['queued', 'started', 'queued', 'finished', 'failed', 'cancelled']
    ) AS outcome,
    max(message) AS message, countIf(change = 'start') AS attempts,
    dateDiff('millisecond', queued, minOrNullIf(timestamp, change = 'start')) / 1000 AS seconds_waited,
    dateDiff('millisecond', started, ended) / 1000 AS seconds_worked
FROM
(
    -- What is told only when a request is queued is empty in its other steps.
    SELECT *, countIf(change = 'queue') OVER (PARTITION BY request_id ORDER BY position) AS run
    FROM ${database}.request_changes FINAL
)
GROUP BY request_id, run
COMMENT 'Requests: one row for each time one was asked for, with how long it took';

CREATE OR REPLACE VIEW ${database}.exchange_durations ${on_cluster}
(
    day Date COMMENT 'The day it was asked for, in UTC',
    action String COMMENT 'import or export',
    target String COMMENT 'project, task or job',
    subresource String COMMENT 'annotations, dataset or backup',
    format String COMMENT 'The format; empty for backups',
    finished UInt64 COMMENT 'How many finished',
    failed UInt64 COMMENT 'How many failed',
    seconds_waited Nullable(Float64) COMMENT 'Waiting for an agent, on average',
    seconds_worked Nullable(Float64) COMMENT 'Being worked on, on average',
    seconds_worked_p95 Nullable(Float64) COMMENT 'Being worked on, 19 of 20 take no longer'
)
AS
SELECT
    toDate(queued) AS day, action, target, subresource, format,
    countIf(outcome = 'finished') AS finished, countIf(outcome = 'failed') AS failed,
    avg(runs.seconds_waited) AS seconds_waited, avg(runs.seconds_worked) AS seconds_worked,
    quantileExact(0.95)(runs.seconds_worked) AS seconds_worked_p95
FROM ${database}.request_runs AS runs
WHERE action IN ('import', 'export')
GROUP BY day, action, target, subresource, format
COMMENT 'How long imports and exports take, per day and format';

CREATE OR REPLACE VIEW ${database}.queue_depth ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When a request was queued, taken up, lost by its agent, or ended',
    queue String COMMENT 'The queue',
    waiting Int64 COMMENT 'How many requests waited from then on',
    running Int64 COMMENT 'How many were being worked on from then on'
)
AS
SELECT
    timestamp, queue, sum(more_waiting) OVER depth AS waiting, sum(more_running) OVER depth AS running
FROM
(
    SELECT
        timestamp, position, max(queue) OVER (PARTITION BY request_id) AS queue,
        change IN ('queue', 'expire') AS waits,
        change = 'start' AS runs,
        toInt64(waits) - lagInFrame(waits, 1, 0) OVER steps AS more_waiting,
        toInt64(runs) - lagInFrame(runs, 1, 0) OVER steps AS more_running
    FROM ${database}.request_changes FINAL
    WINDOW steps AS (PARTITION BY request_id ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WINDOW depth AS (PARTITION BY queue ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
COMMENT 'How much waits and runs in each queue: one row for each time that changed';
