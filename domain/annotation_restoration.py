"""Bringing back annotations as they were. The log only grows: what came after the version restored stays in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.annotation.attributes import conform
from domain.annotation.document import Document, Item, shape_type
from domain.annotation.timeline import Drawing, Tally, difference
from domain.annotation.visibility import Shown, shown
from domain.annotation_events import drawn, gone, split_document
from domain.annotation_history import AnnotationHistory, Standing, Subject, copied, stream_of
from domain.annotations import Permit, everybody
from domain.errors import VersionConflict
from domain.event import Body, Context
from domain.events.annotations import AnnotationsRestored, Removed
from domain.ports import JobPlace, Log
from domain.retry import decide_again
from domain.saves import NOW, Moment
from domain.task_move import Relabeling, brought_along, moves


@dataclass(frozen=True)
class Restored:
    """`version`: what stands now; `source`: what was brought back (both as a Moment names them). `skipped`: objects of
    the source that did not come back, because their label is gone or their id stands in another job by now.
    """

    version: int
    source: int
    tally: Tally
    skipped: int

    @property
    def recorded(self) -> bool:
        """False: everything already was as it had been."""
        return any(part.total() for part in (self.tally.created, self.tally.updated, self.tally.deleted))


@dataclass
class Return:
    """What brings back the annotations of one job."""

    place: JobPlace
    version: int
    created: Document = field(default_factory=dict)
    updated: Document = field(default_factory=dict)
    removed: Removed = field(default_factory=dict)
    tracks: dict[int, Shown] = field(default_factory=dict)
    """What shows of those that are redrawn or removed."""
    skipped: int = 0

    def bodies(self) -> list[Body]:
        ids = (self.place.job_id, self.place.task_id, self.place.project_id, self.version)
        stop_frame = self.place.stop_frame
        bodies: list[Body] = []
        if self.removed:
            bodies.append(AnnotationsRestored(*ids, {}, {}, self.removed, gone(self.removed, self.tracks)))
        updates, additions = split_document(self.updated), split_document(self.created)
        bodies += [AnnotationsRestored(*ids, {}, part, {}, drawn(part, stop_frame, self.tracks)) for part in updates]
        bodies += [AnnotationsRestored(*ids, part, {}, {}, drawn(part, stop_frame)) for part in additions]
        return bodies

    def remove(self, kind: str, item: Item) -> None:
        self._touch(kind, item)
        self.removed.setdefault(kind, {}).setdefault(shape_type(kind, item), []).append(item["id"])

    def redraw(self, kind: str, before: Item, after: Item) -> None:
        self._touch(kind, before)
        self.updated.setdefault(kind, []).append(after)

    def _touch(self, kind: str, item: Item) -> None:
        if kind == "tracks":
            self.tracks[item["id"]] = shown(item, self.place.stop_frame)


@dataclass
class Course:
    """A restoration under way: `wanted` is to stand again; `present` stood when it was last looked at. Each attempt
    moves that on, so that a long history is read only once.
    """

    context: Context
    find: Callable[[], Subject]
    source: int
    wanted: Standing
    present: Standing


class AnnotationRestoration:
    """The use cases. When others save meanwhile, it is decided again on what they left: nothing of it is lost."""

    def __init__(self, log: Log, history: AnnotationHistory) -> None:
        self._log = log
        self._history = history

    def restore(
        self, context: Context, job_id: int, moment: Moment, version: int | None = None, permit: Permit = everybody
    ) -> Restored:
        """The annotations of a job. `version`: which ones the caller insists on replacing. Raises NotFound, Forbidden,
        Invalid, VersionConflict.
        """
        course = self._begun(context, lambda: self._history.job(job_id), moment, permit)
        if version is not None:
            return self._attempt(course, version)
        return self._restored(course)

    def restore_task(self, context: Context, task_id: int, moment: Moment) -> Restored:
        """The annotations of all jobs of a task, in one save. Raises NotFound, Invalid."""
        return self._restored(self._begun(context, lambda: self._history.task(task_id), moment, everybody))

    def _begun(self, context: Context, find: Callable[[], Subject], moment: Moment, permit: Permit) -> Course:
        subject = find()
        for place in subject.places:
            permit(place)
        point = self._history.point(subject, moment)
        wanted = self._brought_along(subject, self._history.move_on(subject, point.position, {}))
        source = point.version if subject.task_id is not None else wanted[subject.places[0].job_id].version
        return Course(context, find, source, wanted, copied(wanted))

    def _brought_along(self, subject: Subject, wanted: Standing) -> Standing:
        """Under the labels that took the place of those it was drawn under, if the task has moved since."""
        none: tuple[Relabeling, ...] = ()
        task_moves, _ = self._log.load(f"task-{subject.places[0].task_id}", moves, none)
        if not task_moves:
            return wanted
        labels = subject.places[0].labels
        for drawing in wanted.values():
            for kind, objects in drawing.objects.items():
                items = [brought_along(item, task_moves, labels.by_id) for item in objects.values()]
                drawing.objects[kind] = {item["id"]: item for item in conform({kind: items}, labels)[kind]}
        return wanted

    def _restored(self, course: Course) -> Restored:
        try:
            return self._attempt(course)
        except VersionConflict:
            # Others save here all the time. As with any change, what they do in this instant stands beside it.
            return self._attempt(course, alone=False)

    @decide_again
    def _attempt(self, course: Course, version: int | None = None, *, alone: bool = True) -> Restored:
        """`alone`: nobody may have saved since the annotations were looked at."""
        subject = course.find()
        head = self._history.point(subject, NOW).position
        self._history.move_on(subject, head, course.present)
        versions = {stream_of(place.job_id): course.present[place.job_id].version for place in subject.places}
        _check(versions, version)
        returns = [
            self._decide(place, course.wanted.get(place.job_id, Drawing()), course.present[place.job_id])
            for place in subject.places
        ]
        bodies = [body for each in returns for body in each.bodies()]
        stands = head if subject.task_id is not None else max(versions.values())
        if bodies:
            expected = {**subject.places[0].versions, **(versions if alone else {})}
            last = self._log.record(course.context, bodies, expected)[-1]
            stands = last.position if subject.task_id is not None else last.originator_version
        tally = Tally()
        for body in bodies:
            tally.add(body)
        return Restored(stands, course.source, tally, sum(each.skipped for each in returns))

    def _decide(self, place: JobPlace, wanted: Drawing, present: Drawing) -> Return:
        """What changes `present` into `wanted`, as far as there are labels for it."""
        labels = place.labels.by_id
        decided = Return(place, wanted.version)
        change = difference(present.objects, wanted.objects)
        for kind, items in change.deleted.items():
            for item in items:
                decided.remove(kind, item)
        for kind, pairs in change.updated.items():
            for before, after in pairs:
                if after["label_id"] in labels:
                    decided.redraw(kind, before, after)
                else:
                    decided.remove(kind, before)
        for kind, items in change.created.items():
            elsewhere = self._elsewhere(kind, items, place.job_id)
            known = [item for item in items if item["label_id"] in labels]
            decided.created[kind] = [item for item in known if item["id"] not in elsewhere]
            decided.skipped += len(known) - len(decided.created[kind])
        everything = (item for objects in wanted.objects.values() for item in objects.values())
        decided.skipped += sum(1 for item in everything if item["label_id"] not in labels)
        return decided

    def _elsewhere(self, kind: str, items: list[Item], job_id: int) -> set[int]:
        """The ids that somebody has used again in another job since they were removed here."""
        if not items:
            return set()
        standing = self._log.lookup.standing(kind, [item["id"] for item in items])
        return {object_id for object_id, found in standing.items() if found.job_id != job_id}


def _check(expected: dict[str, int], version: int | None) -> None:
    """Raises VersionConflict when a job is not at the version insisted on."""
    for stream, actual in expected.items():
        if version is not None and actual != version:
            raise VersionConflict(stream, version, actual)
