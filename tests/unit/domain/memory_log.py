"""`domain.ports.Log` in memory: a true log with versions and conflicts, and a lookup that folds it naively."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any

import orjson

from domain.annotation.document import LabelSpecs, shape_type
from domain.annotation.visibility import shown
from domain.application import metadata
from domain.errors import Conflict, NotFound, VersionConflict
from domain.event import SYSTEM, Body, Context, Event, make_body
from domain.events.annotations import (
    MAX_OBJECTS,
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
)
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.label import LabelDeleted, LabelRestored, LabelsAdded
from domain.events.task import TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from domain.ports import Clock, Drawn, Held, Ids, JobPlace, LabelParent, Lookup, Passwords, Standing, State
from domain.saves import Saves

from .memory_issues import NaiveIssues
from .memory_saves import NaiveSaves
from .memory_users import NaiveUsers
from .memory_validation import NaiveValidation

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class CountingIds:
    """Ids from 1 on, of each kind; annotation ids from 1,000 on."""

    def __init__(self) -> None:
        self._next: Counter[str] = Counter()
        self._objects = count(1_000)
        self._highest = 0

    def one(self, kind: str) -> int:
        return self.many(kind, 1)[0]

    def many(self, kind: str, count: int) -> list[int]:
        first = self._next[kind] + 1
        self._next[kind] += count
        return list(range(first, first + count))

    def annotations(self, count: int) -> Iterator[int]:
        ids = list(islice(self._objects, count))
        self._highest = max([self._highest, *ids])
        return iter(ids)

    def highest_annotation(self) -> int:
        return self._highest


class LegiblePasswords:
    """Hashes that a test can read."""

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, password_hash: str, password: str) -> bool:
        return password_hash == self.hash(password)


class NaiveLookup(NaiveIssues, NaiveUsers, NaiveValidation):
    """Folds the whole log for each question."""

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__(events)
        self.saves: Saves = NaiveSaves(events)

    def job_place(self, job_id: int, *, fresh: bool = False) -> JobPlace:
        for place in self._places():
            if place.job_id == job_id:
                return place
        raise NotFound

    def task_places(self, task_id: int) -> list[JobPlace]:
        places = [place for place in self._places() if place.task_id == task_id]
        pool = self.validation(task_id)
        others = [place for place in places if place.type == "annotation"]
        if pool.mode == "gt_pool":
            others += [replace(p, start_frame=min(pool.frames)) for p in places if p.job_id == pool.job_id]
        return sorted(others, key=lambda place: place.job_id)

    def standing(self, kind: str, ids: list[int]) -> dict[int, Standing]:
        found = {}
        for job_id, kinds in drawn(self._bodies()).items():
            for its_kind, objects in kinds.items():
                for item_id, item in objects.items():
                    if item_id in ids:
                        track = shown(item, self._stop_frame(job_id)) if kind == its_kind == "tracks" else None
                        found[item_id] = Standing(job_id if its_kind == kind else 0, shape_type(its_kind, item), track)
        return found

    def jobs_of(self, task_ids: Sequence[int]) -> dict[int, list[int]]:
        gone = {body.job_id for body in standing_deletions(self._bodies(), JobDeleted, JobRestored)}
        jobs = [job for job in self._of(JobCreated) if job.job_id not in gone]
        return {task_id: sorted(job.job_id for job in jobs if job.task_id == task_id) for task_id in task_ids}

    def tasks_in(self, project_id: int) -> list[int]:
        return sorted(task.task_id for task in self._tasks().values() if task.project_id == project_id)

    def _stop_frame(self, job_id: int) -> int:
        return next(job.stop_frame for job in self._of(JobCreated) if job.job_id == job_id)

    def held(self, job_ids: Sequence[int]) -> dict[int, dict[str, dict[str, Held]]]:
        jobs = standing(self._bodies())
        return {
            job_id: {kind: _by_type(kind, objects) for kind, objects in jobs.get(job_id, {}).items() if objects}
            for job_id in job_ids
        }

    def drawn(self, task_id: int) -> list[Drawn]:
        jobs = drawn(self._bodies())
        return [
            Drawn(
                job_id,
                task_id,
                self._versions(f"annotations-{job_id}")[f"annotations-{job_id}"],
                self.job_place(job_id).stop_frame,
                {kind: list(objects.values()) for kind, objects in jobs.get(job_id, {}).items()},
            )
            for job_id in self.jobs_of([task_id])[task_id]
        ]

    def label_parent(self, label_id: int) -> LabelParent:
        for added in self._of(LabelsAdded):
            ids = {each["id"] for label in added.labels for each in (label, *label.get("sublabels", []))}
            if label_id in ids:
                return LabelParent(added.project_id, added.task_id)
        raise NotFound

    def _bodies(self) -> list[Body]:
        return [event.body for event in self._events]

    def _of(self, kind: type[Any]) -> list[Any]:
        return [body for body in self._bodies() if isinstance(body, kind)]

    def _deleted_labels(self) -> list[LabelDeleted]:
        last = {body.label_id: body for body in self._bodies() if isinstance(body, LabelDeleted | LabelRestored)}
        return [body for body in last.values() if isinstance(body, LabelDeleted)]

    def _tasks(self) -> dict[int, TaskCreated]:
        gone = {body.task_id for body in standing_deletions(self._bodies(), TaskDeleted, TaskRestored)}
        moves = {move.task_id: {"project_id": move.project_id} for move in self._of(TaskMoved)}
        tasks = [replace(task, **moves.get(task.task_id, {})) for task in self._of(TaskCreated)]
        return {task.task_id: task for task in tasks if task.task_id not in gone}

    def _places(self) -> Iterator[JobPlace]:
        tasks = self._tasks()
        gone_jobs = {body.job_id for body in standing_deletions(self._bodies(), JobDeleted, JobRestored)}
        for job in self._of(JobCreated):
            if job.task_id in tasks and job.job_id not in gone_jobs:
                project_id = tasks[job.task_id].project_id
                stream = f"project-{project_id}" if project_id else f"task-{job.task_id}"
                labels = [label for added in self._of(LabelsAdded) if added.stream == stream for label in added.labels]
                gone = {body.label_id for body in self._deleted_labels()}
                specs = LabelSpecs.from_rows([label for label in labels if label["id"] not in gone])
                yield JobPlace(
                    job.job_id, job.task_id, project_id, job.start_frame, job.stop_frame, specs,
                    **self._progress(job), type=job.type, versions=self._versions(job.stream, f"task-{job.task_id}"),
                )  # fmt: skip

    def _progress(self, job: JobCreated) -> dict[str, Any]:
        progress = {"assignee_id": job.assignee_id, "stage": job.stage, "state": job.state}
        for event in self._events:
            if isinstance(event.body, JobStateChanged) and event.body.job_id == job.job_id:
                progress |= {"stage": event.body.stage, "state": event.body.state}
            if isinstance(event.body, JobAssigned) and event.body.job_id == job.job_id:
                progress["assignee_id"] = event.body.assignee_id
        return progress

    def _versions(self, *streams: str) -> dict[str, int]:
        return {stream: sum(event.originator_id == stream for event in self._events) for stream in streams}


class MemoryLog:
    """Given events, when a command, then events: `given`, the use case, `then`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clock: Clock = lambda: START + timedelta(seconds=len(self.events))
        """A second later each time that something is recorded."""
        self.ids: Ids = CountingIds()
        self._naive = NaiveLookup(self.events)
        self.lookup: Lookup = self._naive
        self.passwords: Passwords = LegiblePasswords()
        self._versions: Counter[str] = Counter()
        self._given = 0
        self._meanwhile: deque[Callable[[], object]] = deque()
        self._interrupting = False

    def given(self, *bodies: Body) -> None:
        self.record(Context(SYSTEM), bodies)
        self._given = len(self.events)

    @property
    def then(self) -> list[Body]:
        """What was recorded since."""
        return [event.body for event in self.events[self._given :]]

    def meanwhile(self, *actions: Callable[[], object]) -> None:
        """Each happens once, just before a command records what it decided."""
        self._meanwhile.extend(actions)

    def _interrupted(self) -> None:
        if self._meanwhile and not self._interrupting:
            self._interrupting = True
            self._meanwhile.popleft()()
            self._interrupting = False

    def load(self, stream: str, evolve: Callable[[State, Body], State], initial: State) -> tuple[State, int]:
        state = initial
        for event in self.events:
            if event.originator_id == stream:
                state = evolve(state, event.body)
        return state, self._versions[stream]

    def history(self, stream: str, after: int = 0, until: int | None = None) -> Iterator[Event]:
        found = [event for event in self.events if event.originator_id == stream]
        return iter(found[after:until])

    def recorded(self, first: int, last: int) -> Iterator[Event]:
        return iter(self.events[first - 1 : last])

    def record(self, context: Context, bodies: Sequence[Body], expect: Mapping[str, int] | None = None) -> list[Event]:
        self._interrupted()
        for stream, version in (expect or {}).items():
            if self._versions[stream] != version:
                raise VersionConflict(stream, version, self._versions[stream])
        for body in bodies:
            if self._naive.gives_a_taken_name(body):
                raise Conflict("there is a user of this name")
        meta = metadata(context, self.clock())
        recorded = []
        for body in map(through_json, bodies):
            self._versions[body.stream] += 1
            event = Event(body.stream, self._versions[body.stream], body, meta, len(self.events) + 1)
            self.events.append(event)
            recorded.append(event)
        return recorded


def through_json(body: Body) -> Body:
    """What a reader of the log gets; equal to what was written."""
    plain: Any = body
    stored = orjson.loads(orjson.dumps({field.name: getattr(body, field.name) for field in fields(plain)}))
    read = make_body(body.type_name, body.schema_version, stored)
    assert read == body
    return read


def standing_deletions(bodies: Sequence[Body], deleted: type[Any], restored: type[Any]) -> list[Any]:
    """The deletions that nothing has undone."""
    last: dict[str, Body] = {}
    for body in bodies:
        if isinstance(body, deleted):
            last[body.stream] = body
        elif isinstance(body, restored):
            last.pop(body.stream, None)
    return list(last.values())


Kinds = dict[str, dict[int, dict[str, Any]]]
"""kind → object id → object."""


def standing(bodies: Sequence[Body]) -> dict[int, Kinds]:
    """The annotations that are seen, by job: what was drawn, without deleted jobs and labels."""
    hidden_jobs, hidden_labels = set(), set()
    for body in bodies:
        match body:
            case TaskDeleted():
                hidden_jobs.update(body.job_ids)
            case TaskRestored():
                hidden_jobs.difference_update(body.job_ids)
            case JobDeleted():
                hidden_jobs.add(body.job_id)
            case JobRestored():
                hidden_jobs.discard(body.job_id)
            case LabelDeleted():
                hidden_labels.add(body.label_id)
            case LabelRestored():
                hidden_labels.discard(body.label_id)
    return {
        job_id: {
            kind: {item_id: item for item_id, item in objects.items() if item["label_id"] not in hidden_labels}
            for kind, objects in kinds.items()
        }
        for job_id, kinds in drawn(bodies).items()
        if job_id not in hidden_jobs
    }


def _by_type(kind: str, objects: dict[int, dict[str, Any]]) -> dict[str, Held]:
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for item_id in sorted(objects):
        ids[shape_type(kind, objects[item_id])].append(item_id)
    return {name: Held(len(each), each if len(each) <= MAX_OBJECTS else None) for name, each in ids.items()}


def drawn(bodies: Sequence[Body]) -> dict[int, Kinds]:
    """The annotations that stand, seen or not, by job. By definition: one event after the other."""
    jobs: dict[int, Kinds] = {}
    for body in bodies:
        if isinstance(body, AnnotationsReplaced | AnnotationsCleared):
            jobs.pop(body.job_id, None)
        if isinstance(body, AnnotationsChanged | AnnotationsRestored):
            for kind, types in body.removed.items():
                _take_away(jobs, body.job_id, kind, {item_id for ids in types.values() for item_id in ids})
            _draw(jobs, body.job_id, body.updated)
        if isinstance(body, AnnotationsReplaced | AnnotationsChanged | AnnotationsRestored):
            _draw(jobs, body.job_id, body.created)
        if isinstance(body, TaskPurged):
            for job_id in body.job_ids:
                jobs.pop(job_id, None)
    return jobs


def _draw(jobs: dict[int, Kinds], job_id: int, document: dict[str, list[dict[str, Any]]]) -> None:
    for kind, items in document.items():
        jobs.setdefault(job_id, {}).setdefault(kind, {}).update({item["id"]: item for item in items})


def _take_away(jobs: dict[int, Kinds], job_id: int, kind: str, ids: set[int]) -> None:
    objects = jobs.get(job_id, {}).get(kind, {})
    for item_id in ids & objects.keys():
        del objects[item_id]
