"""The annotations that were: at a version or a time, what changed between two, who changed what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from domain.annotation.document import Document
from domain.annotation.merge import merge
from domain.annotation.timeline import Difference, Drawing, Step, Tally, difference, life
from domain.errors import Invalid, NotFound
from domain.events.annotations import AnnotationsRestored
from domain.events.label import LabelDeleted, LabelRestored
from domain.ports import JobPlace, Log
from domain.saves import Moment, Save

Standing = dict[int, Drawing]
"""What stands in jobs, by their ids."""


@dataclass(frozen=True)
class Subject:
    """Whose annotations: one job's, or those of all jobs of a task (`task_id`)."""

    places: Sequence[JobPlace]
    task_id: int | None = None

    @property
    def streams(self) -> list[str]:
        return [stream_of(place.job_id) for place in self.places]

    @property
    def label_stream(self) -> str:
        place = self.places[0]
        return f"project-{place.project_id}" if place.project_id else f"task-{place.task_id}"

    @property
    def name(self) -> str:
        return f"task {self.task_id}" if self.task_id is not None else f"job {self.places[0].job_id}"


@dataclass(frozen=True)
class Point:
    """Where a moment is: the last event of the annotations, and `horizon`, the last event that had any effect on them.
    `version`: as a Moment names it.
    """

    version: int
    position: int
    horizon: int


@dataclass(frozen=True)
class Past:
    """What was seen at a version: in each job, in the order of `subject.places`."""

    subject: Subject
    version: int
    drawings: list[Drawing]

    def document(self) -> Document:
        """Of a task: merged over its jobs."""
        documents = [drawing.document() for drawing in self.drawings]
        if self.subject.task_id is None:
            return documents[0]
        places = zip(self.subject.places, documents, strict=True)
        return merge((place.start_frame, place.stop_frame, document) for place, document in places)


@dataclass(frozen=True)
class Change:
    """A save, and what it did. `restored`: the version that it brought back in a job, if that is what it did."""

    save: Save
    tally: Tally
    restored: int | None


class AnnotationHistory:
    """The questions about the past. Objects under a label that had been deleted by then are not seen."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def job(self, job_id: int) -> Subject:
        """Raises NotFound."""
        return Subject([self._log.lookup.job_place(job_id, fresh=True)])

    def task(self, task_id: int) -> Subject:
        """Raises NotFound for a task without jobs."""
        places = self._log.lookup.task_places(task_id)
        if not places:
            raise NotFound(f"Task {task_id} has no jobs yet, and so no annotations")
        return Subject(places, task_id)

    def point(self, subject: Subject, moment: Moment) -> Point:
        """Raises Invalid for half a save, NotFound for a version that does not exist."""
        if moment.version is None:
            return self._point_in_time(subject, moment)
        if moment.version == 0:
            return Point(0, 0, 0)
        version, saves = moment.version, self._log.lookup.saves
        if subject.task_id is None:
            reached = saves.at_version(subject.streams[0], version)
        else:
            reached = saves.at_position(subject.streams, version)
        if reached is None:
            raise NotFound(f"The annotations of {subject.name} have no version {version}: their history lists those")
        if not reached.whole:
            raise Invalid({"version": [f"{version} is in the middle of one save: take a version of the history"]})
        return Point(version, reached.position, reached.position)

    def past(self, subject: Subject, moment: Moment) -> Past:
        """Raises Invalid, NotFound."""
        return self._past(subject, self.point(subject, moment), {})

    def difference(self, subject: Subject, start: Moment, end: Moment) -> tuple[Past, Past, list[Difference]]:
        """What leads from one moment to another, by job. Raises Invalid, NotFound."""
        before, after = self.point(subject, start), self.point(subject, end)
        first, second = sorted((before, after), key=attrgetter("position"))
        standing: Standing = {}
        pasts = {first: self._past(subject, first, standing)}
        # The later one goes on from the earlier: what did not change is read once, and is the same object in both.
        pasts[second] = self._past(subject, second, copied(standing))
        old, new = pasts[before], pasts[after]
        pairs = zip(old.drawings, new.drawings, strict=True)
        return old, new, [difference(was.objects, now.objects) for was, now in pairs]

    def changes(self, subject: Subject, limit: int | None, offset: int) -> tuple[int, Iterator[Change]]:
        """How many there were, and some of them, the last first."""
        total, saves = self._log.lookup.saves.page(subject.streams, limit, offset)
        return total, (self._change(save, frozenset(subject.streams)) for save in saves)

    def life(self, subject: Subject, kind: str, object_id: int) -> list[Step]:
        """Of one object of a job, from its creation on. Raises NotFound for one that never stood there."""
        steps = list(life(self._log.history(subject.streams[0]), kind, object_id))
        if not steps:
            raise NotFound(f"There never was {kind.removesuffix('s')} {object_id} in {subject.name}")
        return steps

    def move_on(self, subject: Subject, position: int, standing: Standing) -> Standing:
        """Moves each job's drawing on to a position of the log, in place, from wherever it is; returns them."""
        spans = self._log.lookup.saves.spans(subject.streams, position)
        for place in subject.places:
            drawing = standing.setdefault(place.job_id, Drawing())
            span = spans.get(stream_of(place.job_id))
            if span is not None and drawing.version < span.version:
                start = max(drawing.version, span.after)
                for event in self._log.history(stream_of(place.job_id), start, span.version):
                    drawing.evolve(event)
        return standing

    def _past(self, subject: Subject, point: Point, standing: Standing) -> Past:
        """`standing`: what is known of an earlier moment."""
        self.move_on(subject, point.position, standing)
        hidden = self._hidden(subject, point.horizon)
        drawings = [standing[place.job_id].without(hidden) for place in subject.places]
        version = drawings[0].version if subject.task_id is None else point.version
        return Past(subject, version, drawings)

    def _point_in_time(self, subject: Subject, moment: Moment) -> Point:
        saves = self._log.lookup.saves
        position = saves.at_time(subject.streams, moment.as_of)
        horizon = saves.at_time([*subject.streams, subject.label_stream], moment.as_of)
        return Point(position, position, horizon)

    def _hidden(self, subject: Subject, position: int) -> frozenset[int]:
        """The labels that were deleted by then."""
        hidden: set[int] = set()
        for version in self._log.lookup.saves.labels_moved(subject.label_stream, position):
            for event in self._log.history(subject.label_stream, version - 1, version):
                match event.body:
                    case LabelDeleted(label_id=label_id):
                        hidden.add(label_id)
                    case LabelRestored(label_id=label_id):
                        hidden.discard(label_id)
        return frozenset(hidden)

    def _change(self, save: Save, streams: frozenset[str]) -> Change:
        tally, restored = Tally(), None
        for event in self._log.recorded(save.first, save.last):
            if event.originator_id in streams:
                tally.add(event.body)
                if isinstance(event.body, AnnotationsRestored):
                    restored = event.body.version
        return Change(save, tally, restored)


def copied(standing: Standing) -> Standing:
    return {job_id: drawing.copy() for job_id, drawing in standing.items()}


def stream_of(job_id: int) -> str:
    return f"annotations-{job_id}"
