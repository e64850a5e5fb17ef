-- name: of_task
-- How work on a task is checked; the mode is null where there is no ground truth job.
SELECT v.mode, v.frames, v.disabled_frames, v.frames_per_job_count, h.honeypot_frames, h.honeypot_real_frames
FROM tasks t
LEFT JOIN validation v ON v.task_id = t.id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(frame ORDER BY frame), '{}') AS honeypot_frames,
        coalesce(array_agg(real_frame ORDER BY frame), '{}') AS honeypot_real_frames
    FROM honeypots WHERE task_id = t.id
) h
WHERE t.id = %(id)s

-- name: of_job
-- The honeypots of a job; the mode is null where its task has no ground truth job.
SELECT v.mode, h.honeypot_frames, h.honeypot_real_frames
FROM jobs j
LEFT JOIN validation v ON v.task_id = j.task_id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(frame ORDER BY frame), '{}') AS honeypot_frames,
        coalesce(array_agg(real_frame ORDER BY frame), '{}') AS honeypot_real_frames
    FROM honeypots
    WHERE task_id = j.task_id AND frame BETWEEN j.start_frame AND j.stop_frame AND j.type <> 'ground_truth'
) h
WHERE j.id = %(id)s
