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

-- The position of the last change of a parent's labels; what is derived from them is cached by it.
CREATE TABLE label_sets (
    stream   text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);
