-- Of tasks that have a ground truth job: its frames, and how they are used.
CREATE TABLE validation (
    task_id         bigint PRIMARY KEY,
    job_id          bigint NOT NULL,
    mode            text NOT NULL,
    frames          integer[] NOT NULL,
    disabled_frames integer[] NOT NULL,
    frames_per_job_count integer
);
CREATE UNIQUE INDEX ON validation (job_id);

CREATE TABLE validation_discarded (LIKE validation, deletion bigint NOT NULL, PRIMARY KEY (deletion, task_id));
CREATE INDEX ON validation_discarded (task_id);

CREATE TABLE honeypots (
    task_id    bigint NOT NULL,
    frame      integer NOT NULL,
    real_frame integer NOT NULL,
    PRIMARY KEY (task_id, frame)
);
