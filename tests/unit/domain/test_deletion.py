"""What is deleted can come back, with what went with it, unless something is in its way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import Conflict, Invalid, NotFound
from domain.event import Actor, Body, Context
from domain.events.issue import DeletedComment, GoneIssue
from domain.events.job import JobDeleted, JobRestored
from domain.events.label import LabelDeleted, LabelRestored, LabelsAdded, LabelSpec, NamedLabel
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskPurged, TaskRestored
from domain.issue import Issues, NewIssue
from domain.job import Jobs
from domain.label import Labels
from domain.project import Projects
from domain.task import NewTask, Tasks

from . import given
from .memory_log import MemoryLog

ANN = Context(Actor(1, "ann"))
GROUND_TRUTH = "ground_truth"
CAT, EAR = NamedLabel(id=1, name="cat"), NamedLabel(id=2, name="ear")


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def test_a_task_comes_back_with_the_jobs_that_went_with_it(log: MemoryLog) -> None:
    log.given(given.task(7), given.job(5), given.job(6))
    tasks = Tasks(log)
    tasks.delete(ANN, 7)
    tasks.restore(ANN, 7)
    assert log.then == [TaskDeleted(7, None, "cats", [5, 6], []), TaskRestored(7, None, "cats", [5, 6], 4, [])]
    assert tasks.require(7)[1] == 3
    tasks.delete(ANN, 7)
    tasks.restore(ANN, 7)
    assert log.then[-1] == TaskRestored(7, None, "cats", [5, 6], 6, [])


def test_a_project_goes_and_comes_back_with_its_tasks(log: MemoryLog) -> None:
    log.given(given.project(3), given.task(7, 3), given.task(8, 3), given.task(9), TaskDeleted(8, 3, "cats", [], []))
    projects = Projects(log)
    projects.delete(ANN, 3)
    assert log.then == [TaskDeleted(7, 3, "cats", [], []), ProjectDeleted(3, "animals", [7], [])]
    projects.restore(ANN, 3)
    assert log.then[2:] == [ProjectRestored(3, "animals", 7, []), TaskRestored(7, 3, "cats", [], 6, [])]
    with pytest.raises(NotFound):
        Tasks(log).require(8)


def test_what_has_labels_tells_of_them_when_it_goes_and_comes_back(log: MemoryLog) -> None:
    skeleton = {**given.label(1, "cat"), "type": "skeleton", "sublabels": [given.label(2, "ear")]}
    log.given(given.project(3), given.labels(skeleton, project_id=3), given.task(7, 3))
    log.given(given.task(8), given.labels(given.label(4, "dog"), given.label(5, "fox"), task_id=8))
    log.given(LabelDeleted(None, 8, 5, "fox", []))
    of_project, of_task = [CAT, EAR], [NamedLabel(id=4, name="dog")]
    Projects(log).delete(ANN, 3)
    assert log.then == [TaskDeleted(7, 3, "cats", [], []), ProjectDeleted(3, "animals", [7], of_project)]
    Tasks(log).delete(ANN, 8)
    assert log.then[-1] == TaskDeleted(8, None, "cats", [], of_task)
    Projects(log).restore(ANN, 3)
    assert log.then[3:] == [ProjectRestored(3, "animals", 8, of_project), TaskRestored(7, 3, "cats", [], 7, [])]
    Tasks(log).restore(ANN, 8)
    assert log.then[-1] == TaskRestored(8, None, "cats", [], 9, of_task)
    labels = Labels(log)
    labels.delete(ANN, 1)
    labels.restore(ANN, 1)
    assert log.then[-2:] == [LabelDeleted(3, None, 1, "cat", [EAR]), LabelRestored(3, None, 1, "cat", 13, [EAR])]


def test_issues_go_and_come_back_with_their_job_task_or_project(log: MemoryLog) -> None:
    log.given(given.project(3), given.task(7, 3), given.job(5, type=GROUND_TRUTH), given.job(6))
    issues, jobs = Issues(log), Jobs(log)
    of_job, of_task = (issues.open(ANN, NewIssue(job_id, 0, [1.0, 2.0], "A cat?")) for job_id in (5, 6))
    issues.delete_comment(ANN, of_task, issues.comment(ANN, of_task, "No."))
    issues.delete(ANN, issues.open(ANN, NewIssue(6, 0, [1.0, 2.0], "Gone before.")))
    first = GoneIssue(id=of_job, job_id=5, comments=[DeletedComment(id=1, message="A cat?")])
    second = GoneIssue(id=of_task, job_id=6, comments=[DeletedComment(id=2, message="A cat?")])
    gone = (5, 7, 3, "annotation", "new")
    before = len(log.then)
    jobs.delete(ANN, 5)
    position = len(log.events)
    jobs.restore(ANN, 5)
    assert log.then[before:] == [JobDeleted(*gone, [first]), JobRestored(*gone, position, [first])]
    jobs.delete(ANN, 5)
    Projects(log).delete(ANN, 3)
    went = len(log.events) - 1
    Projects(log).restore(ANN, 3)
    assert log.then[-4] == TaskDeleted(7, 3, "cats", [6], [], [second]), "the other went with its job"
    assert log.then[-1] == TaskRestored(7, 3, "cats", [6], went, [], [second])


def test_a_task_that_was_purged_does_not_come_back_with_its_project(log: MemoryLog) -> None:
    log.given(given.project(3), given.task(7, 3))
    Projects(log).delete(ANN, 3)
    Tasks(log).purge(ANN, 7)
    Projects(log).restore(ANN, 3)
    assert [type(body) for body in log.then] == [TaskDeleted, ProjectDeleted, TaskPurged, ProjectRestored]


def test_a_task_waits_for_its_project(log: MemoryLog) -> None:
    log.given(given.project(3), given.task(7, 3))
    Projects(log).delete(ANN, 3)
    before = log.then
    with pytest.raises(Conflict, match="project-3 is deleted: restore it first"):
        Tasks(log).restore(ANN, 7)
    assert log.then == before
    with pytest.raises(Invalid):
        Tasks(log).create(ANN, NewTask("more cats", [], 3))


def test_a_task_purged_meanwhile_is_not_brought_back(log: MemoryLog) -> None:
    log.given(given.task(7), TaskDeleted(7, None, "cats", [], []))
    tasks = Tasks(log)
    log.meanwhile(lambda: tasks.purge(ANN, 7))
    with pytest.raises(Conflict, match="purged"):
        tasks.restore(ANN, 7)
    assert log.then == [TaskPurged(7, None, "cats", [], 2)]


def test_a_job_comes_back_as_it_was(log: MemoryLog) -> None:
    log.given(given.task(7), given.job(5, type=GROUND_TRUTH), given.job(6))
    jobs = Jobs(log)
    with pytest.raises(Invalid):
        jobs.delete(ANN, 6)
    jobs.delete(ANN, 5)
    with pytest.raises(NotFound):
        jobs.update(ANN, 5, state="completed")
    jobs.restore(ANN, 5)
    jobs.update(ANN, 5, state="completed")
    gone = (5, 7, None, "annotation", "new")
    assert log.then[:2] == [JobDeleted(*gone), JobRestored(*gone, 4)]


def test_a_job_waits_for_its_task(log: MemoryLog) -> None:
    log.given(given.task(7), given.job(5, type=GROUND_TRUTH))
    Jobs(log).delete(ANN, 5)
    Tasks(log).delete(ANN, 7)
    with pytest.raises(Conflict, match="task-7 is deleted"):
        Jobs(log).restore(ANN, 5)
    assert log.then[-1] == TaskDeleted(7, None, "cats", [], [])


def test_a_job_of_a_deleted_task_takes_no_commands(log: MemoryLog) -> None:
    log.given(given.task(7), given.job(5))
    Tasks(log).delete(ANN, 7)
    with pytest.raises(NotFound):
        Jobs(log).update(ANN, 5, state="completed")
    assert len(log.then) == 1


def test_a_label_comes_back_when_its_name_is_free(log: MemoryLog) -> None:
    log.given(given.task(7), given.labels(given.label(1, "cat"), task_id=7))
    labels = Labels(log)
    labels.delete(ANN, 1)
    labels.restore(ANN, 1)
    assert log.then == [LabelDeleted(None, 7, 1, "cat", []), LabelRestored(None, 7, 1, "cat", 3, [])]
    labels.delete(ANN, 1)
    log.given(given.labels(given.label(2, "cat"), task_id=7))
    with pytest.raises(Conflict, match="another label “cat”"):
        labels.restore(ANN, 1)
    assert log.then == []


def test_the_labels_of_a_deleted_task_wait_for_it(log: MemoryLog) -> None:
    log.given(given.task(7), given.labels(given.label(1, "cat"), task_id=7))
    Labels(log).delete(ANN, 1)
    Tasks(log).delete(ANN, 7)
    with pytest.raises(Conflict, match="task-7 is deleted"):
        Labels(log).restore(ANN, 1)
    with pytest.raises(NotFound):
        Labels(log).delete(ANN, 1)


def test_a_point_of_a_skeleton_does_not_go_alone(log: MemoryLog) -> None:
    head = given.label(2, "head")
    skeleton = LabelSpec(id=1, name="cat", color="#000000", type="skeleton", attributes=[], sublabels=[head], svg="")
    log.given(given.task(7), LabelsAdded(None, 7, [skeleton]))
    with pytest.raises(Invalid):
        Labels(log).delete(ANN, 2)
    assert log.then == []


RESTORATIONS: list[Callable[[MemoryLog, int], None]] = [
    lambda log, number: Tasks(log).restore(ANN, number),
    lambda log, number: Projects(log).restore(ANN, number),
    lambda log, number: Jobs(log).restore(ANN, number),
    lambda log, number: Labels(log).restore(ANN, number),
    lambda log, number: Tasks(log).purge(ANN, number),
]


@pytest.mark.parametrize("restore", RESTORATIONS)
def test_only_what_is_deleted_comes_back_or_is_purged(
    log: MemoryLog, restore: Callable[[MemoryLog, int], None]
) -> None:
    standing: list[Body] = [given.project(7), given.task(7), given.job(7), given.labels(given.label(7), task_id=7)]
    log.given(*standing)
    with pytest.raises(Conflict, match="It is not deleted"):
        restore(log, 7)
    with pytest.raises(NotFound):
        restore(log, 8)
    assert log.then == []
