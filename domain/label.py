"""The labels of a project, or of a task that stands alone, as they come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.deletion import deletion
from domain.errors import Conflict, Invalid, NotFound
from domain.event import Body, Context
from domain.events.label import LabelDeleted, LabelRestored, LabelsAdded, NamedLabel
from domain.label_change import change, changed, edits, label_deleted
from domain.label_set import LabelSet, evolve, named
from domain.label_spec import check_unique
from domain.ports import LabelParent, Log
from domain.retry import decide_again


class Labels:
    """The use cases of labels."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @decide_again
    def update(self, context: Context, label_id: int, wanted: Mapping[str, Any]) -> None:
        """`wanted`: the fields to change, as `label_change` takes them. Raises NotFound, Invalid."""
        parent, labels, version = self._of(label_id)
        old = labels.labels[label_id]
        new = change(old, wanted, self._log.ids)
        check_unique([new["name"], *(label["name"] for label in labels.labels.values() if label["id"] != label_id)])
        bodies = changed(parent, old, new)
        if bodies:
            self._log.record(context, bodies, {parent.stream: version})

    @decide_again
    def delete(self, context: Context, label_id: int) -> None:
        """With every annotation that uses it. Raises NotFound, and Invalid for a point of a skeleton."""
        parent, labels, version = self._of(label_id)
        body = label_deleted(parent, labels.labels[label_id])
        self._log.record(context, [body], {parent.stream: version})

    @decide_again
    def restore(self, context: Context, label_id: int) -> None:
        """With every annotation that used it. Raises NotFound, Conflict."""
        parent = self._log.lookup.label_parent(label_id)
        gone = deletion(
            self._log, parent.stream, LabelDeleted, LabelRestored, concerns=lambda body: _is_about(body, label_id)
        )
        labels, version = self._log.load(parent.stream, evolve, LabelSet())
        if label_id not in labels.gone:
            raise NotFound  # its parent has no labels of its own any more
        if labels.deleted:
            raise Conflict(f"{parent.stream} is deleted: restore it first")
        if gone.body.name in labels.names:
            raise Conflict(f"There is another label “{gone.body.name}” now: rename that one first")
        sublabels = named(labels.gone[label_id].get("sublabels", ()))
        body = LabelRestored(parent.project_id, parent.task_id, label_id, gone.body.name, gone.position, sublabels)
        self._log.record(context, [body], {parent.stream: version})

    def edited(self, parent: LabelParent, wanted: Sequence[Mapping[str, Any]], expect: dict[str, int]) -> list[Body]:
        """The events of a list of edits; `expect` learns what they were decided on. Raises NotFound, Invalid."""
        return edits(self.of(parent, expect), parent, wanted, self._log.ids)

    def of(self, parent: LabelParent, expect: dict[str, int]) -> LabelSet:
        """The labels of a parent; `expect` learns in what version of its stream, unless it knows one already."""
        labels, version = self._log.load(parent.stream, evolve, LabelSet())
        expect.setdefault(parent.stream, version)
        return labels

    def names(self, parent: LabelParent, expect: dict[str, int]) -> list[NamedLabel]:
        """Of all labels of a parent, which may be deleted itself; `expect` learns as in `of`."""
        return named(self.of(parent, expect).labels.values())

    def _of(self, label_id: int) -> tuple[LabelParent, LabelSet, int]:
        """The labels among which a label stands, and the version of their parent's stream. Raises NotFound, and Invalid
        for a point of a skeleton.
        """
        parent = self._log.lookup.label_parent(label_id)
        labels, version = self._log.load(parent.stream, evolve, LabelSet())
        if label_id in labels.sublabels:
            raise Invalid(["A point of a skeleton is changed and deleted through the skeleton"])
        if labels.deleted or label_id not in labels.labels:
            raise NotFound
        return parent, labels, version


def _is_about(body: Body, label_id: int) -> bool:
    match body:
        case LabelsAdded():
            return any(spec["id"] == label_id for spec in body.labels)
        case LabelDeleted() | LabelRestored():
            return body.label_id == label_id
    return False
