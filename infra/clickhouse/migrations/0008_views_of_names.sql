-- Names as they are now.
CREATE OR REPLACE VIEW ${database}.labels ${on_cluster}
(
    label_id UInt64 COMMENT 'The label',
    label String COMMENT 'Its name now',
    parent_id Nullable(UInt64) COMMENT 'Of a skeleton''s point: the label of the skeleton',
    project_id Nullable(UInt64) COMMENT 'The project it belongs to; NULL: a task has it',
    task_id Nullable(UInt64) COMMENT 'The task it belongs to; NULL: a project has it',
    deleted Bool COMMENT 'Whether it was deleted'
)
AS
SELECT
    id AS label_id, ifNull(argMax(name, position), '') AS label, any(parent_id) AS parent_id, any(project_id) AS project_id,
    any(task_id) AS task_id, argMaxIf(action, position, action != 'update') = 'delete' AS deleted
FROM ${database}.name_changes
WHERE kind = 'label'
GROUP BY id
COMMENT 'Labels: their names, and whether they are still there';

CREATE OR REPLACE VIEW ${database}.names ${on_cluster}
(
    kind String COMMENT 'project, task, label or user',
    id UInt64 COMMENT 'Its id, within its kind',
    name String COMMENT 'Its name now',
    deleted Bool COMMENT 'Whether it was deleted'
)
AS
SELECT
    kind, id, ifNull(argMax(name_changes.name, position), '') AS name, argMaxIf(action, position, action != 'update') = 'delete' AS deleted
FROM ${database}.name_changes
GROUP BY kind, id
COMMENT 'What projects, tasks, labels and users are called';
