"""Projects."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform import label
from consumers.forwarder.transform.row import Row, described, field_updates, person, transforms
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored


@transforms(ProjectCreated)
def created(body: ProjectCreated) -> list[Row]:
    payload = {
        "owner": person(body.owner_id),
        "assignee": person(body.assignee_id),
        "organization": body.organization_id,
        **described(body, "bug_tracker", "organization_id", "target_storage", "source_storage"),
    }
    return [Row("create:project", body.name, body.project_id, payload=payload)]


@transforms(ProjectChanged)
def changed(body: ProjectChanged) -> Iterator[Row]:
    return field_updates("update:project", body.changes)


@transforms(ProjectDeleted)
def deleted(body: ProjectDeleted) -> Iterator[Row]:
    """The project, and each label that goes with it; its tasks have events of their own."""
    yield Row("delete:project", body.name, body.project_id)
    yield from label.gone(body.labels)


@transforms(ProjectRestored)
def restored(body: ProjectRestored) -> Iterator[Row]:
    yield Row("restore:project", body.name, body.project_id)
    yield from label.back(body.labels)
