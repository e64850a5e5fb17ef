"""Random histories: what people might do with the use cases, in any order, driven by a list of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System
from domain.data import Prepared, creation_id
from domain.errors import Conflict, Invalid, NotFound, RequestInProgress, VersionConflict
from domain.event import Actor, Context
from domain.events.data import RelatedImage, VideoAdded
from domain.events.job import JobDeleted
from domain.issue import NewIssue
from domain.job import STAGES, STATES
from domain.project import NewProject
from domain.saves import Moment
from domain.splitting import Segment, Split
from domain.target import Target
from domain.task import NewTask
from domain.user import ROLES
from domain.validation.selection import Amount, Sampling
from domain.validation.setup import Plan
from domain.validation_layout import Redraw
from projections.projection import Projection

from ..unit.domain import given
from ..unit.domain.memory_log import LegiblePasswords

ME = Context(Actor(1, "ann"))
FRAMES = 10
ATTRIBUTE = {"name": "age", "input_type": "select", "values": ["1", "2"], "mutable": True}
POINTS = [{"name": "head", "type": "points"}]
LABELS: list[dict[str, Any]] = [
    {"name": "cat", "attributes": [ATTRIBUTE]},
    {"name": "dog"},
    {"name": "person", "type": "skeleton", "sublabels": POINTS, "svg": '<circle data-label-name="head"/>'},
]


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
            lambda: self.app.users.change_password(ME, user_id, "another-word", keep_login=login.login_id),
            lambda: self.app.users.update(ME, user_id, profile={"username": f"user{random.randrange(50)}"}),
        ]
        random.choice(after)()

    def staff(self, random: Random) -> None:
        """Somebody gets another role, is locked out or let in, or leaves."""
        user_id = self._one("users", random)
        with suppress(Conflict):
            if random.random() < 0.3:
                self.app.users.delete(ME, user_id)
            else:
                active = random.choice([True, False, None])
                self.app.users.update(ME, user_id, role=random.choice(ROLES), is_active=active)

    def script(self, random: Random) -> None:
        """Somebody gets an access token; or one that there is changes, is used or is revoked."""
        if random.random() < 0.5:
            self.app.access_tokens.create(ME, self._one("users", random), "import", read_only=random.random() < 0.5)
            return
        token_id = self._one("access_tokens", random)
        after: list[Callable[[], object]] = [
            lambda: self.app.access_tokens.update(ME, token_id, {"name": f"import {random.randrange(9)}"}),
            lambda: self.app.access_tokens.note_use(ME, token_id),
            lambda: self.app.access_tokens.revoke(ME, token_id),
        ]
        random.choice(after)()

    def project(self, random: Random) -> None:
        self.app.projects.create(ME, NewProject("animals", LABELS[: random.randrange(4)]))

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
        honeypots = {0: FRAMES - 1} if random.random() < 0.3 else {}
        last = FRAMES - 1 - len(honeypots)
        starts = range(0, last + 1, random.randint(3, FRAMES))
        segments = tuple(Segment(start, min(start + 5, last)) for start in starts)
        uploaded, split = given.uploaded(task_id, FRAMES), Split(5, 0, segments)
        frames = [given.frame(f"{number}.jpg") for number in range(FRAMES)]
        plan = Plan("gt_pool", list(honeypots.values()), 1, honeypots) if honeypots else None
        prepared = Prepared(uploaded, split, frames, validation=plan)
        if not honeypots and random.random() < 0.3:
            video = VideoAdded(task_id, given.file("a.mp4"), given.file("index"), 640, 480, FRAMES)
            prepared = Prepared(uploaded, split, video=video)
        elif random.random() < 0.3:
            prepared = replace(prepared, related=[RelatedImage(frame=1, name="depth.png", sha256="ab", size=10)])
        self.app.requests.finish(ME, request, self.app.data.prepared(self.app.data.task(task_id), prepared), {})

    def leave_out(self, random: Random) -> None:
        """Frames are deleted, and come back."""
        frames = sorted(random.sample(range(FRAMES), random.randrange(3)))
        if random.random() < 0.5:
            self.app.deleted_frames.replace(ME, self._one("tasks", random), frames)
        else:
            self.app.deleted_frames.replace_in_job(ME, self._one("jobs", random), frames)

    def check(self, random: Random) -> None:
        """Ground truth is added to a task; or what it is used for changes."""
        task_id = self._one("tasks", random)
        if random.random() < 0.5:
            frames = Amount(random.randint(1, FRAMES))
            self.app.ground_truth.create(ME, task_id, Sampling("random_uniform", frames, random.randrange(100)))
            return
        disabled = random.sample(range(FRAMES), 1)
        self.app.validation_layouts.change(ME, task_id, random.choice([disabled, []]))
        self.app.validation_layouts.change(ME, task_id, redraw=Redraw("random_uniform", random.randrange(100)))

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
        changes: list[dict[str, Any]] = [{"assignee_id": None}, {"assignee_id": 1}, {"name": "birds"}]
        labels = random.choice([[], [{"name": f"label {random.randrange(9)}"}]])
        self.app.projects.update(ME, project_id, random.choice(changes), labels)

    def move(self, random: Random) -> None:
        """A task goes to a project, if that has labels for it."""
        self.app.tasks.update(ME, self._one("tasks", random), {}, project_id=self._one("projects", random))

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
        """A label is edited; now and then it goes, with what was drawn with it."""
        label_id = self._one("labels", random)
        if random.random() < 0.3:
            self.app.labels.delete(ME, label_id)
            return
        attribute = {"name": f"attribute {random.randrange(3)}", "input_type": "text", "values": ["x"]}
        edits: list[dict[str, Any]] = [
            {"color": "#000000"},
            {"name": random.choice(["cat", "dog", "lynx"])},
            {"attributes": [attribute]},
            {"sublabels": [{"name": random.choice(["head", "tail"])}]},
        ]
        self.app.labels.update(ME, label_id, random.choice(edits))

    def review(self, random: Random) -> None:
        """Somebody finds something in a job; or talks about what was found, or is done with it."""
        issues = self.app.issues
        if random.random() < 0.4:
            issues.open(ME, NewIssue(self._one("jobs", random), 1, [1.5, 2.0], "Is this a cat?"))
            return
        comment = self._row("comments", random)
        issue_id = comment["issue_id"]
        after: list[Callable[[], object]] = [
            lambda: issues.comment(ME, issue_id, "A dog."),
            lambda: issues.edit_comment(ME, issue_id, comment["id"], random.choice(["A dog?", "A lynx."])),
            lambda: issues.delete_comment(ME, issue_id, comment["id"]),
            lambda: issues.update(ME, issue_id, {"assignee_id": 1}, resolved=random.choice([True, False, None])),
            lambda: issues.delete(ME, issue_id),
        ]
        random.choice(after)()

    def export(self, random: Random) -> None:
        """Somebody asks for a file; some call it off."""
        task_id = self._one("tasks", random)
        key = self.app.exports.queue(ME, Target("task", task_id=task_id), "CVAT for images 1.1", save_images=False)
        if random.random() < 0.5:
            self.app.requests.cancel(ME, key)
            return
        request = self.app.requests.start(ME, key, "agent")
        self.app.requests.finish(ME, request, [], {"sha256": "ab", "filename": "a.zip"})

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

BEGINNING = [
    ("person", 1),
    ("script", 1),
    ("project", 2),
    ("task", 0),
    ("data", 8),
    ("draw", 5),
    ("review", 1),
    ("task", 0),
    ("data", 12),
    ("relabel", 14),
]


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
