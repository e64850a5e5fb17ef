"""What happened to projects, in words."""

from __future__ import annotations

from cli.phrases.words import edits, phrase
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored


@phrase(ProjectCreated)
def _(body: ProjectCreated) -> str:
    return f"created project {body.project_id} “{body.name}”"


@phrase(ProjectChanged)
def _(body: ProjectChanged) -> str:
    return f"changed {edits(body.changes)} of project {body.project_id}"


@phrase(ProjectDeleted)
def _(body: ProjectDeleted) -> str:
    return f"deleted project {body.project_id} “{body.name}”"


@phrase(ProjectRestored)
def _(body: ProjectRestored) -> str:
    return f"restored project {body.project_id} “{body.name}”"
