"""Annotations: what people draw in a job. Changes commute, so nobody waits and nobody overwrites anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from domain.annotation.document import KINDS, Document, LabelSpecs, Mode, assign_ids, count_new, highest_id
from domain.annotation.fanout import fan_out
from domain.annotation.merge import merge
from domain.annotation.validation import normalize
from domain.annotation_events import Everything, Tracks, changed, cleared, removal, replaced
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.event import Body, Context
from domain.ports import Held, JobPlace, Log, Standing
from domain.retry import decide_again

EMPTY: Document = {"tags": [], "shapes": [], "tracks": [], "intervals": []}


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
            return replaced(place, document, self._everything(self._held([place])[job_id])), document

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
            standing = self._standing(document)
            self._check_owned(document, standing, job_id)
            known, added = _partition(document)
            # Numbered through the whole document: `known` and `added` hold the same objects.
            self._numbered(document)
            return changed(place, added, known, {}, _tracks(standing)), document

        return self._in_job(context, job_id, version, permit, decide)

    def delete(
        self, context: Context, job_id: int, raw: Any, version: int | None = None, permit: Permit = everybody
    ) -> Document:
        """Removes the objects given; ids that do not stand in the job are passed over. Returns the document given."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            document = normalize(raw, place.labels, "delete")
            standing = self._standing(document)
            return changed(place, {}, {}, removal(standing, job_id), _tracks(standing)), document

        return self._in_job(context, job_id, version, permit, decide)

    def clear(self, context: Context, job_id: int, version: int | None = None, permit: Permit = everybody) -> None:
        """Removes everything in the job."""

        def decide(place: JobPlace) -> tuple[list[Body], Document]:
            return cleared(place, self._everything(self._held([place])[job_id])), EMPTY

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
        standing = self._standing(known)
        bodies: list[Body] = []
        for job_id, share in _homes(known, standing, places).items():
            bodies += changed(places[job_id], {}, self._numbered(share), {}, _tracks(standing))
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
        standing = self._standing(document)
        bodies: list[Body] = []
        for place in places.values():
            bodies += changed(place, {}, {}, removal(standing, place.job_id), _tracks(standing))
        self._record(context, bodies, places.values())
        return document

    @decide_again
    def clear_task(self, context: Context, task_id: int) -> None:
        """Removes everything in the task's jobs."""
        places = self._log.lookup.task_places(task_id)
        held = self._held(places)
        bodies = [body for place in places for body in cleared(place, self._everything(held[place.job_id]))]
        self._record(context, bodies, places)

    def prepared(self, places: Sequence[JobPlace], raw: Any, *, append: bool) -> list[Body]:
        """The events that bring a document into some jobs of one task, each getting what falls into its frames; without
        `append` all else gives way. For an agent, which records them with the end of its request, and expects the
        versions of the places then. Raises Invalid.
        """
        shares = _shares(places, raw, "create" if append else "put")
        return self._added(places, shares) if append else self._replaced(places, shares)

    def _replaced(self, places: Sequence[JobPlace], shares: Mapping[int, Document]) -> list[Body]:
        bodies: list[Body] = []
        held = self._held(places)
        for place in places:
            share = self._numbered(shares.get(place.job_id, EMPTY))
            bodies += replaced(place, share, self._everything(held[place.job_id]))
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

    def _held(self, places: Sequence[JobPlace]) -> dict[int, dict[str, dict[str, Held]]]:
        return self._log.lookup.held([place.job_id for place in places])

    def _everything(self, held: Mapping[str, Mapping[str, Held]]) -> Everything:
        """What stands in a job, which is about to go."""
        counts = {kind: {name: part.number for name, part in types.items()} for kind, types in held.items()}
        ids = {
            kind: {name: part.ids for name, part in types.items() if part.ids is not None}
            for kind, types in held.items()
        }
        tracks = [track_id for track_ids in ids.get("tracks", {}).values() for track_id in track_ids]
        return Everything(counts, ids, _tracks({"tracks": self._found("tracks", tracks)}))

    def _record(self, context: Context, bodies: list[Body], places: Iterable[JobPlace] = ()) -> None:
        if bodies:
            self._log.record(context, bodies, next((place.versions for place in places), None))

    def _numbered(self, document: Document) -> Document:
        count = count_new(document)
        if count:
            assign_ids(document, self._log.ids.annotations(count))
        return document

    def _standing(self, document: Document) -> dict[str, dict[int, Standing]]:
        """The objects of a document that stand somewhere, by kind."""
        return {
            kind: self._found(kind, [item["id"] for item in document[kind] if item.get("id") is not None])
            for kind in KINDS
        }

    def _found(self, kind: str, ids: list[int]) -> dict[int, Standing]:
        return self._log.lookup.standing(kind, ids) if ids else {}

    def _check_owned(self, document: Document, standing: Mapping[str, Mapping[int, Standing]], job_id: int) -> None:
        """Raises Invalid for objects that stand elsewhere, and for ids that were never handed out: one that is handed
        out later must not find its place taken.
        """
        for kind, objects in standing.items():
            foreign = sorted(object_id for object_id, found in objects.items() if found.job_id != job_id)
            if foreign:
                raise Invalid(f"{kind}: the ids {foreign[:10]} belong to another job")
        uses = Counter(item["id"] for kind in KINDS for item in document[kind] if item.get("id") is not None)
        repeated = sorted(item_id for item_id, count in uses.items() if count > 1)
        if repeated:
            raise Invalid(f"The ids {repeated[:10]} are given to objects of several kinds; an id is of one kind only")
        given = highest_id(document)
        if given is not None and given > self._log.ids.highest_annotation():
            raise Invalid(f"The id {given} was never handed out")


def _homes(
    document: Document, standing: Mapping[str, Mapping[int, Standing]], places: Mapping[int, JobPlace]
) -> dict[int, Document]:
    """Objects with ids by the job where they stand. Raises Invalid for one that stands in none of the task."""
    homes: dict[int, Document] = {}
    for kind in KINDS:
        for item in document[kind]:
            found = standing[kind].get(item["id"])
            if found is None or found.job_id not in places:
                raise Invalid(f"{kind}: there is no object {item['id']} in this task")
            homes.setdefault(found.job_id, {}).setdefault(kind, []).append(item)
    return homes


def _tracks(standing: Mapping[str, Mapping[int, Standing]]) -> Tracks:
    """The tracks among what stands."""
    return {track_id: found.track for track_id, found in standing["tracks"].items() if found.track is not None}


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
