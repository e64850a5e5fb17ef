-- name: read
-- Issues with all that a client sees of them, and whose their jobs are. Those of deleted jobs are not seen.
SELECT i.*, i.frame AS frame_id, j.task_id, j.project_id, j.assignee_id AS job_assignee_id, t.organization_id,
    t.owner_id AS task_owner_id, t.assignee_id AS task_assignee_id,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id,
    o.username AS owner, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
    a.username AS assignee, a.first_name AS assignee_first_name, a.last_name AS assignee_last_name
FROM issues i
JOIN jobs j ON j.id = i.job_id
LEFT JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = j.project_id
LEFT JOIN users o ON o.id = i.owner_id
LEFT JOIN users a ON a.id = i.assignee_id

-- name: read_comments
-- Comments with all that a client sees of them, and whose their issues and jobs are.
SELECT c.*, i.frame AS frame_id, i.job_id, i.owner_id AS issue_owner_id, i.assignee_id AS issue_assignee_id,
    j.task_id, j.project_id, j.assignee_id AS job_assignee_id, t.organization_id,
    t.owner_id AS task_owner_id, t.assignee_id AS task_assignee_id,
    p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id,
    o.username AS owner, o.first_name AS owner_first_name, o.last_name AS owner_last_name
FROM comments c
JOIN issues i ON i.id = c.issue_id
JOIN jobs j ON j.id = i.job_id
LEFT JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = j.project_id
LEFT JOIN users o ON o.id = c.owner_id
