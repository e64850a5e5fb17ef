-- name: read
-- Tasks with all that a client sees of them.
SELECT t.*,
    CASE
        WHEN t.job_count = 0 OR t.annotation_jobs > 0 THEN 'annotation'
        WHEN t.completed_jobs < t.job_count THEN 'validation'
        ELSE 'completed'
    END AS status,
    x.stream IS NOT NULL AS labels_extended,
    p.name AS project_name,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id,
    o.username AS owner, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
    a.username AS assignee, a.first_name AS assignee_first_name, a.last_name AS assignee_last_name
FROM tasks t
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN users o ON o.id = t.owner_id
LEFT JOIN users a ON a.id = t.assignee_id
LEFT JOIN extended_label_sets x ON x.stream = label_stream(t.id, t.project_id)
