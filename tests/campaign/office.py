"""The manager, who opens projects and tasks, and the agents that prepare them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from domain.annotation.document import LabelSpecs
from domain.data import creation_id
from domain.event import SYSTEM, Context
from domain.events.data import DataUploaded, FilesReceived, Frame, FramesAdded, JobsSplit, ReceivedFile, UploadStarted
from domain.events.job import JobCreated
from domain.events.label import LabelsAdded
from domain.events.project import ProjectCreated
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestQueued, RequestStarted
from domain.events.task import TaskCreated
from domain.label_spec import define
from domain.ports import JobPlace

from .board import Board, Card
from .drawing import HEIGHT, LABELS, WIDTH
from .tape import Tape

JOBS, FRAMES = 10, 10
"""Jobs of a task, frames of a job."""
FAILS, DIES = 3, 5
"""The import of this task, counted from 1, fails first; the agent of that one stops working on it."""
LOOKS = timedelta(minutes=5)
"""After so long the manager looks again whether there is enough to do."""

AGENT = Context(SYSTEM, "worker")
Times = Iterator[datetime]


class Office:
    """`planned`: tasks, most of them on the first day; more are opened whenever people run out of work."""

    def __init__(self, tape: Tape, board: Board, manager: Context, random: Random, planned: int, people: int) -> None:
        self._tape, self._board, self._manager, self._random = tape, board, manager, random
        self._planned, self._enough = planned, 2 * people
        self._agents = [datetime.min.replace(tzinfo=tape.now.tzinfo)] * max(2, planned // 150)
        self._projects: list[tuple[int, list[Any], LabelSpecs]] = []
        self._preparing = self._opened = 0
        self.imports: list[Times] = []
        """What agents have begun since somebody looked."""

    def open_projects(self) -> None:
        for name, labels in LABELS.items():
            project_id = self._tape.ids.one("project")
            specs = define(labels, self._tape.ids)
            created = ProjectCreated(project_id, name, self._manager.actor.user_id, None, "", None, None, None)
            self._tape.record(self._manager, [created, LabelsAdded(project_id, None, specs)])
            self._projects.append((project_id, specs, LabelSpecs.from_rows(specs)))

    def manage(self, mornings: list[datetime]) -> Times:
        """Opens tasks: those that are due by the plan, and more when work runs out."""
        share = [0.45] + [0.55 / max(1, len(mornings) - 1)] * (len(mornings) - 1)
        for number, morning in enumerate(mornings):
            due = self._planned * sum(share[: number + 1])
            yield max(morning, self._tape.now)
            while self._tape.now < morning + timedelta(hours=8.5):
                hours = (self._tape.now - morning) / timedelta(hours=1)
                by_now = due - self._planned * share[number] * max(0.0, 1 - (hours + 0.2) / 2)
                while self._opened < by_now or len(self._board.new) + self._preparing * JOBS < self._enough:
                    self._open_task()
                    yield self._tape.now + timedelta(seconds=self._random.uniform(0.2, 2))
                yield self._tape.now + LOOKS

    def open_trial(self) -> int:
        """A task that nobody works on, without data."""
        return self._create(self._projects[0][0], "trial run")

    def _open_task(self) -> None:
        self._opened += 1
        project = self._projects[self._opened % len(self._projects)]
        task_id = self._create(project[0], f"batch {self._opened:03}")
        files = [
            ReceivedFile(
                name=f"{n:04}.jpg", sha256=f"{task_id:032x}{n:032x}", size=self._random.randint(90_000, 400_000)
            )
            for n in range(JOBS * FRAMES)
        ]
        self._tape.record(self._manager, [UploadStarted(task_id), FilesReceived(task_id, files)])
        self._preparing += 1
        self.imports.append(self._import(task_id, project, files, self._opened))

    def _create(self, project_id: int, name: str) -> int:
        (task_id,) = self._tape.ids.many("task", 1)
        owner = self._manager.actor.user_id
        created = TaskCreated(task_id, project_id, name, owner, None, "", "train", FRAMES, None, 0, None, None, None)
        self._tape.record(self._manager, [created])
        return task_id

    def _import(self, task_id: int, project: tuple[int, list[Any], LabelSpecs], files: list[Any], number: int) -> Times:
        request_id = creation_id(task_id)
        yield from self._attempt(task_id, project[0], request_id, 1)
        if number == DIES:
            yield self._tape.now + timedelta(seconds=45)
            self._tape.record(
                AGENT, [LeaseExpired(request_id, "agent-import-0", self._tape.now - timedelta(seconds=30))]
            )
            yield self._tape.now + timedelta(seconds=2)
            self._tape.record(AGENT, [RequestStarted(request_id, "agent-import-1", 2)])
        if number == FAILS:
            self._tape.record(
                AGENT, [RequestFailed(request_id, task_id, "0017.jpg is damaged: it ends after 4 of 12 rows")]
            )
            yield self._tape.now + timedelta(minutes=9)
            yield from self._attempt(task_id, project[0], request_id, 1)
        self._prepare(task_id, project, files, request_id)

    def _attempt(self, task_id: int, project_id: int, request_id: str, attempt: int) -> Times:
        """Queued, and taken up by the first agent that is free."""
        manager = self._manager.actor
        self._tape.record(
            self._manager,
            [RequestQueued(request_id, "import", "create", "task", "", manager.user_id, manager.username, project_id,
                           task_id, None, {})],
        )  # fmt: skip
        agent = min(range(len(self._agents)), key=self._agents.__getitem__)
        begin = max(self._tape.now + timedelta(milliseconds=80), self._agents[agent])
        end = begin + timedelta(seconds=self._random.lognormvariate(1.8, 0.6))
        self._agents[agent] = end
        yield begin
        self._tape.record(AGENT, [RequestStarted(request_id, f"agent-import-{agent}", attempt)])
        yield end

    def _prepare(self, task_id: int, project: Any, files: list[ReceivedFile], request_id: str) -> None:
        project_id, labels, specs = project
        size = len(files)
        frames = [Frame(**file, width=WIDTH, height=HEIGHT) for file in files]
        uploaded = DataUploaded(
            task_id, project_id, size, 70, 36, 0, size - 1, "", "lexicographical", "image", "annotation", "2d",
            "imageset", "imageset", {},
        )  # fmt: skip
        job_ids = self._tape.ids.many("job", JOBS)
        cards, jobs = [], []
        for number, job_id in enumerate(job_ids):
            first, last = number * FRAMES, number * FRAMES + FRAMES - 1
            jobs.append(JobCreated(job_id, task_id, project_id, job_id, "annotation", first, last, None, "annotation",
                                   "new", None))  # fmt: skip
            cards.append(Card(JobPlace(job_id, task_id, project_id, first, last, specs), labels))
        split = JobsSplit(task_id, FRAMES, 0, JOBS)
        end = RequestFinished(request_id, task_id, {})
        self._tape.record(AGENT, [uploaded, FramesAdded(task_id, 0, frames), split, *jobs, end])
        self._preparing -= 1
        self._board.open(cards)
