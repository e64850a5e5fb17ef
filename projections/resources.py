"""What clients can list and look up, and who sees it: one entry per noun."""

from __future__ import annotations

from projections.listing import Resource
from projections.named_queries import queries

STAFF_OF_TASK = (
    "owner_id = %(viewer)s OR assignee_id = %(viewer)s"
    " OR project_owner_id = %(viewer)s OR project_assignee_id = %(viewer)s"
)
STAFF_OF_JOB = (
    "assignee_id = %(viewer)s OR task_owner_id = %(viewer)s OR task_assignee_id = %(viewer)s"
    " OR project_owner_id = %(viewer)s OR project_assignee_id = %(viewer)s"
)

TASKS = Resource(
    base=queries("tasks")["read"],
    fields={
        name: name
        for name in (
            "id", "name", "project_id", "project_name", "owner", "assignee", "subset", "status", "media_type", "mode",
            "dimension", "updated_date",
        )
    } | {"tracker_link": "bug_tracker"},
    search=("project_name", "name", "owner", "assignee", "subset", "bug_tracker"),
    integers=frozenset({"id", "project_id"}),
    unfiltered=frozenset({"updated_date"}),
    visible=STAFF_OF_TASK,
    organization="organization_id",
)  # fmt: skip

JOBS = Resource(
    base=queries("jobs")["read"],
    fields={
        name: name
        for name in (
            "id", "task_id", "project_id", "task_name", "project_name", "assignee", "type", "dimension", "media_type",
            "mode", "state", "stage", "status", "updated_date",
        )
    },
    search=("task_name", "project_name", "assignee"),
    integers=frozenset({"id", "task_id", "project_id"}),
    unfiltered=frozenset({"updated_date"}),
    visible=STAFF_OF_JOB,
    organization="organization_id",
)  # fmt: skip

PROJECTS = Resource(
    base=queries("projects")["read"],
    fields={name: name for name in ("id", "name", "owner", "assignee", "updated_date")},
    search=("name", "owner", "assignee"),
    integers=frozenset({"id"}),
    unfiltered=frozenset({"updated_date"}),
    visible="owner_id = %(viewer)s OR assignee_id = %(viewer)s",
    organization="organization_id",
)

LABELS = Resource(
    base=queries("labels")["read"],
    fields={name: name for name in ("id", "name", "type", "color", "stream")},
    search=("name",),
    integers=frozenset({"id"}),
    order="id",
)

USERS = Resource(
    base=queries("users")["read"],
    fields={name: name for name in ("id", "username", "first_name", "last_name", "is_active")},
    search=("username", "first_name", "last_name"),
    integers=frozenset({"id"}),
    booleans=frozenset({"is_active"}),
)

REQUESTS = Resource(
    base=queries("requests")["read"],
    fields={
        name: name for name in ("status", "project_id", "task_id", "job_id", "action", "target", "subresource")
    } | {"created_date": "position"},
    integers=frozenset({"project_id", "task_id", "job_id"}),
    unfiltered=frozenset({"created_date"}),
    visible="owner_id = %(viewer)s",
    order="-created_date",
)  # fmt: skip

DELETED = Resource(
    base=queries("deleted")["read"],
    fields={name: name for name in ("stream", "kind", "name", "project_id", "task_id", "deleted_by")}
    | {"deleted_date": "id"},
    search=("name", "stream", "deleted_by"),
    integers=frozenset({"project_id", "task_id"}),
    unfiltered=frozenset({"deleted_date"}),
    visible=STAFF_OF_TASK,
    organization="organization_id",
    order="-deleted_date",
)

EVENTS_VISIBLE = """
e.stream = 'user-' || %(viewer)s
OR e.actor_id = %(viewer)s AND e.type LIKE 'Request%%'
OR e.task_id IN (
    SELECT t.id FROM tasks t LEFT JOIN projects p ON p.id = t.project_id
    WHERE %(viewer)s IN (t.owner_id, t.assignee_id, p.owner_id, p.assignee_id)
)
OR e.task_id IS NULL AND e.project_id IN (SELECT p.id FROM projects p WHERE %(viewer)s IN (p.owner_id, p.assignee_id))
OR e.job_id IN (SELECT j.id FROM jobs j WHERE j.assignee_id = %(viewer)s)
"""
"""Which events (`log.events e`) somebody may see: those of what they may see now, and their own logins and requests.
What is deleted is not seen, nor is its history, until it is restored.
"""
