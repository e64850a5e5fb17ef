"""The annotations of a job as its events tell of them: what stood at a version, what changed between two, and the life
of one object. Pure folds; documents are as in the events, and none is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from domain.annotation.document import KINDS, Document, Item
from domain.event import Body, Event
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored

Objects = dict[str, dict[int, Item]]
"""kind → object id → object."""

Happening = Literal["created", "updated", "deleted", "restored"]


@dataclass
class Drawing:
    """What stands in a job at one of its versions. `evolve` moves it on, in place: there may be 100,000 objects."""

    version: int = 0
    objects: Objects = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def evolve(self, event: Event) -> None:
        """The next event of the job's annotations happens."""
        self.version = event.originator_version
        body = event.body
        if isinstance(body, AnnotationsReplaced | AnnotationsCleared):
            self.objects = {kind: {} for kind in KINDS}
        if isinstance(body, AnnotationsReplaced):
            self._draw(body.created)
        if isinstance(body, AnnotationsChanged | AnnotationsRestored):
            for kind, types in body.removed.items():
                for object_ids in types.values():
                    for object_id in object_ids:
                        self.objects[kind].pop(object_id, None)
            self._draw(body.updated)
            self._draw(body.created)

    def copy(self) -> Drawing:
        """One that moves on by itself."""
        return Drawing(self.version, {kind: dict(objects) for kind, objects in self.objects.items()})

    def without(self, label_ids: frozenset[int]) -> Drawing:
        """The same but for the objects under these labels."""
        if not label_ids:
            return self
        kept = {
            kind: {number: item for number, item in objects.items() if item["label_id"] not in label_ids}
            for kind, objects in self.objects.items()
        }
        return Drawing(self.version, kept)

    def document(self) -> Document:
        """All of it, in the order of the frames."""
        return {kind: sorted(objects.values(), key=_place) for kind, objects in self.objects.items()}

    def _draw(self, document: Document) -> None:
        for kind, items in document.items():
            self.objects[kind].update({item["id"]: item for item in items})


@dataclass(frozen=True)
class Difference:
    """What leads from one drawing to another, by kind and in the order of the frames. `updated`: before and after."""

    created: Document
    updated: dict[str, list[tuple[Item, Item]]]
    deleted: Document

    @property
    def empty(self) -> bool:
        return not any(objects for part in (self.created, self.updated, self.deleted) for objects in part.values())


def difference(before: Objects, after: Objects) -> Difference:
    created, updated, deleted = {}, {}, {}
    for kind in KINDS:
        old, new = before[kind], after[kind]
        created[kind] = sorted((new[number] for number in new.keys() - old.keys()), key=_place)
        deleted[kind] = sorted((old[number] for number in old.keys() - new.keys()), key=_place)
        pairs = ((old[number], item) for number, item in new.items() if number in old)
        changed = [(was, item) for was, item in pairs if was is not item and was != item]
        updated[kind] = sorted(changed, key=lambda pair: _place(pair[1]))
    return Difference(created, updated, deleted)


@dataclass
class Tally:
    """How many objects of each kind some events created, updated and deleted."""

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)

    def add(self, body: Body) -> None:
        if isinstance(body, AnnotationsReplaced | AnnotationsCleared):
            self.deleted.update({kind: sum(types.values()) for kind, types in body.removed.items()})
        if isinstance(body, AnnotationsChanged | AnnotationsRestored):
            self.deleted.update({kind: sum(map(len, types.values())) for kind, types in body.removed.items()})
            self.updated.update({kind: len(items) for kind, items in body.updated.items()})
        if isinstance(body, AnnotationsReplaced | AnnotationsChanged | AnnotationsRestored):
            self.created.update({kind: len(items) for kind, items in body.created.items()})


@dataclass(frozen=True)
class Step:
    """A step in the life of an object: the last event of the save that took it, and the object as it was then."""

    event: Event
    happening: Happening
    item: Item | None


def life(events: Iterable[Event], kind: str, object_id: int) -> Iterator[Step]:
    """Each save that touched the object, in order."""
    item: Item | None = None
    for _, save in groupby(events, key=save_of):
        before, restored = item, False
        for event in save:
            item = _after(event.body, kind, object_id, item)
            restored = isinstance(event.body, AnnotationsRestored)
        if item is before:  # an object that is drawn again is another one, even if it looks the same
            continue
        if item is None:
            yield Step(event, "deleted", None)
        else:
            yield Step(event, "restored" if restored else "updated" if before else "created", item)


def save_of(event: Event) -> tuple[datetime, str | None]:
    """What the events of one save have in common: they were recorded at once, for one request."""
    return event.meta.time, event.meta.correlation_id


def _after(body: Body, kind: str, object_id: int, item: Item | None) -> Item | None:
    """What an event makes of one object."""
    if isinstance(body, AnnotationsReplaced | AnnotationsCleared):
        item = None
    if isinstance(body, AnnotationsChanged | AnnotationsRestored):
        if any(object_id in object_ids for object_ids in body.removed.get(kind, {}).values()):
            item = None
        item = _find(body.updated, kind, object_id) or item
    if isinstance(body, AnnotationsReplaced | AnnotationsChanged | AnnotationsRestored):
        item = _find(body.created, kind, object_id) or item
    return item


def _find(document: Document, kind: str, object_id: int) -> Item | None:
    return next((item for item in document.get(kind, ()) if item["id"] == object_id), None)


def _place(item: Item) -> tuple[int, Any]:
    return item.get("frame", 0), item["id"]
