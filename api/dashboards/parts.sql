-- name: known
-- Until the end of the chosen time, of the chosen project and task.
timestamp < fromUnixTimestamp({until:UInt32})
    AND ({project:UInt64} = 0 OR project_id = {project:UInt64}) AND ({task:UInt64} = 0 OR task_id = {task:UInt64})

-- name: chosen
-- In the chosen time, of the chosen project and task.
timestamp >= fromUnixTimestamp({first:UInt32}) AND ${known}

-- name: time
-- The step that a row falls into: the first one for all that was before.
greatest(intDiv(toUnixTimestamp(timestamp), {step:UInt32}) * {step:UInt32}, {first:UInt32})

-- name: job_steps
-- What each job was after each of its changes.
SELECT job_id, timestamp, position, row, ${time} AS time,
    change != 'deleted' AS stands,
    last_value(stage) OVER job AS stage,
    last_value(state) OVER job AS state,
    stands AND (state = 'completed' OR stage != 'annotation') AS annotated,
    stands AND state = 'completed' AND stage = 'acceptance' AS accepted
FROM cvat.job_changes FINAL
WHERE ${known}
WINDOW job AS (PARTITION BY job_id ORDER BY position, row)
