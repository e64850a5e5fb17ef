"""State by inline projection is state by a fresh fold, whatever happened and however the events fall into batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System, connect
from domain.event import Event
from domain.job import STAGES, STATES, status
from domain.project import NewProject
from domain.task import NewTask
from infra.eventlog.reader import LogReader
from projections.projection import ProjectionSet
from projections.rebuild import create_tables
from projections.registry import REGISTRY
from projections.resources import JOBS, PROJECTS, TASKS

from ..unit.domain import given as events
from ..unit.domain.memory_log import standing
from .databases import new_database
from .histories import BEGINNING, ME, STEPS, History, tables

PROJECTIONS = list(REGISTRY.values())


@pytest.fixture
def scratch(system: System) -> Iterator[Connection[DictRow]]:
    """A connection whose unqualified tables are those of a schema of its own."""
    with system.database.connect() as connection:
        yield connection


def folded(scratch: Connection[DictRow], sizes: list[int]) -> dict[str, list[bytes]]:
    """The tables after a fold of the whole log in batches of these sizes, in turn."""
    with scratch.cursor() as cursor:
        create_tables(cursor, "scratch", PROJECTIONS)
        log, number = everything(scratch), 0
        while log:
            size = sizes[number % len(sizes)]
            ProjectionSet(PROJECTIONS).apply(cursor, log[:size])
            log, number = log[size:], number + 1
    return tables(scratch, PROJECTIONS, "scratch")


def everything(connection: Connection[DictRow]) -> list[Event]:
    return [event for batch in LogReader().read(connection, 0, 2**62) for event in batch]


def start_anew(system: System) -> None:
    names = ["log.events", *(f"{one.schema}.{table.name}" for one in PROJECTIONS for table in one.tables)]
    with system.database.connection() as connection:
        connection.execute("SET session_replication_role = replica")  # without the trigger that guards the log
        connection.execute(f"TRUNCATE {', '.join(names)}".encode())
        connection.execute("RESET session_replication_role")
    # Its cache goes by positions, which begin anew.
    system.app.lookup._labels.clear()  # type: ignore[attr-defined]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 10_000)), max_size=30),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
)
def test_any_history_folds_to_the_same_tables(
    system: System, scratch: Connection[DictRow], steps: list[tuple[str, int]], sizes: list[int]
) -> None:
    start_anew(system)
    History(system).live(BEGINNING + steps)
    live = tables(scratch, PROJECTIONS)
    assert live == folded(scratch, sizes)
    assert live == folded(scratch, [10_000])
    expected = standing([event.body for event in everything(scratch)])
    assert drawn(system) == {
        (item_id, job_id, kind): item
        for job_id, kinds in expected.items()
        for kind, objects in kinds.items()
        for item_id, item in objects.items()
    }


def drawn(system: System) -> dict[tuple[int, int, str], Any]:
    rows = system.database.query(
        "SELECT o.id, o.job_id, o.kind, o.doc::json FROM annotation_objects o JOIN jobs j ON j.id = o.job_id"
        " WHERE o.label_id NOT IN (SELECT id FROM labels_discarded)"
    )
    return {(row["id"], row["job_id"], row["kind"]): row["doc"] for row in rows}


def test_the_beginning_of_the_histories_reaches_every_table(system: System, scratch: Connection[DictRow]) -> None:
    """Else the test above would compare nothing with nothing."""
    History(system).live(BEGINNING)
    empty = {name for name, rows in tables(scratch, PROJECTIONS).items() if not rows}
    assert {name for name in empty if not name.endswith("_discarded")} == set()


def test_what_many_do_at_the_same_time_folds_to_the_same_tables(system: System, scratch: Connection[DictRow]) -> None:
    """Here the batches of the inline projections are as large as they come."""
    History(system).live(BEGINNING * 3)
    failures: list[BaseException] = []

    def live(seed: int) -> None:
        random = Random(seed)
        try:
            History(system).live([(random.choice(STEPS), random.randrange(10_000)) for _ in range(40)])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=live, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    transactions = scratch.execute("SELECT count(DISTINCT xmin::text) AS n, max(position) FROM log.events").fetchone()
    assert transactions is not None
    assert transactions["n"] < transactions["max"], "some saves were written together"
    content = tables(scratch, PROJECTIONS)
    assert content == folded(scratch, [10_000])
    assert content == folded(scratch, [1])


def test_the_status_of_a_task_follows_from_all_its_jobs(system: System) -> None:
    """Any in annotation: annotation; else any in validation: validation; else completed (CVAT contract 3.5)."""
    places = list(product(STAGES, STATES))
    mixtures = [[], *([place] for place in places), *combinations_with_replacement(places, 2)]
    bodies: list[Any] = []
    expected = {}
    for task_id, mixture in enumerate(mixtures, 1):
        jobs = [(task_id * 10 + number, *place) for number, place in enumerate(mixture)]
        bodies += [events.task(task_id)]
        bodies += [events.job(job_id, task_id, stage=stage, state=state) for job_id, stage, state in jobs]
        statuses = {status(stage, state) for stage, state in mixture}
        expected[task_id] = next((s for s in ("annotation", "validation", "completed") if s in statuses), "annotation")
    system.app.record(ME, bodies)
    tasks = system.database.query(TASKS.base)
    assert {row["id"]: row["status"] for row in tasks} == expected
    assert all(row["status"] == status(row["stage"], row["state"]) for row in system.database.query(JOBS.base))


TOUCHED = [
    ("job state", {"job", "task", "project"}, lambda app, it: app.jobs.update(ME, it.job_id, state="completed")),
    ("job assignee", {"job", "task", "project"}, lambda app, it: app.jobs.update(ME, it.job_id, assignee_id=1)),
    ("drawing", {"job", "task", "project"}, lambda app, it: app.annotations.create(ME, it.job_id, it.drawing)),
    ("replacing", {"job", "task", "project"}, lambda app, it: app.annotations.replace(ME, it.job_id, it.drawing)),
    ("clearing", {"job", "task", "project"}, lambda app, it: app.annotations.clear(ME, it.job_id)),
    ("a label of the project", {"task", "project"}, lambda app, it: app.labels.delete(ME, it.label_id)),
    ("task name", {"task", "project"}, lambda app, it: app.tasks.update(ME, it.task_id, {"name": "dogs"})),
    ("nothing drawn", set(), lambda app, it: app.annotations.create(ME, it.job_id, {})),
    ("nothing removed", set(), lambda app, it: app.annotations.delete(ME, it.job_id, {"shapes": [it.unknown]})),
    ("same state", set(), lambda app, it: app.jobs.update(ME, it.job_id, state="new")),
    ("same name", set(), lambda app, it: app.tasks.update(ME, it.task_id, {"name": "cats"})),
    ("another task", {"project"}, lambda app, it: app.tasks.create(ME, NewTask("more", [], it.project_id))),
    ("task gone", {"project"}, lambda app, it: app.tasks.delete(ME, it.task_id)),
]


@pytest.fixture(scope="module")
def office(postgres: str) -> Iterator[System]:
    """A database that several tests share. Each makes a place of its own."""
    with new_database(postgres) as url:
        system = connect(url)
        system.app.record(ME, [events.user(1)])
        yield system
        system.close()


class Place:
    """A job with one object, in a task of a project."""

    def __init__(self, system: System) -> None:
        app = system.app
        self._query = system.database.query
        self.project_id = app.projects.create(ME, NewProject("animals", [{"name": "cat"}]))
        self.task_id = app.tasks.create(ME, NewTask("cats", [], self.project_id))
        (self.job_id,) = app.ids.many("job", 1)
        app.record(ME, [events.job(self.job_id, self.task_id, project_id=self.project_id)])
        (label,) = self._query("SELECT id FROM labels WHERE project_id = %s", (self.project_id,))
        self.label_id = label["id"]
        self.drawing = {"shapes": [events.rectangle(1, label_id=label["id"])]}
        self.unknown = events.rectangle(1, label_id=label["id"], id=1)
        app.annotations.create(ME, self.job_id, self.drawing)

    def dates(self) -> dict[str, dict[int, datetime]]:
        bases = {"job": JOBS.base, "task": TASKS.base, "project": PROJECTS.base}
        return {
            noun: {row["id"]: row["updated_date"] for row in self._query(b"SELECT id, updated_date FROM (%b) t" % base)}
            for noun, base in bases.items()
        }


@pytest.mark.parametrize(("moved", "command"), [pytest.param(*case[1:], id=case[0]) for case in TOUCHED])
def test_every_write_moves_the_updated_date_of_the_object_and_of_what_it_is_in(
    office: System, moved: set[str], command: Any
) -> None:
    """And of nothing else; what stores and removes nothing moves none (CVAT contract 3.5)."""
    place = Place(office)
    before = place.dates()
    command(office.app, place)
    after = place.dates()
    here = {("job", place.job_id), ("task", place.task_id), ("project", place.project_id)}
    standing = {(noun, key) for noun in before for key in before[noun].keys() & after[noun].keys()}
    later = {(noun, key) for noun, key in standing if after[noun][key] > before[noun][key]}
    assert later == {(noun, key) for noun, key in here if noun in moved}
    assert all(after[noun][key] == before[noun][key] for noun, key in standing - later)
