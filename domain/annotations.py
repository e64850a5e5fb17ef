"""Annotations: what people draw in a job. Changes commute, so nobody waits and nobody overwrites anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.annotation.document import KINDS, Document, LabelSpecs, Mode, assign_ids, count_new, highest_id
from domain.annotation.fanout import fan_out
from domain.annotation.merge import merge
from domain.annotation.validation import normalize
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.event import Body, Context
from domain.events.annotations import MAX_OBJECTS, AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, Removed
from domain.ports import JobPlace, Log, Standing
from domain.retry import decide_again

EMPTY: Document = {"tags": [], "shapes": [], "tracks": [], "intervals": []}


def split_document(document: Document, size: int = MAX_OBJECTS) -> Iterator[Document]:
    """Cuts a document into parts of at most `size` objects, kinds in order; an empty one gives nothing."""
    part: Document = {}
    room = size
    for kind in KINDS:
        objects = document.get(kind, [])
        start = 0
        while start < len(objects):
            part[kind] = objects[start : start + room]
            start += len(part[kind])
            room -= len(part[kind])
            if room == 0:
                yield part
                part, room = {}, size
    if part:
        yield part


def replaced(place: JobPlace, document: Document, removed: dict[str, dict[str, int]]) -> list[Body]:
    """The events of a PUT. One that finds nothing and stores nothing is none."""
    parts = list(split_document(document))
    if not parts:
        return cleared(place, removed)
    ids = (place.job_id, place.task_id, place.project_id)
    first = AnnotationsReplaced(*ids, created=parts[0], removed=removed)
    return [first, *(AnnotationsChanged(*ids, created=part, updated={}, removed={}) for part in parts[1:])]


def cleared(place: JobPlace, removed: dict[str, dict[str, int]]) -> list[Body]:
    """The events of a DELETE; none when there is nothing to remove."""
    if not removed:
        return []
    return [AnnotationsCleared(place.job_id, place.task_id, place.project_id, removed)]


def changed(place: JobPlace, created: Document, updated: Document, removed: Removed) -> list[Body]:
    """The events of a PATCH."""
    ids = (place.job_id, place.task_id, place.project_id)
    bodies: list[Body] = []
    if removed:
        bodies.append(AnnotationsChanged(*ids, created={}, updated={}, removed=removed))
    bodies += [AnnotationsChanged(*ids, created={}, updated=part, removed={}) for part in split_document(updated)]
    bodies += [AnnotationsChanged(*ids, created=part, updated={}, removed={}) for part in split_document(created)]
    return bodies


def removal(standing: dict[str, dict[int, Standing]], job_id: int) -> Removed:
    """What a delete really removes: those of the objects given that stand in this job, counted under their own type."""
    removed: Removed = {}
    for kind, objects in standing.items():
        for object_id, found in objects.items():
            if found.job_id == job_id:
                removed.setdefault(kind, {}).setdefault(found.type, []).append(object_id)
    return removed


Permit = Callable[[JobPlace], None]
Decide = Callable[[JobPlace], tuple[list[Body], Document]]
"""From where a job stands to the events and the answer."""


def everybody(_place: JobPlace) -> None:
    """For callers that answer for themselves."""


class Annotations:
    """The use cases of annotations. Documents are CVAT's: tags, shapes, tracks, intervals.

    `version`: the version of the job's annotations that the caller has seen and insists on (VersionConflict otherwise);
    None: whatever others did meanwhile stands beside it. `permit`: raises Forbidden when the caller may not draw there.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def replace(
        self, context: Context, job_id: int, raw: Any, version: int | None = None, permit: Permit = everybody
    ) -> Document:
        """Everything in the job gives way to `raw`. Returns what is stored, with ids. Raises NotFound, Invalid."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            document = self._numbered(normalize(raw, place.labels, "put"))
            return replaced(place, document, self._counts([place])[job_id]), document

        return self._in_job(context, job_id, version, permit, decide)

    def create(
        self, context: Context, job_id: int, raw: Any, version: int | None = None, permit: Permit = everybody
    ) -> Document:
        """Adds to the job. Returns the new objects with their ids. Raises NotFound, Invalid."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            document = self._numbered(normalize(raw, place.labels, "create"))
            return changed(place, document, {}, {}), document

        return self._in_job(context, job_id, version, permit, decide)

    def update(
        self, context: Context, job_id: int, raw: Any, version: int | None = None, permit: Permit = everybody
    ) -> Document:
        """Objects with an id are redrawn and keep it, objects without are added. Returns them all, in the order given.
        Raises NotFound; Invalid, also for an id that belongs to another job or was never handed out.
        """

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            document = normalize(raw, place.labels, "update")
            self._check_owned(document, job_id)
            known, added = _partition(document)
            # Numbered through the whole document: `known` and `added` hold the same objects.
            self._numbered(document)
            return changed(place, added, known, {}), document

        return self._in_job(context, job_id, version, permit, decide)

    def delete(
        self, context: Context, job_id: int, raw: Any, version: int | None = None, permit: Permit = everybody
    ) -> Document:
        """Removes the objects given; ids that do not stand in the job are passed over. Returns the document given."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            document = normalize(raw, place.labels, "delete")
            standing = {kind: self._standing(kind, document[kind]) for kind in KINDS}
            return changed(place, {}, {}, removal(standing, job_id)), document

        return self._in_job(context, job_id, version, permit, decide)

    def clear(self, context: Context, job_id: int, version: int | None = None, permit: Permit = everybody) -> None:
        """Removes everything in the job."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            return cleared(place, self._counts([place])[job_id]), EMPTY

        self._in_job(context, job_id, version, permit, decide)

    @decide_again
    def replace_in_task(self, context: Context, task_id: int, raw: Any) -> None:
        """As `replace`, for all jobs of the task at once: each gets what falls into its frames."""
        places, shares = self._shared_out(task_id, raw, "put")
        self._record(context, self._replaced(places, shares), places)

    @decide_again
    def create_in_task(self, context: Context, task_id: int, raw: Any) -> Document:
        """As `create`, cut by the jobs' frames. Returns the objects as the jobs got them, merged."""
        places, shares = self._shared_out(task_id, raw, "create")
        self._record(context, self._added(places, shares), places)
        return merge([(p.start_frame, p.stop_frame, shares.get(p.job_id, EMPTY)) for p in places])

    @decide_again
    def update_in_task(self, context: Context, task_id: int, raw: Any) -> Document:
        """As `update`: objects with an id are redrawn in the job where they stand, others are added by their frames."""
        places = {place.job_id: place for place in self._log.lookup.task_places(task_id)}
        document = normalize(raw, _labels(places.values()), "update")
        known, added = _partition(document)
        homes = self._homes(known, places)
        bodies: list[Body] = []
        for job_id, share in homes.items():
            bodies += changed(places[job_id], {}, self._numbered(share), {})
        shares = fan_out(added, [(p.job_id, p.start_frame, p.stop_frame) for p in places.values()])
        for job_id, share in shares.items():
            bodies += changed(places[job_id], self._numbered(share), {}, {})
        self._record(context, bodies, places.values())
        stored = merge([(p.start_frame, p.stop_frame, shares.get(p.job_id, EMPTY)) for p in places.values()])
        return {kind: [*known[kind], *stored[kind]] for kind in KINDS}

    @decide_again
    def delete_in_task(self, context: Context, task_id: int, raw: Any) -> Document:
        """As `delete`, in whichever jobs of the task the objects stand."""
        places = {place.job_id: place for place in self._log.lookup.task_places(task_id)}
        document = normalize(raw, _labels(places.values()), "delete")
        standing = {kind: self._standing(kind, document[kind]) for kind in KINDS}
        bodies: list[Body] = []
        for place in places.values():
            bodies += changed(place, {}, {}, removal(standing, place.job_id))
        self._record(context, bodies, places.values())
        return document

    @decide_again
    def clear_task(self, context: Context, task_id: int) -> None:
        """Removes everything in the task's jobs."""
        places = self._log.lookup.task_places(task_id)
        counts = self._counts(places)
        self._record(context, [body for place in places for body in cleared(place, counts[place.job_id])], places)

    def prepared(self, places: Sequence[JobPlace], raw: Any, *, append: bool) -> list[Body]:
        """The events that bring a document into some jobs of one task, each getting what falls into its frames; without
        `append` all else gives way. For an agent, which records them with the end of its request, and expects the
        versions of the places then. Raises Invalid.
        """
        shares = _shares(places, raw, "create" if append else "put")
        return self._added(places, shares) if append else self._replaced(places, shares)

    def _replaced(self, places: Sequence[JobPlace], shares: Mapping[int, Document]) -> list[Body]:
        bodies: list[Body] = []
        counts = self._counts(places)
        for place in places:
            bodies += replaced(place, self._numbered(shares.get(place.job_id, EMPTY)), counts[place.job_id])
        return bodies

    def _added(self, places: Sequence[JobPlace], shares: Mapping[int, Document]) -> list[Body]:
        bodies: list[Body] = []
        for place in places:
            if place.job_id in shares:
                bodies += changed(place, self._numbered(shares[place.job_id]), {}, {})
        return bodies

    def _shared_out(self, task_id: int, raw: Any, mode: Mode) -> tuple[list[JobPlace], dict[int, Document]]:
        places = self._log.lookup.task_places(task_id)
        return places, _shares(places, raw, mode)

    def _in_job(self, context: Context, job_id: int, version: int | None, permit: Permit, decide: Decide) -> Document:
        """Decides on what is remembered of the job, which costs nothing; and when that is refused, or has moved on
        when it is to be recorded, once more on what is true now. With new ids: somebody may have used one of ours.
        """
        try:
            return self._decide(context, self._log.lookup.job_place(job_id), version, permit, decide)
        except (Invalid, Forbidden, NotFound, Conflict):
            return self._decide_afresh(context, job_id, version, permit, decide)

    @decide_again
    def _decide_afresh(
        self, context: Context, job_id: int, version: int | None, permit: Permit, decide: Decide
    ) -> Document:
        return self._decide(context, self._log.lookup.job_place(job_id, fresh=True), version, permit, decide)

    def _decide(
        self, context: Context, place: JobPlace, version: int | None, permit: Permit, decide: Decide
    ) -> Document:
        permit(place)
        bodies, document = decide(place)
        own = {f"annotations-{place.job_id}": version} if version is not None else {}
        if bodies:
            self._log.record(context, bodies, {**place.versions, **own})
        return document

    def _counts(self, places: Sequence[JobPlace]) -> dict[int, dict[str, dict[str, int]]]:
        """What stands in each job, which may be about to go."""
        return self._log.lookup.annotation_counts([place.job_id for place in places])

    def _record(self, context: Context, bodies: list[Body], places: Iterable[JobPlace] = ()) -> None:
        if bodies:
            self._log.record(context, bodies, next((place.versions for place in places), None))

    def _numbered(self, document: Document) -> Document:
        count = count_new(document)
        if count:
            assign_ids(document, self._log.ids.annotations(count))
        return document

    def _standing(self, kind: str, items: list[dict[str, Any]]) -> dict[int, Standing]:
        ids = [item["id"] for item in items if item.get("id") is not None]
        return self._log.lookup.standing(kind, ids) if ids else {}

    def _homes(self, document: Document, places: Mapping[int, JobPlace]) -> dict[int, Document]:
        """Objects with ids by the job where they stand. Raises Invalid for one that stands in none of the task."""
        homes: dict[int, Document] = {}
        for kind in KINDS:
            owners = self._standing(kind, document[kind])
            for item in document[kind]:
                found = owners.get(item["id"])
                if found is None or found.job_id not in places:
                    raise Invalid(f"{kind}: there is no object {item['id']} in this task")
                homes.setdefault(found.job_id, {}).setdefault(kind, []).append(item)
        return homes

    def _check_owned(self, document: Document, job_id: int) -> None:
        """Raises Invalid for objects that stand elsewhere, and for ids that were never handed out: one that is handed
        out later must not find its place taken.
        """
        for kind in KINDS:
            foreign = sorted(i for i, f in self._standing(kind, document[kind]).items() if f.job_id != job_id)
            if foreign:
                raise Invalid(f"{kind}: the ids {foreign[:10]} belong to another job")
        uses = Counter(item["id"] for kind in KINDS for item in document[kind] if item.get("id") is not None)
        repeated = sorted(item_id for item_id, count in uses.items() if count > 1)
        if repeated:
            raise Invalid(f"The ids {repeated[:10]} are given to objects of several kinds; an id is of one kind only")
        given = highest_id(document)
        if given is not None and given > self._log.ids.highest_annotation():
            raise Invalid(f"The id {given} was never handed out")


def _shares(places: Sequence[JobPlace], raw: Any, mode: Mode) -> dict[int, Document]:
    """What each job gets of a task's document."""
    document = normalize(raw, _labels(places), mode)
    return fan_out(document, [(place.job_id, place.start_frame, place.stop_frame) for place in places])


def _labels(places: Iterable[JobPlace]) -> LabelSpecs:
    return next((place.labels for place in places), LabelSpecs())


def _partition(document: Document) -> tuple[Document, Document]:
    """The objects that have an id, and those that have none."""
    known = {kind: [item for item in document[kind] if item.get("id") is not None] for kind in KINDS}
    added = {kind: [item for item in document[kind] if item.get("id") is None] for kind in KINDS}
    return known, added
