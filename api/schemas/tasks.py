"""Tasks and projects as clients write them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.common import MAX_INT, Body, Id, Name, Patch, Storage, Text, storage
from api.schemas.labels import LabelEntry, LabelWrite
from domain.errors import Invalid

Count = Annotated[int, Field(ge=0, le=MAX_INT)]
Labels = Annotated[list[LabelWrite], Field(max_length=10_000)]


class ProjectWrite(Body):
    """A project to create."""

    name: Name
    labels: Labels = []
    assignee_id: Id | None = None
    bug_tracker: Text = Field("", max_length=2_000)
    source_storage: Storage | None = None
    target_storage: Storage | None = None


class TaskWrite(Body):
    """A task to create: with labels of its own, or in a project that has them."""

    name: Name
    labels: Labels = []
    project_id: Id | None = None
    assignee_id: Id | None = None
    bug_tracker: Text = Field("", max_length=2_000)
    subset: Text = Field("", max_length=64)
    overlap: Count | None = None
    segment_size: Count = 0
    consensus_replicas: Count = 0
    initial_replicas: Count = 0
    source_storage: Storage | None = None
    target_storage: Storage | None = None


class ResourcePatch(Patch):
    """What of a project, and of a task, can be changed. `labels`: edits of its own labels."""

    name: Name = ""
    owner_id: Id | None = None
    assignee_id: Id | None = None
    bug_tracker: Text = Field("", max_length=2_000)
    labels: Annotated[list[LabelEntry], Field(max_length=10_000)] = []
    source_storage: Storage | None = None
    target_storage: Storage | None = None
    organization_id: Id | None = None

    def fields(self) -> dict[str, Any]:
        """Those that are recorded as they are. Raises Forbidden for an unknown one, Invalid for an organization."""
        given = self.given()
        if given.pop("organization_id", None) is not None:
            raise Invalid({"organization_id": ["This server has no organizations."]})
        for name in given.keys() & {"source_storage", "target_storage"}:
            given[name] = storage(given[name])
        given.pop("labels", None)
        return given


class ProjectPatch(ResourcePatch):
    """Fields of a project to change."""


class TaskPatch(ResourcePatch):
    """Fields of a task to change. `project_id`: where it is to go; `labels` then say as what its labels go there."""

    project_id: Id | None = None
    subset: Text = Field("", max_length=64)


class JobPatch(Patch):
    """Fields of a job to change. `assignee`: a user's id, or null to take the job back."""

    assignee: Id | None = None
    stage: Text | None = None
    state: Text | None = None
