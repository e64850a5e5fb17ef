-- name: of_job
-- The annotations of a job as JSON text, by kind, in the order of the frames.
SELECT o.kind, string_agg(o.doc, ',' ORDER BY o.frame, o.id) AS docs
FROM annotation_objects o
WHERE o.job_id = %(job_id)s AND o.label_id NOT IN (
    SELECT d.id FROM jobs j JOIN labels_discarded d ON d.stream = label_stream(j.task_id, j.project_id) WHERE j.id = %(job_id)s
)
GROUP BY o.kind

-- name: of_task
-- The annotations of the jobs that a task's annotations are in, as JSON text.
SELECT o.job_id, o.kind, string_agg(o.doc, ',' ORDER BY o.frame, o.id) AS docs
FROM annotation_objects o JOIN jobs j ON j.id = o.job_id LEFT JOIN validation v ON v.job_id = j.id
WHERE j.task_id = %(task_id)s AND (j.type = 'annotation' OR v.mode = 'gt_pool') AND o.label_id NOT IN (
    SELECT d.id FROM jobs j JOIN labels_discarded d ON d.stream = label_stream(j.task_id, j.project_id) WHERE j.task_id = %(task_id)s
)
GROUP BY o.job_id, o.kind
