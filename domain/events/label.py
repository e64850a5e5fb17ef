"""What happens to labels. They live in the stream of their project or task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from domain.event import Body, event_type, upcaster


class AttributeSpec(TypedDict):
    """One attribute of a label. `input_type`: checkbox, radio, number, text or select."""

    id: int
    name: str
    mutable: bool
    input_type: str
    default_value: str
    values: list[str]


class LabelSpec(TypedDict):
    """One label as recorded: ids are allocated, the color is decided. `sublabels` and `svg` belong to skeletons."""

    id: int
    name: str
    color: str
    type: str
    attributes: list[AttributeSpec]
    sublabels: NotRequired[list[LabelSpec]]
    svg: NotRequired[str]


class NamedLabel(TypedDict):
    """A label as something that went or came back with something else."""

    id: int
    name: str


class LabelBody(Body):
    __slots__ = ()
    project_id: int | None
    task_id: int | None

    @property
    def stream(self) -> str:
        return f"task-{self.task_id}" if self.task_id else f"project-{self.project_id}"


@event_type("LabelsAdded")
@dataclass(frozen=True)
class LabelsAdded(LabelBody):
    """Labels were defined for a project or for a task that stands alone (the other id is None)."""

    project_id: int | None
    task_id: int | None
    labels: list[LabelSpec]


@event_type("LabelChanged")
@dataclass(frozen=True)
class LabelChanged(LabelBody):
    """A label was renamed, recolored or given other attributes: `label` is its new whole."""

    project_id: int | None
    task_id: int | None
    label: LabelSpec
    changes: dict[str, dict[str, Any]]


@event_type("LabelDeleted", version=2)
@dataclass(frozen=True)
class LabelDeleted(LabelBody):
    """A label was deleted, with every annotation that used it. `sublabels`: those of a skeleton, which went with it."""

    project_id: int | None
    task_id: int | None
    label_id: int
    name: str
    sublabels: list[NamedLabel]


@event_type("LabelRestored", version=2)
@dataclass(frozen=True)
class LabelRestored(LabelBody):
    """A deleted label came back, with every annotation that used it, and with its `sublabels`. `deletion`: the position
    of its `LabelDeleted`.
    """

    project_id: int | None
    task_id: int | None
    label_id: int
    name: str
    deletion: int
    sublabels: list[NamedLabel]


@upcaster("LabelDeleted", 1)
@upcaster("LabelRestored", 1)
def _with_sublabels(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which sublabels a skeleton has."""
    return {**fields, "sublabels": []}
