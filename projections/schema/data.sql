CREATE TABLE data (
    task_id         bigint PRIMARY KEY,
    size            integer NOT NULL,
    image_quality   smallint NOT NULL,
    chunk_size      integer NOT NULL,
    start_frame     integer NOT NULL,
    stop_frame      integer NOT NULL,
    frame_filter    text NOT NULL,
    sorting_method  text NOT NULL,
    deleted_frames  integer[] NOT NULL,
    updated_date    timestamptz NOT NULL
);

CREATE TABLE frames (
    task_id bigint NOT NULL,
    number  integer NOT NULL,
    name    text NOT NULL,
    sha256  text COLLATE "C" NOT NULL,
    size    bigint NOT NULL,
    width   integer NOT NULL,
    height  integer NOT NULL,
    related_files integer NOT NULL,
    PRIMARY KEY (task_id, number)
);

-- Of a task whose frames are those of a video: they have no rows in frames.
CREATE TABLE videos (
    task_id     bigint PRIMARY KEY,
    name        text NOT NULL,
    sha256      text COLLATE "C" NOT NULL,
    index_sha256 text COLLATE "C" NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL
);

CREATE TABLE related_images (
    task_id bigint NOT NULL,
    frame   integer NOT NULL,
    name    text NOT NULL,
    sha256  text COLLATE "C" NOT NULL,
    PRIMARY KEY (task_id, frame, name)
);
