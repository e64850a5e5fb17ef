-- name: of_job
-- The annotations of a job as JSON text, by kind, in the order of the frames.
SELECT kind, string_agg(doc::text, ',' ORDER BY frame, id) AS docs FROM annotations WHERE job_id = %(job_id)s GROUP BY kind

-- name: of_task
-- The annotations of a task's jobs of type annotation, as JSON text.
SELECT a.job_id, a.kind, string_agg(a.doc::text, ',' ORDER BY a.frame, a.id) AS docs
FROM annotations a JOIN jobs j ON j.id = a.job_id
WHERE j.task_id = %(task_id)s AND j.type = 'annotation' GROUP BY a.job_id, a.kind

-- name: jobs_of_objects
-- The jobs of a task in which some objects stand.
SELECT a.id, a.kind, a.job_id FROM annotations a JOIN jobs j ON j.id = a.job_id
WHERE j.task_id = %(task_id)s AND a.id = ANY(%(ids)s)
