"""The labels of one parent as decisions see them: a fold of the parent's stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from domain.event import Body
from domain.events.label import LabelChanged, LabelDeleted, LabelRestored, LabelsAdded, LabelSpec, NamedLabel
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskMoved, TaskRestored


@dataclass(frozen=True)
class LabelSet:
    """`labels`: those that stand, by id. `gone`: those that were deleted. `deleted`: whether the parent is."""

    labels: dict[int, LabelSpec] = field(default_factory=dict)
    gone: dict[int, LabelSpec] = field(default_factory=dict)
    deleted: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(label["name"] for label in self.labels.values())

    @property
    def sublabels(self) -> frozenset[int]:
        """The ids of skeletons' points, which come and go with them."""
        return frozenset(point["id"] for label in self.labels.values() for point in label.get("sublabels", ()))


def named(labels: Iterable[LabelSpec]) -> list[NamedLabel]:
    """Each, and the sublabels of a skeleton behind it."""
    return [
        NamedLabel(id=one["id"], name=one["name"]) for label in labels for one in (label, *label.get("sublabels", ()))
    ]


def evolve(labels: LabelSet, body: Body) -> LabelSet:
    """The state before is used up: to copy thousands of labels for each of thousands of edits would take minutes."""
    match body:
        case LabelsAdded():
            labels.labels.update((spec["id"], spec) for spec in body.labels)
        case LabelChanged():
            labels.labels[body.label["id"]] = body.label
        case LabelDeleted():
            labels.gone[body.label_id] = labels.labels.pop(body.label_id)
        case LabelRestored():
            labels.labels[body.label_id] = labels.gone[body.label_id]
        case TaskMoved():
            return LabelSet()
        case TaskDeleted() | ProjectDeleted():
            return replace(labels, deleted=True)
        case TaskRestored() | ProjectRestored():
            return replace(labels, deleted=False)
    return labels
