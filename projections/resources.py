"""What clients can list and look up, and who sees it: one entry per noun."""

from __future__ import annotations

from projections.fields import Field, booleans, dates, integers, texts
from projections.listing import Resource
from projections.named_queries import queries

PROJECTS_OF_VIEWER = "SELECT id FROM projects WHERE %(viewer)s IN (owner_id, assignee_id)"
TASKS_OF_VIEWER = "SELECT id FROM tasks WHERE %(viewer)s IN (owner_id, assignee_id)"
# Written so that a list looks at its own table only, whatever it is joined with for a page.
STAFF_OF_TASK = f"%(viewer)s IN (owner_id, assignee_id) OR project_id IN ({PROJECTS_OF_VIEWER})"
STAFF_OF_JOB = f"assignee_id = %(viewer)s OR task_id IN ({TASKS_OF_VIEWER}) OR project_id IN ({PROJECTS_OF_VIEWER})"

TASKS = Resource(
    base=queries("tasks")["read"],
    fields=texts("name", "project_name", "owner", "assignee", "subset", "status", "media_type", "mode", "dimension")
    | integers("id", "project_id")
    | dates("updated_date")
    | {"tracker_link": Field("bug_tracker")},
    search=("project_name", "name", "owner", "assignee", "subset", "bug_tracker"),
    visible=STAFF_OF_TASK,
    organization="organization_id",
)

JOBS = Resource(
    base=queries("jobs")["read"],
    fields=texts(
        "task_name", "project_name", "assignee", "type", "dimension", "media_type", "mode", "state", "stage", "status"
    )
    | integers("id", "task_id", "project_id")
    | dates("updated_date"),
    search=("task_name", "project_name", "assignee"),
    visible=STAFF_OF_JOB,
    organization="organization_id",
)

PROJECTS = Resource(
    base=queries("projects")["read"],
    fields=texts("name", "owner", "assignee", "status") | integers("id") | dates("updated_date"),
    search=("name", "owner", "assignee"),
    visible="%(viewer)s IN (owner_id, assignee_id)",
    organization="organization_id",
)

LABELS = Resource(
    base=queries("labels")["read"],
    fields=texts("name", "type", "color", "parent", "stream") | integers("id", "parent_id"),
    search=("name", "parent"),
    order="id",
)

USERS = Resource(
    base=queries("users")["read"],
    fields=texts("username", "first_name", "last_name") | integers("id") | booleans("is_active"),
    search=("username", "first_name", "last_name"),
)

REQUESTS = Resource(
    base=queries("requests")["read"],
    fields=texts("status", "action", "target", "subresource", "format")
    | integers("project_id", "task_id", "job_id")
    | dates("created_date"),
    visible="owner_id = %(viewer)s",
    order="-created_date",
)

DELETED = Resource(
    base=queries("deleted")["read"],
    fields=texts("stream", "kind", "name", "deleted_by") | integers("project_id", "task_id") | dates("deleted_date"),
    search=("name", "stream", "deleted_by"),
    visible=STAFF_OF_TASK,
    organization="organization_id",
    order="-deleted_date",
    key="stream",
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
