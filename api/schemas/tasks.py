"""Tasks and projects as clients write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.common import MAX_INT, Body, Id, Name, Patch, Storage, Text
from api.schemas.labels import LabelWrite

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


class TaskPatch(Patch):
    """Fields of a task to change."""

    name: Name = ""
    owner_id: Id | None = None
    assignee_id: Id | None = None
    bug_tracker: Text = Field("", max_length=2_000)
    subset: Text = Field("", max_length=64)
    source_storage: Storage | None = None
    target_storage: Storage | None = None


class JobPatch(Patch):
    """Fields of a job to change. `assignee`: a user's id, or null to take the job back."""

    assignee: Id | None = None
    stage: Text | None = None
    state: Text | None = None
