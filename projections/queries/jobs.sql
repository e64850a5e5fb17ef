-- name: read
-- Jobs with all that a client sees of them; most of it is their task's. Every job has one; that the join need not find
-- it lets PostgreSQL leave it out where only the job is asked about.
SELECT j.*,
    CASE
        WHEN j.stage = 'annotation' THEN 'annotation'
        WHEN j.stage = 'acceptance' AND j.state = 'completed' THEN 'completed'
        ELSE 'validation'
    END AS status,
    t.name AS task_name, p.name AS project_name, t.mode, t.dimension, t.media_type, t.bug_tracker, t.organization_id,
    t.source_storage, t.target_storage, t.chunk_size, t.original_chunk_type, t.compressed_chunk_type,
    t.owner_id AS task_owner_id, t.assignee_id AS task_assignee_id,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id,
    x.stream IS NOT NULL AS labels_extended,
    a.username AS assignee, a.first_name AS assignee_first_name, a.last_name AS assignee_last_name
FROM jobs j
LEFT JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = j.project_id
LEFT JOIN users a ON a.id = j.assignee_id
LEFT JOIN extended_label_sets x ON x.stream = label_stream(j.task_id, j.project_id)
