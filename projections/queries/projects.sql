-- name: read
-- Projects with all that a client sees of them.
SELECT p.*, 'annotation' AS status,
    o.username AS owner, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
    a.username AS assignee, a.first_name AS assignee_first_name, a.last_name AS assignee_last_name,
    ARRAY(SELECT DISTINCT t.subset FROM tasks t WHERE t.project_id = p.id AND t.subset <> '' ORDER BY 1) AS task_subsets,
    (SELECT t.dimension FROM tasks t WHERE t.project_id = p.id AND t.dimension <> '' ORDER BY t.id LIMIT 1) AS dimension
FROM projects p
LEFT JOIN users o ON o.id = p.owner_id
LEFT JOIN users a ON a.id = p.assignee_id

-- name: first_task_with_data
-- Whose first frame stands for the project.
SELECT id FROM tasks WHERE project_id = %(project_id)s AND size > 0 ORDER BY id LIMIT 1
