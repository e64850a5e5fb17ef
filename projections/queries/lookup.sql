-- name: job_place
-- A job, its task and project, whose they are, when the labels that apply last changed, and the versions of all this.
SELECT j.id, j.task_id, t.project_id, j.start_frame, j.stop_frame, s.stream AS label_stream,
    s.position AS label_position, j.type, j.stage, j.state, j.assignee_id,
    ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff,
    (SELECT max(version) FROM log.events WHERE stream = 'job-' || j.id) AS job_version,
    (SELECT max(version) FROM log.events WHERE stream = 'task-' || t.id) AS task_version,
    (SELECT max(version) FROM log.events WHERE stream = 'project-' || p.id) AS project_version
FROM jobs j
JOIN tasks t ON t.id = j.task_id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = label_stream(t.id, t.project_id)
WHERE j.id = %(job_id)s

-- name: task_places
-- The jobs that a task's annotations are in, as job_place tells of one; without the versions of the jobs. A pool of
-- validation frames comes after the frames of all other jobs.
SELECT j.id, j.task_id, t.project_id, coalesce(v.frames[1], j.start_frame) AS start_frame, j.stop_frame,
    s.stream AS label_stream,
    s.position AS label_position, j.type, j.stage, j.state, j.assignee_id,
    ARRAY[t.owner_id, t.assignee_id, p.owner_id, p.assignee_id] AS staff,
    NULL AS job_version, n.task_version, n.project_version
FROM tasks t
JOIN jobs j ON j.task_id = t.id
LEFT JOIN validation v ON v.job_id = j.id
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN label_sets s ON s.stream = label_stream(t.id, t.project_id)
CROSS JOIN LATERAL (
    SELECT (SELECT max(version) FROM log.events WHERE stream = 'task-' || t.id) AS task_version,
        (SELECT max(version) FROM log.events WHERE stream = 'project-' || p.id) AS project_version
) n
WHERE t.id = %(task_id)s AND (j.type = 'annotation' OR v.mode = 'gt_pool')
ORDER BY j.id

-- name: selectable
-- A task's frames and how they are cut; nothing without data.
SELECT d.size, d.deleted_frames, t.segment_size, coalesce(t.overlap, 0) AS overlap, ARRAY(
    SELECT json_build_array(start_frame, stop_frame) FROM jobs
    WHERE task_id = t.id AND type = 'annotation' ORDER BY start_frame
) AS segments
FROM tasks t JOIN data d ON d.task_id = t.id
WHERE t.id = %(task_id)s

-- name: validation
-- How work on a task is checked: null throughout where it is not, but for the versions of what that depends on.
SELECT v.job_id, v.mode, v.frames, v.disabled_frames, (
    SELECT json_object_agg(frame, real_frame) FROM honeypots WHERE task_id = v.task_id
) AS honeypots, (
    SELECT json_object_agg(stream, coalesce((SELECT max(version) FROM log.events e WHERE e.stream = s.stream), 0))
    FROM (
        SELECT 'validation-' || t.id AS stream
        UNION ALL SELECT 'job-' || v.job_id WHERE v.job_id IS NOT NULL
        UNION ALL SELECT 'job-' || d.job_id FROM validation_discarded d WHERE d.task_id = t.id
    ) s
) AS versions
FROM tasks t LEFT JOIN validation v ON v.task_id = t.id
WHERE t.id = %(task_id)s

-- name: pictures
-- Some frames of a task.
SELECT number, name, sha256, size, width, height FROM frames
WHERE task_id = %(task_id)s AND number = ANY(%(frames)s::integer[])

-- name: labels
-- All labels of a parent, sublabels too.
SELECT id, parent_id, name, type, attributes FROM labels WHERE stream = %(stream)s ORDER BY id

-- name: standing
-- Where the objects stand that have these ids. Also those of deleted jobs and labels, which may come back.
SELECT id, job_id, kind, type FROM annotation_objects
WHERE bucket = ANY(ARRAY(SELECT DISTINCT i >> 5 FROM unnest(%(ids)s::bigint[]) i)) AND id = ANY(%(ids)s)

-- name: standing_tracks
-- The same of tracks, with all of them, and the last frames of their jobs.
SELECT o.id, o.job_id, o.kind, o.type, CASE o.kind WHEN 'tracks' THEN o.doc END AS track, j.stop_frame
FROM annotation_objects o LEFT JOIN jobs j ON j.id = o.job_id
WHERE o.bucket = ANY(ARRAY(SELECT DISTINCT i >> 5 FROM unnest(%(ids)s::bigint[]) i)) AND o.id = ANY(%(ids)s)

-- name: jobs_of
-- The jobs of some tasks.
SELECT task_id, id FROM jobs WHERE task_id = ANY(%(task_ids)s) ORDER BY id

-- name: tasks_in
-- The tasks of a project.
SELECT id FROM tasks WHERE project_id = %(project_id)s ORDER BY id

-- name: issues_in
-- The issues of some jobs, with what was said about them.
SELECT i.id, i.job_id, coalesce((
    SELECT json_agg(json_build_object('id', c.id, 'message', c.message) ORDER BY c.id) FROM comments c WHERE c.issue_id = i.id
), '[]') AS comments
FROM issues i WHERE i.job_id = ANY(%(job_ids)s) ORDER BY i.id

-- name: held
-- How many objects of each kind and type stand in some jobs of one task, and which, unless they are too many.
SELECT job_id, kind, type, count(*) AS count,
    CASE WHEN count(*) <= %(max_objects)s THEN array_agg(id ORDER BY id) END AS ids
FROM annotation_objects
WHERE job_id = ANY(%(job_ids)s) AND label_id NOT IN (
    SELECT d.id FROM labels_discarded d
    WHERE d.stream = (SELECT label_stream(j.task_id, j.project_id) FROM jobs j WHERE j.id = ANY(%(job_ids)s) LIMIT 1)
)
GROUP BY job_id, kind, type

-- name: drawn
-- All objects in the jobs of a task, as JSON text, and the versions of the jobs' annotations.
SELECT j.id AS job_id, j.annotations_version, j.stop_frame, o.kind, string_agg(o.doc, ',' ORDER BY o.frame, o.id) AS docs
FROM jobs j LEFT JOIN annotation_objects o ON o.job_id = j.id
WHERE j.task_id = %(task_id)s
GROUP BY j.id, o.kind
ORDER BY j.id

-- name: label_parent
-- Whose a label is, or was.
SELECT project_id, task_id FROM labels WHERE id = %(label_id)s
UNION ALL
SELECT project_id, task_id FROM labels_discarded WHERE id = %(label_id)s
LIMIT 1

-- name: username
-- The name of a user.
SELECT username FROM users WHERE id = %(user_id)s AND NOT is_deleted

-- name: username_taken
-- Whether somebody has the name, in whatever case.
SELECT 1 AS taken FROM users WHERE lower(username) = lower(%(username)s) AND NOT is_deleted

-- name: email_taken
-- Whether somebody has the e-mail address, in whatever case.
SELECT 1 AS taken FROM users WHERE lower(email) = lower(%(email)s) AND NOT is_deleted LIMIT 1

-- name: account
-- A user as they stand, and the version of their stream. The version is never newer than the rest: both are read from
-- one snapshot, and are written in one transaction.
SELECT id AS user_id, username, email, first_name, last_name, role, is_active, password_hash,
    (SELECT max(version) FROM log.events WHERE stream = 'user-' || id) AS version
FROM users WHERE id = %(user_id)s AND NOT is_deleted

-- name: other_active_admin
-- Some active administrator who is not this user.
SELECT 'user-' || id AS stream, (SELECT max(version) FROM log.events WHERE stream = 'user-' || id) AS version
FROM users WHERE role = 'admin' AND is_active AND id <> %(user_id)s LIMIT 1

-- name: login
-- A login that nobody has ended.
SELECT id AS login_id, cookie_hash, token_hash, expires FROM logins WHERE id = %(login_id)s

-- name: access_tokens
-- The tokens of a user.
SELECT id, name FROM access_tokens WHERE user_id = %(user_id)s ORDER BY id
