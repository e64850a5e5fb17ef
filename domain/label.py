"""The labels of a project, or of a task that stands alone, as they come and go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.deletion import deletion
from domain.errors import Conflict, Invalid, NotFound
from domain.event import Body, Context
from domain.events.label import LabelChanged, LabelDeleted, LabelRestored, LabelsAdded, LabelSpec
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskRestored
from domain.ports import Log
from domain.retry import decide_again


@dataclass(frozen=True)
class LabelSet:
    """`labels`: id → name of those that stand. `sublabels`: the ids of skeletons' points, which come and go with them.
    `deleted`: whether the parent is.
    """

    labels: Mapping[int, str] = field(default_factory=dict)
    sublabels: frozenset[int] = frozenset()
    deleted: bool = False


def evolve(labels: LabelSet, body: Body) -> LabelSet:
    match body:
        case LabelsAdded():
            return _with(labels, body.labels)
        case LabelChanged():
            return _with(labels, [body.label])
        case LabelDeleted():
            rest = {label_id: name for label_id, name in labels.labels.items() if label_id != body.label_id}
            return replace(labels, labels=rest)
        case LabelRestored():
            return replace(labels, labels={**labels.labels, body.label_id: body.name})
        case TaskDeleted() | ProjectDeleted():
            return replace(labels, deleted=True)
        case TaskRestored() | ProjectRestored():
            return replace(labels, deleted=False)
    return labels


def _with(labels: LabelSet, specs: Sequence[LabelSpec]) -> LabelSet:
    named = {spec["id"]: spec["name"] for spec in specs}
    return replace(labels, labels={**labels.labels, **named}, sublabels=labels.sublabels | frozenset(_sublabels(specs)))


def _sublabels(specs: Sequence[LabelSpec]) -> Iterator[int]:
    for spec in specs:
        for sublabel in spec.get("sublabels", ()):
            yield sublabel["id"]


class Labels:
    """The use cases of labels."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @decide_again
    def delete(self, context: Context, label_id: int) -> None:
        """With every annotation that uses it. Raises NotFound, and Invalid for a point of a skeleton."""
        parent = self._log.lookup.label_parent(label_id)
        labels, version = self._log.load(parent.stream, evolve, LabelSet())
        if label_id in labels.sublabels:
            raise Invalid(["A point of a skeleton is deleted by changing the skeleton"])
        if labels.deleted or label_id not in labels.labels:
            raise NotFound
        body = LabelDeleted(parent.project_id, parent.task_id, label_id, labels.labels[label_id])
        self._log.record(context, [body], {parent.stream: version})

    @decide_again
    def restore(self, context: Context, label_id: int) -> None:
        """With every annotation that used it. Raises NotFound, Conflict."""
        parent = self._log.lookup.label_parent(label_id)
        gone = deletion(
            self._log, parent.stream, LabelDeleted, LabelRestored, concerns=lambda body: _is_about(body, label_id)
        )
        labels, version = self._log.load(parent.stream, evolve, LabelSet())
        if labels.deleted:
            raise Conflict(f"{parent.stream} is deleted: restore it first")
        if gone.body.name in labels.labels.values():
            raise Conflict(f"There is another label “{gone.body.name}” now: rename that one first")
        body = LabelRestored(parent.project_id, parent.task_id, label_id, gone.body.name, gone.position)
        self._log.record(context, [body], {parent.stream: version})


def _is_about(body: Body, label_id: int) -> bool:
    match body:
        case LabelsAdded():
            return any(spec["id"] == label_id for spec in body.labels)
        case LabelDeleted() | LabelRestored():
            return body.label_id == label_id
    return False
