"""Random histories: what people might do with the use cases, in any order, driven by a list of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System
from domain.data import Prepared, creation_id
from domain.errors import Conflict, Invalid, NotFound, RequestInProgress, VersionConflict
from domain.event import Actor, Context
from domain.events.job import JobDeleted
from domain.events.label import LabelChanged, LabelSpec
from domain.events.project import ProjectChanged
from domain.job import STAGES, STATES
from domain.project import NewProject
from domain.saves import Moment
from domain.splitting import Segment, Split
from domain.task import NewTask
from projections.projection import Projection

from ..unit.domain import given
from ..unit.domain.memory_log import LegiblePasswords

ME = Context(Actor(1, "ann"))
FRAMES = 10
ATTRIBUTE = {"name": "age", "input_type": "select", "values": ["1", "2"], "mutable": True}
LABELS: list[dict[str, Any]] = [{"name": "cat", "attributes": [ATTRIBUTE]}, {"name": "dog"}]


class History:
    """Somebody who does things at random. Refusals are part of life; everything else is a defect."""

    def __init__(self, system: System) -> None:
        self.app = system.app
        self.app.passwords = LegiblePasswords()
        self._query = system.database.query

    def live(self, steps: list[tuple[str, int]]) -> None:
        """`steps`: what to do, and a number from which every choice follows."""
        for step, number in steps:
            with suppress(NotFound, Invalid, VersionConflict, RequestInProgress):
                getattr(self, step)(Random(number))

    def person(self, random: Random) -> None:
        user_id = self.app.users.register(ME, f"user{random.randrange(50)}", "secret-word")
        login = self.app.users.log_in(ME, user_id)
        after: list[Callable[[], object]] = [
            lambda: self.app.users.log_out(ME, user_id, login.login_id),
            lambda: self.app.users.change_password(ME, user_id, "another-word"),
            lambda: self.app.users.log_in(ME, user_id),
        ]
        random.choice(after)()

    def project(self, random: Random) -> None:
        self.app.projects.create(ME, NewProject("animals", LABELS[: random.randrange(3)]))

    def task(self, random: Random) -> None:
        project_id = self._one("projects", random) if random.random() < 0.4 else None
        labels = [] if project_id else LABELS
        self.app.tasks.create(ME, NewTask("cats", labels, project_id, consensus_replicas=random.choice([0, 0, 0, 2])))

    def data(self, random: Random) -> None:
        """A task gets its data; now and then its agent fails, or another one was faster."""
        with suppress(Conflict):
            self._data(random)

    def _data(self, random: Random) -> None:
        task_id = self._one("tasks", random)
        self.app.data.start_upload(ME, task_id)
        self.app.data.receive(ME, task_id, [given.file("a.jpg")] * 2)
        self.app.data.submit(ME, task_id, {}, [])
        request = self.app.requests.start(ME, creation_id(task_id), "agent")
        if random.random() < 0.2:
            self.app.requests.expire(ME, creation_id(task_id), "agent", None)
            request = self.app.requests.start(ME, creation_id(task_id), "agent")
        if random.random() < 0.2:
            self.app.requests.fail(ME, request, "a.jpg is damaged")
            return
        starts = range(0, FRAMES, random.randint(3, FRAMES))
        segments = tuple(Segment(start, min(start + 5, FRAMES - 1)) for start in starts)
        frames = [given.frame(f"{number}.jpg") for number in range(FRAMES)]
        prepared = Prepared(frames, Split(5, 0, segments), given.uploaded(task_id, FRAMES))
        self.app.requests.finish(ME, request, self.app.data.prepared(self.app.data.task(task_id), prepared), {})

    def edit(self, random: Random) -> None:
        changes: list[dict[str, Any]] = [
            {"name": "dogs"},
            {"assignee_id": self._one("users", random)},
            {"assignee_id": None},
            {"subset": "a"},
        ]
        self.app.tasks.update(ME, self._one("tasks", random), random.choice(changes))

    def rename(self, random: Random) -> None:
        project_id = self._one("projects", random)
        changes = {"assignee_id": {"from": None, "to": random.choice([None, 1])}}
        self.app.record(ME, [ProjectChanged(project_id, changes)])

    def remove(self, random: Random) -> None:
        self.app.tasks.delete(ME, self._one("tasks", random))

    def remove_more(self, random: Random) -> None:
        """A whole project goes, or one job of a task."""
        if random.random() < 0.5:
            self.app.projects.delete(ME, self._one("projects", random))
            return
        job = self._row("jobs", random)
        body = JobDeleted(job["id"], job["task_id"], job["project_id"], job["stage"], job["state"])
        self.app.record(ME, [body])

    def restore(self, random: Random) -> None:
        """Something deleted comes back, unless what it belongs to is gone."""
        noun = random.choice(["projects", "tasks", "jobs", "labels"])
        row = self._row(f"{noun}_discarded", random)
        with suppress(Conflict):
            getattr(self.app, noun).restore(ME, row["id"])

    def purge(self, random: Random) -> None:
        with suppress(Conflict):
            self.app.tasks.purge(ME, self._one("tasks_discarded", random))

    def work(self, random: Random) -> None:
        stage, state = random.choice([*STAGES, None]), random.choice([*STATES, None])
        self.app.jobs.update(ME, self._one("jobs", random), stage=stage, state=state)

    def assign(self, random: Random) -> None:
        user_id = self._one("users", random) if random.random() < 0.7 else None
        self.app.jobs.update(ME, self._one("jobs", random), assignee_id=user_id)

    def draw(self, random: Random) -> None:
        self.app.annotations.create(ME, *self._drawing(random))

    def redraw(self, random: Random) -> None:
        """Some objects are changed, and some are new."""
        job_id, document = self._drawing(random)
        standing = self._query("SELECT id, kind FROM annotation_objects WHERE job_id = %s ORDER BY id", (job_id,))
        for row in random.sample(standing, min(len(standing), 2)):
            if items := document.get(row["kind"]):
                random.choice(items)["id"] = row["id"]
        self.app.annotations.update(ME, job_id, document)

    def replace(self, random: Random) -> None:
        self.app.annotations.replace(ME, *self._drawing(random))

    def erase(self, random: Random) -> None:
        job_id = self._one("jobs", random)
        rows = self._query("SELECT kind, doc::json FROM annotation_objects WHERE job_id = %s ORDER BY id", (job_id,))
        document: dict[str, list[Any]] = {}
        for row in random.sample(rows, len(rows) // 2):
            document.setdefault(row["kind"], []).append(row["doc"])
        self.app.annotations.delete(ME, job_id, document)

    def clear(self, random: Random) -> None:
        self.app.annotations.clear(ME, self._one("jobs", random))

    def bring_back(self, random: Random) -> None:
        """What was drawn in a job goes back to what it was."""
        job = self._row("jobs", random)
        version = random.randint(0, job["annotations_version"])
        self.app.annotation_restoration.restore(ME, job["id"], Moment(version))

    def draw_in_task(self, random: Random) -> None:
        job_id, document = self._drawing(random)
        method = random.choice([self.app.annotations.create_in_task, self.app.annotations.replace_in_task])
        for row in self._query("SELECT task_id FROM jobs WHERE id = %s", (job_id,)):  # unless it is gone meanwhile
            method(ME, row["task_id"], document)

    def relabel(self, random: Random) -> None:
        """A label gets another name and points below it; now and then it goes, with what was drawn with it."""
        row = self._row("labels", random)
        if random.random() < 0.3:
            self.app.labels.delete(ME, row["id"])
            return
        points = [LabelSpec(id=row["id"] + 10**6, name="head", color="#000000", type="points", attributes=[])]
        label = LabelSpec(id=row["id"], name="lynx", color="#ffffff", type="skeleton", attributes=row["attributes"])
        label["sublabels"] = random.choice([[], points])
        self.app.record(ME, [LabelChanged(row["project_id"], row["task_id"], label, {})])

    def _drawing(self, random: Random) -> tuple[int, dict[str, list[dict[str, Any]]]]:
        job_id = self._one("jobs", random)
        labels = [label.id for label in self.app.lookup.job_place(job_id).labels.by_id.values() if not label.sublabels]
        if not labels:
            raise NotFound
        shapes = [
            {
                "type": random.choice(["rectangle", "ellipse"]),
                "frame": random.randrange(FRAMES),
                "label_id": random.choice(labels),
                "points": [1, 2.5, 3, 4],
            }
            for _ in range(random.randrange(4))
        ]
        keyframes = [{"type": "rectangle", "frame": 1, "points": [1, 2, 3, 4]}]
        tag = {"frame": 1, "label_id": random.choice(labels)}
        tracks = [tag | {"shapes": keyframes}] * random.randrange(2)
        return job_id, {"shapes": shapes, "tags": [dict(tag) for _ in range(random.randrange(2))], "tracks": tracks}

    def _one(self, table: str, random: Random) -> int:
        return int(self._row(table, random)["id"])

    def _row(self, table: str, random: Random) -> dict[str, Any]:
        rows = self._query(f"SELECT * FROM {table} ORDER BY id".encode())
        if not rows:
            raise NotFound
        return random.choice(rows)


STEPS = [name for name in vars(History) if not name.startswith("_") and name != "live"]
"""Everything that somebody can do."""

BEGINNING = [("person", 1), ("project", 2), ("task", 0), ("data", 5), ("draw", 5)]


def tables(
    connection: Connection[DictRow], projections: Sequence[Projection], schema: str | None = None
) -> dict[str, list[bytes]]:
    """Every row of every table, as JSON text, in the order of the keys. `schema`: None for the live ones."""
    content = {}
    for projection in projections:
        for table in projection.tables:
            name = f"{schema or projection.schema}.{table.name}"
            rows = connection.execute(f"SELECT * FROM {name} ORDER BY {', '.join(table.primary_key)}".encode())
            content[table.name] = [orjson.dumps(row) for row in rows]
    return content
