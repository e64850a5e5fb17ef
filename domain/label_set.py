"""The labels of one parent as decisions see them: a fold of the parent's stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.event import Body
from domain.events.label import LabelChanged, LabelDeleted, LabelRestored, LabelsAdded, LabelSpec
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskMoved, TaskRestored


@dataclass(frozen=True)
class LabelSet:
    """`labels`: those that stand, by id. `gone`: those that were deleted. `deleted`: whether the parent is."""

    labels: Mapping[int, LabelSpec] = field(default_factory=dict)
    gone: Mapping[int, LabelSpec] = field(default_factory=dict)
    deleted: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(label["name"] for label in self.labels.values())

    @property
    def sublabels(self) -> frozenset[int]:
        """The ids of skeletons' points, which come and go with them."""
        return frozenset(point["id"] for label in self.labels.values() for point in label.get("sublabels", ()))


def evolve(labels: LabelSet, body: Body) -> LabelSet:
    match body:
        case LabelsAdded():
            return _with(labels, body.labels)
        case LabelChanged():
            return _with(labels, [body.label])
        case LabelDeleted():
            rest = {label_id: label for label_id, label in labels.labels.items() if label_id != body.label_id}
            return replace(labels, labels=rest, gone={**labels.gone, body.label_id: labels.labels[body.label_id]})
        case LabelRestored():
            return _with(labels, [labels.gone[body.label_id]])
        case TaskMoved():
            return LabelSet()
        case TaskDeleted() | ProjectDeleted():
            return replace(labels, deleted=True)
        case TaskRestored() | ProjectRestored():
            return replace(labels, deleted=False)
    return labels


def _with(labels: LabelSet, specs: Sequence[LabelSpec]) -> LabelSet:
    return replace(labels, labels={**labels.labels, **{spec["id"]: spec for spec in specs}})
