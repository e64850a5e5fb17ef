-- name: read
-- Labels; those of a skeleton's points stand for themselves too, and hang below it.
SELECT l.id, l.stream, l.project_id, l.task_id, l.name, l.color, l.type, l.svg, l.attributes,
    l.parent_id, p.name AS parent,
    (SELECT json_agg(json_build_object('id', s.id, 'name', s.name, 'color', s.color, 'type', s.type,
        'attributes', s.attributes) ORDER BY s.id) FROM labels s WHERE s.parent_id = l.id) AS sublabels
FROM labels l LEFT JOIN labels p ON p.id = l.parent_id

-- name: stream_of_job
-- Whose labels apply in a job, and who may see them.
SELECT label_stream(t.id, t.project_id) AS stream
FROM jobs j JOIN tasks t ON t.id = j.task_id WHERE j.id = %(id)s

-- name: stream_of_task
-- Whose labels apply in a task.
SELECT label_stream(t.id, t.project_id) AS stream
FROM tasks t WHERE t.id = %(id)s

-- name: stream_of_project
-- A project's own labels.
SELECT 'project-' || p.id AS stream FROM projects p WHERE p.id = %(id)s
