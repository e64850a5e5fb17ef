"""Projects, through CVAT's own client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import ForbiddenException, NotFoundException

from .conftest import Server
from .pictures import write


def test_a_project_is_created_with_its_labels(client: Client, http: httpx.Client, server: Server) -> None:
    ann = server.add_user(("ann", "correct horse"))
    spec = models.ProjectWriteRequest(
        name="city", labels=[{"name": "car"}, {"name": "dog"}], bug_tracker="https://bugs.example/1", assignee_id=ann
    )
    project = client.projects.create(spec)
    assert (project.name, project.owner.username, project.assignee.username) == ("city", "admin", "ann")
    assert [label.name for label in project.get_labels()] == ["car", "dog"]
    assert (project.get_tasks(), project.tasks.count) == ([], 0)
    seen = http.get(f"/api/projects/{project.id}").json()
    never_null = ("url", "id", "name", "bug_tracker", "task_subsets", "created_date", "updated_date", "tasks", "labels")
    assert [name for name in never_null if seen[name] is None] == []
    assert (seen["status"], seen["task_subsets"], seen["bug_tracker"]) == ("annotation", [], "https://bugs.example/1")
    assert seen["assignee_updated_date"] == seen["updated_date"] == seen["created_date"]
    assert {"organization", "target_storage", "source_storage"} <= seen.keys()
    base = str(http.base_url).rstrip("/")
    assert seen["labels"] == {"url": f"{base}/api/labels?project_id={project.id}"}


def test_tasks_are_counted_and_their_subsets_named(client: Client) -> None:
    project = client.projects.create({"name": "city"})
    tasks = [
        client.tasks.create({"name": str(n), "project_id": project.id, "subset": subset})
        for n, subset in enumerate(["Train", "Test", "Train"])
    ]
    project.fetch()
    assert (project.tasks.count, sorted(project.task_subsets)) == (3, ["Test", "Train"])
    assert [task.id for task in project.get_tasks()] == [task.id for task in reversed(tasks)]
    tasks[1].remove()
    project.fetch()
    assert (project.tasks.count, project.task_subsets) == (2, ["Train"])


def test_refused_projects_leave_nothing(client: Client, http: httpx.Client) -> None:
    cases: list[tuple[dict[str, Any], Any]] = [
        ({}, {"name": ["This field is required."]}),
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"name": "x", "assignee_id": 999}, {"assignee_id": ['Invalid pk "999" - object does not exist.']}),
        (
            {"name": "x", "labels": [{"name": "a"}, {"name": "b", "color": "red"}]},
            {"labels": [{}, {"color": ["Write a color as #rrggbb."]}]},
        ),
    ]
    for body, errors in cases:
        answer = http.post("/api/projects", json=body)
        assert (answer.status_code, answer.json()) == (400, errors)
    assert client.projects.list() == []


def test_only_staff_see_a_project(client: Client, server: Server) -> None:
    ann = server.add_user(("ann", "correct horse"))
    server.add_user(("mallory", "correct horse"))
    project = client.projects.create({"name": "city", "assignee_id": ann})
    task = client.tasks.create({"name": "street", "project_id": project.id})
    assert [found.id for found in server.sdk(("ann", "correct horse")).projects.list()] == [project.id]
    assert server.sdk(("ann", "correct horse")).tasks.retrieve(task.id).name == "street"
    mallory = server.sdk(("mallory", "correct horse"))
    assert mallory.projects.list() == []
    with pytest.raises(ForbiddenException):
        mallory.projects.retrieve(project.id)
    with pytest.raises(ForbiddenException):
        mallory.tasks.create({"name": "mine", "project_id": project.id})
    with pytest.raises(NotFoundException):
        client.projects.retrieve(999_999)
    project.fetch()
    assert project.tasks.count == 1


def test_a_project_is_edited_with_its_labels(client: Client, http: httpx.Client, server: Server) -> None:
    ann = server.add_user(("ann", "correct horse"))
    project = client.projects.create({"name": "city", "labels": [{"name": "car"}, {"name": "dog"}]})
    car, dog = project.get_labels()
    labels = [{"id": car.id, "name": "van"}, {"id": dog.id, "name": "dog", "deleted": True}, {"name": "bus"}]
    project.update({"name": "town", "assignee_id": ann, "bug_tracker": "https://bugs.example/2", "labels": labels})
    assert (project.name, project.assignee.username) == ("town", "ann")
    assert project.bug_tracker == "https://bugs.example/2"
    assert [label.name for label in project.get_labels()] == ["van", "bus"]
    assert project.assignee_updated_date == project.updated_date > project.created_date
    url = f"/api/projects/{project.id}"
    assert http.patch(url, json={"assignee_id": None}).json()["assignee"] is None
    assert http.patch(url, json={"assignee_id": 999}).json() == {
        "assignee_id": ['Invalid pk "999" - object does not exist.']
    }
    assert http.patch(url, json={"status": "completed"}).status_code == 403
    assert http.patch("/api/projects/999", json={"name": "x"}).status_code == 404


def test_a_task_moves_into_a_project_with_what_was_drawn(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    project = client.projects.create({"name": "city", "labels": [{"name": "car"}, {"name": "dog"}]})
    car, _ = project.get_labels()
    task = client.tasks.create({"name": "street", "labels": [{"name": "auto"}]})
    task.upload_data(write(tmp_path, ["a.jpg"]))
    (auto,) = task.get_labels()
    box = {"type": "rectangle", "frame": 0, "label_id": auto.id, "points": [1, 2, 3, 4]}
    http.put(f"/api/tasks/{task.id}/annotations", json={"shapes": [box]})
    url = f"/api/tasks/{task.id}"
    refused = http.patch(url, json={"project_id": project.id})
    assert (refused.status_code, type(refused.json())) == (400, list)
    moved = http.patch(url, json={"project_id": project.id, "labels": [{"id": auto.id, "name": "car"}]}).json()
    assert moved["project_id"] == project.id
    task.fetch()
    job = task.get_jobs()[0]
    assert job.project_id == project.id
    assert [label.id for label in task.get_labels()] == [label.id for label in project.get_labels()]
    assert [shape.label_id for shape in job.get_annotations().shapes] == [car.id]
    project.fetch()
    assert project.tasks.count == 1
    assert http.get(f"/api/labels/{auto.id}").status_code == 404
    assert http.patch(url, json={"project_id": None}).json().keys() == {"project_id"}
    assert http.patch(url, json={"project_id": 999}).json().keys() == {"project_id"}
    task.remove()
    project.fetch()
    assert project.tasks.count == 0


def test_the_first_frame_of_its_tasks_stands_for_a_project(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    project = client.projects.create({"name": "city", "labels": [{"name": "car"}]})
    url = f"/api/projects/{project.id}/preview"
    assert http.get(url).status_code == 404
    assert http.get(url, headers={"Prefer": "handling=empty"}).status_code == 204
    client.tasks.create({"name": "empty", "project_id": project.id})
    task = client.tasks.create({"name": "street", "project_id": project.id})
    task.upload_data(write(tmp_path, ["a.jpg"]))
    assert project.get_preview().getvalue() == task.get_preview().getvalue()
    assert http.get("/api/projects/999/preview").status_code == 404
