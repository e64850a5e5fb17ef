-- Labels and the sublabels of skeletons. `stream` is the parent's: task-<id> or project-<id>.
CREATE TABLE labels (
    id         bigint PRIMARY KEY,
    stream     text COLLATE "C" NOT NULL,
    project_id bigint,
    task_id    bigint,
    parent_id  bigint,
    name       text NOT NULL,
    color      text NOT NULL,
    type       text NOT NULL,
    svg        text NOT NULL,
    attributes json NOT NULL
);
CREATE INDEX ON labels (stream, id);
CREATE INDEX ON labels (parent_id);

-- Labels that were deleted, by themselves or with their parent.
CREATE TABLE labels_discarded (LIKE labels, deletion bigint NOT NULL, PRIMARY KEY (deletion, id));
CREATE INDEX ON labels_discarded (stream);

-- The position of the last change of a parent's labels; what is derived from them is cached by it.
CREATE TABLE label_sets (
    stream   text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

-- Parents whose labels were given other attributes after something may have been drawn: who reads that must fill them in.
CREATE TABLE extended_label_sets (
    stream text COLLATE "C" PRIMARY KEY
);

-- Whose labels a job or task uses: the project's, or the task's own where it stands alone.
CREATE FUNCTION label_stream(task_id bigint, project_id bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN project_id IS NULL THEN 'task-' || task_id ELSE 'project-' || project_id END;
