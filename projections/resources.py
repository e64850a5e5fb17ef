"""What clients can list and look up, and who sees it: one entry per noun."""

from __future__ import annotations

from dataclasses import replace

from projections.fields import Field, booleans, dates, integers, texts
from projections.listing import Resource
from projections.named_queries import queries

PEOPLE = {"owner_id": "users.username", "assignee_id": "users.username"}
PROJECTS_OF_VIEWER = "SELECT id FROM projects WHERE %(viewer)s IN (owner_id, assignee_id)"
TASKS_OF_VIEWER = "SELECT id FROM tasks WHERE %(viewer)s IN (owner_id, assignee_id)"
# Written so that a list looks at its own table only, whatever it is joined with for a page.
STAFF_OF_TASK = f"%(viewer)s IN (owner_id, assignee_id) OR project_id IN ({PROJECTS_OF_VIEWER})"
TASK_OR_PROJECT_OF_VIEWER = f"task_id IN ({TASKS_OF_VIEWER}) OR project_id IN ({PROJECTS_OF_VIEWER})"
STAFF_OF_JOB = f"assignee_id = %(viewer)s OR {TASK_OR_PROJECT_OF_VIEWER}"


def within(*columns: str) -> tuple[str, ...]:
    """That a word is in one of these columns, in whatever case."""
    return tuple(f"position({{word}} in lower({column})) > 0" for column in columns)


def within_named(**tables: str) -> tuple[str, ...]:
    """That a word is in the name of what one of these columns refers to. `tables`: column → table and its column."""
    return tuple(
        f"{column} IN (SELECT id FROM {place.split('.')[0]} WHERE {within(place.split('.')[1])[0]})"
        for column, place in tables.items()
    )


TASKS = Resource(
    base=queries("tasks")["read"],
    fields=texts(
        "name", "project_name", "owner", "assignee", "subset", "status", "media_type", "mode", "dimension",
        "validation_mode",
    )
    | integers("id", "project_id")
    | dates("updated_date")
    | {"tracker_link": Field("bug_tracker")},
    search=within("name", "subset", "bug_tracker") + within_named(project_id="projects.name", **PEOPLE),
    visible=STAFF_OF_TASK,
    organization="organization_id",
)  # fmt: skip

JOBS = Resource(
    base=queries("jobs")["read"],
    fields=texts(
        "task_name", "project_name", "assignee", "type", "dimension", "media_type", "mode", "state", "stage", "status"
    )
    | integers("id", "task_id", "project_id", "parent_job_id")
    | dates("updated_date"),
    search=within_named(task_id="tasks.name", project_id="projects.name", assignee_id="users.username"),
    visible=STAFF_OF_JOB,
    organization="organization_id",
)

PROJECTS = Resource(
    base=queries("projects")["read"],
    fields=texts("name", "owner", "assignee", "status") | integers("id") | dates("updated_date"),
    search=within("name") + within_named(**PEOPLE),
    visible="%(viewer)s IN (owner_id, assignee_id)",
    organization="organization_id",
)

LABELS = Resource(
    base=queries("labels")["read"],
    fields=texts("name", "type", "color", "parent", "stream") | integers("id", "parent_id"),
    search=within("name"),
    order="id",
    listed="parent_id IS NULL",
)

EVERYONES_LABELS = replace(
    LABELS, visible=f"project_id IN ({PROJECTS_OF_VIEWER}) OR task_id IN (SELECT id FROM tasks WHERE {STAFF_OF_TASK})"
)
"""For who asks for those of no job, task or project."""

USERS = Resource(
    base=queries("users")["read"],
    fields=texts("username", "first_name", "last_name") | integers("id") | booleans("is_active"),
    search=within("username", "first_name", "last_name"),
)

ACCESS_TOKENS = Resource(
    base=queries("access_tokens")["read"],
    fields=texts("name")
    | integers("id", "owner_id")
    | booleans("read_only")
    | dates("created_date", "updated_date", "expiry_date", "last_used_date"),
    search=within("name"),
)

REQUESTS = Resource(
    base=queries("requests")["read"],
    fields=texts("status", "action", "target", "subresource", "format")
    | integers("project_id", "task_id", "job_id")
    | dates("created_date"),
    visible="owner_id = %(viewer)s",
    order="-created_date",
    listed="status <> 'cancelled' AND (expiry_date IS NULL OR expiry_date > now())",
)

ISSUES = Resource(
    base=queries("issues")["read"],
    fields=texts("owner", "assignee")
    | integers("id", "job_id", "task_id", "project_id", "frame_id")
    | booleans("resolved")
    | dates("updated_date"),
    search=within_named(**PEOPLE),
    visible=f"%(viewer)s IN (owner_id, assignee_id, job_assignee_id) OR {TASK_OR_PROJECT_OF_VIEWER}",
    organization="organization_id",
)

COMMENTS = Resource(
    base=queries("issues")["read_comments"],
    fields=texts("owner") | integers("id", "issue_id", "job_id", "frame_id") | dates("updated_date"),
    search=within_named(owner_id="users.username"),
    visible="%(viewer)s IN (owner_id, issue_owner_id, issue_assignee_id, job_assignee_id)"
    f" OR {TASK_OR_PROJECT_OF_VIEWER}",
    organization="organization_id",
)

DELETED = Resource(
    base=queries("deleted")["read"],
    fields=texts("stream", "kind", "name", "deleted_by") | integers("project_id", "task_id") | dates("deleted_date"),
    search=within("name", "stream", "deleted_by"),
    visible=STAFF_OF_TASK,
    organization="organization_id",
    order="-deleted_date",
    key="stream",
)

EVENTS_VISIBLE = """
e.stream = 'user-' || %(viewer)s
OR e.actor_id = %(viewer)s AND (e.type LIKE 'Request%%' OR e.type LIKE 'AccessToken%%')
OR e.task_id IN (
    SELECT t.id FROM tasks t LEFT JOIN projects p ON p.id = t.project_id
    WHERE %(viewer)s IN (t.owner_id, t.assignee_id, p.owner_id, p.assignee_id)
)
OR e.task_id IS NULL AND e.project_id IN (SELECT p.id FROM projects p WHERE %(viewer)s IN (p.owner_id, p.assignee_id))
OR e.job_id IN (SELECT j.id FROM jobs j WHERE j.assignee_id = %(viewer)s)
"""
"""Which events (`log.events e`) somebody may see: those of what they may see now, and their own logins,
access tokens and requests. What is deleted is not seen, nor is its history, until it is restored.
"""
