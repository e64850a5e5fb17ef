"""Projects: tasks that share labels."""

from __future__ import annotations

import pytest

from domain.errors import Invalid, NotFound
from domain.events.label import LabelChanged, LabelsAdded
from domain.events.project import ProjectChanged, ProjectDeleted
from domain.project import NewProject, Project, Projects, evolve

from . import given
from .given import ANN
from .memory_log import MemoryLog

FIELDS = {
    "name": "animals",
    "owner_id": 1,
    "assignee_id": None,
    "bug_tracker": "",
    "source_storage": None,
    "target_storage": None,
}


@pytest.fixture
def projects(log: MemoryLog) -> Projects:
    log.given(given.user())
    return Projects(log)


def test_a_project_is_opened_with_its_labels_in_one_go(log: MemoryLog, projects: Projects) -> None:
    project_id = projects.create(ANN, NewProject("animals", [{"name": "cat"}, {"name": "dog"}]))
    created, added = log.then
    assert created == given.project(project_id)
    assert isinstance(added, LabelsAdded)
    assert (added.project_id, added.task_id) == (project_id, None)
    assert [label["name"] for label in added.labels] == ["cat", "dog"]
    assert [event.originator_id for event in log.events[-2:]] == [f"project-{project_id}"] * 2


def test_a_project_without_labels_is_fine(log: MemoryLog, projects: Projects) -> None:
    projects.create(ANN, NewProject("animals", []))
    assert log.then == [given.project(1)]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (NewProject("animals", [{"name": "cat"}, {"name": "cat"}]), "labels"),
        (NewProject("animals", [{"name": " "}]), "labels"),
        (NewProject("animals", [], assignee_id=9), "assignee_id"),
    ],
)
def test_nothing_is_recorded_of_a_project_that_is_refused(
    log: MemoryLog, projects: Projects, wanted: NewProject, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        projects.create(ANN, wanted)
    assert refusal.value.detail.keys() == {field}
    assert log.then == []


def test_a_deleted_project_is_not_found(log: MemoryLog, projects: Projects) -> None:
    log.given(given.project(3))
    assert projects.require(3) == (Project(3, FIELDS), 1)
    log.given(ProjectDeleted(3, "animals", [], []))
    for project_id in (3, 4):
        with pytest.raises(NotFound):
            projects.require(project_id)


def test_events_before_the_project_exists_mean_nothing() -> None:
    assert evolve(None, ProjectDeleted(3, "animals", [], [])) is None


def test_only_what_changes_is_recorded_the_labels_too(log: MemoryLog, projects: Projects) -> None:
    log.given(given.project(3), given.labels(given.label(1, "cat"), given.label(2, "dog"), project_id=3))
    edits = [{"id": 1, "name": "cat"}, {"id": 2, "name": "wolf"}]
    projects.update(ANN, 3, {"name": "animals", "assignee_id": 1}, edits)
    changed, renamed = log.then
    assert changed == ProjectChanged(3, {"assignee_id": {"from": None, "to": 1, "name": "ann"}})
    assert isinstance(renamed, LabelChanged)
    assert renamed.changes == {"name": {"from": "dog", "to": "wolf"}}
    projects.update(ANN, 3, {"assignee_id": 1}, edits)
    assert len(log.then) == 2


def test_a_refused_edit_leaves_all_as_it_was(log: MemoryLog, projects: Projects) -> None:
    log.given(given.project(3), given.labels(given.label(1, "cat"), project_id=3))
    for fields, labels in (({"name": "x"}, [{"name": "cat"}]), ({"name": "x", "owner_id": 9}, [])):
        with pytest.raises(Invalid):
            projects.update(ANN, 3, fields, labels)
    assert log.then == []
