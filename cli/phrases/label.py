"""What happened to labels, in words."""

from __future__ import annotations

from cli.phrases.words import edits, phrase, some
from domain.events.label import LabelBody, LabelChanged, LabelDeleted, LabelRestored, LabelsAdded


@phrase(LabelsAdded)
def _(body: LabelsAdded) -> str:
    names = [f"“{label['name']}”" for label in body.labels]
    return f"gave {_parent(body)} {'the label' if len(names) == 1 else 'the labels'} {some(names)}"


@phrase(LabelChanged)
def _(body: LabelChanged) -> str:
    return f"changed {edits(body.changes)} of label “{body.label['name']}” of {_parent(body)}"


@phrase(LabelDeleted)
def _(body: LabelDeleted) -> str:
    return f"deleted label “{body.name}” of {_parent(body)}, with all that was drawn under it"


@phrase(LabelRestored)
def _(body: LabelRestored) -> str:
    return f"restored label “{body.name}” of {_parent(body)}, with all that was drawn under it"


def _parent(body: LabelBody) -> str:
    return f"task {body.task_id}" if body.task_id else f"project {body.project_id}"
