-- name: read
-- What can be brought back: who deleted it and when, and who might ask for it. `id` is the position of the deletion.
SELECT d.id, d.stream, d.kind, d.name, d.project_id, d.task_id, d.label_id, d.owner_id, d.assignee_id,
    d.organization_id, p.owner_id AS project_owner_id, p.assignee_id AS project_assignee_id,
    e.time AS deleted_date, e.actor_id AS deleted_by_id, e.actor AS deleted_by
FROM (
    SELECT deletion AS id, 'project-' || id AS stream, 'project' AS kind, name, NULL::bigint AS project_id,
        NULL::bigint AS task_id, NULL::bigint AS label_id, owner_id, assignee_id, organization_id
    FROM projects_discarded
    UNION ALL
    SELECT deletion, 'task-' || id, 'task', name, project_id, id, NULL, owner_id, assignee_id, organization_id
    FROM tasks_discarded
    UNION ALL
    SELECT j.deletion, 'job-' || j.id, 'job', t.name, t.project_id, t.id, NULL, t.owner_id, t.assignee_id,
        t.organization_id
    FROM jobs_discarded j JOIN tasks t ON t.id = j.task_id
    UNION ALL
    SELECT l.deletion, 'label-' || l.id, 'label', l.name, l.project_id, l.task_id, l.id,
        coalesce(p.owner_id, t.owner_id), coalesce(p.assignee_id, t.assignee_id),
        coalesce(p.organization_id, t.organization_id)
    FROM labels_discarded l
    LEFT JOIN projects p ON p.id = l.project_id
    LEFT JOIN tasks t ON t.id = l.task_id
    WHERE l.parent_id IS NULL AND (p.id IS NOT NULL OR t.id IS NOT NULL AND t.project_id IS NULL)
) d
JOIN log.events e ON e.position = d.id
LEFT JOIN projects p ON p.id = d.project_id

-- name: tasks_before
-- Tasks that were deleted before a time.
SELECT t.id, t.name, t.project_id, t.deletion, e.time AS deleted_date, e.actor AS deleted_by, coalesce(t.size, 0) AS frames
FROM tasks_discarded t JOIN log.events e ON e.position = t.deletion
WHERE e.time < %(before)s
ORDER BY t.id
