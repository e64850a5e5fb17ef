-- The event log: one row per event, in the order of the commits. Everything else can be rebuilt from it.
CREATE SCHEMA IF NOT EXISTS log;

CREATE TABLE log.events (
    position        bigint PRIMARY KEY,
    stream          text COLLATE "C" NOT NULL,
    version         bigint NOT NULL,
    type            text COLLATE "C" NOT NULL,
    schema_version  smallint NOT NULL,
    time            timestamptz NOT NULL,
    source          text NOT NULL,
    actor_id        bigint,
    actor           text,
    organization_id bigint,
    organization    text,
    project_id      bigint,
    task_id         bigint,
    job_id          bigint,
    correlation_id  text,
    causation_id    text,
    user_agent      text,
    state           bytea NOT NULL,
    UNIQUE (stream, version)
) WITH (autovacuum_vacuum_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.05);

-- Already compressed where it pays; a second try costs time only.
ALTER TABLE log.events ALTER COLUMN state SET STORAGE EXTERNAL;

-- Which projection is built in which version, and since when.
CREATE TABLE log.projections (
    name     text PRIMARY KEY,
    version  integer NOT NULL,
    position bigint NOT NULL,
    built_at timestamptz NOT NULL DEFAULT now()
);

-- How far each follower of the log has come. Not a projection: it says what has been done elsewhere.
CREATE TABLE log.checkpoints (
    consumer   text PRIMARY KEY,
    position   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Who is listening to which queues, and when they last said so.
CREATE TABLE log.agents (
    agent   text PRIMARY KEY,
    queues  text[] NOT NULL,
    beat_at timestamptz NOT NULL DEFAULT now()
);

-- What clients see as numbers. An id is recorded in its event, so a replay never allocates again.
CREATE SEQUENCE log.user_ids;
CREATE SEQUENCE log.login_ids;
CREATE SEQUENCE log.project_ids;
CREATE SEQUENCE log.task_ids;
CREATE SEQUENCE log.segment_ids;
CREATE SEQUENCE log.job_ids;
CREATE SEQUENCE log.label_ids;
CREATE SEQUENCE log.attribute_ids;
-- Ids of annotation objects are handed out in blocks: one number of this sequence stands for a block.
CREATE SEQUENCE log.annotation_id_blocks;
