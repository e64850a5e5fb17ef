"""What is deleted is gone for every client, and comes back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import NotFoundException

from .conftest import Server
from .pictures import write
from .shared import head
from .streets import Street, document, put, stored, street_of

ANN = ("ann", "correct horse")
BOB = ("bob", "correct horse")


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def restore(http: httpx.Client, name: str) -> httpx.Response:
    return http.post("/api/log/restore", json={"stream": name})


def seen(http: httpx.Client, *urls: str) -> list[Any]:
    """What clients see there, without the dates of the last change."""
    found = []
    for url in urls:
        answer = http.get(url)
        found.append(answer.content if "chunk" in url else without_dates(answer.json()))
    return found


def without_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_dates(item) for name, item in value.items() if name != "updated_date"}
    return [without_dates(item) for item in value] if isinstance(value, list) else value


def test_a_task_comes_back_with_everything(street: Street, client: Client, http: httpx.Client) -> None:
    put(http, street.url, shapes=[street.box(), street.box(1)])
    urls = [
        f"/api/tasks/{street.task.id}",
        f"/api/jobs?task_id={street.task.id}",
        f"/api/labels?task_id={street.task.id}",
        f"/api/tasks/{street.task.id}/data/meta",
        f"/api/tasks/{street.task.id}/data?type=chunk&quality=original&number=0",
        street.task_url,
        street.url,
    ]
    before = seen(http, *urls)
    street.task.remove()
    assert {http.get(url).status_code for url in urls if "?" not in url or "labels" in url} == {404}
    assert client.jobs.list() == []
    (deleted,) = http.get("/api/log/deleted").json()["results"]
    assert (deleted["stream"], deleted["kind"], deleted["name"]) == (f"task-{street.task.id}", "task", "street")
    assert deleted["deleted_by"] == "admin"
    assert restore(http, deleted["stream"]).json() == {"restored": deleted["stream"]}
    assert seen(http, *urls) == before
    assert http.get("/api/log/deleted").json()["count"] == 0
    put(http, street.url, shapes=[street.box(2)])
    assert len(street.first.get_annotations().shapes) == 1


def test_a_project_comes_back_with_its_tasks(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    project = client.projects.create(models.ProjectWriteRequest(name="animals", labels=[{"name": "cat"}]))
    tasks = []
    for name in ("one", "two", "three"):
        spec = models.TaskWriteRequest(name=name, project_id=project.id)
        tasks.append(client.tasks.create_from_data(spec=spec, resources=write(tmp_path / name, ["a.jpg"])))
    (label,) = project.get_labels()
    (job,) = tasks[0].get_jobs()
    box = {"type": "rectangle", "frame": 0, "label_id": label.id, "points": [1, 2, 3, 4]}
    put(http, f"/api/jobs/{job.id}/annotations", shapes=[box])
    tasks[2].remove()
    urls = [f"/api/projects/{project.id}", f"/api/tasks?project_id={project.id}", f"/api/jobs/{job.id}/annotations"]
    urls += [f"/api/labels?project_id={project.id}", f"/api/jobs/{job.id}"]
    before = seen(http, *urls)
    project.remove()
    with pytest.raises(NotFoundException):
        project.fetch()
    assert client.tasks.list() == []
    waits = restore(http, f"task-{tasks[0].id}")
    assert (waits.status_code, waits.json()["detail"]) == (409, f"project-{project.id} is deleted: restore it first")
    restore(http, f"project-{project.id}").raise_for_status()
    assert seen(http, *urls) == before
    assert {task.name for task in client.tasks.list()} == {"one", "two"}
    restore(http, f"task-{tasks[2].id}").raise_for_status()
    assert project.fetch().tasks.count == 3


def test_a_label_comes_back_with_what_was_drawn_under_it(street: Street, http: httpx.Client) -> None:
    tag = {"frame": 0, "label_id": street.dog.id}
    put(http, street.url, shapes=[street.box()], tags=[tag])
    before = stored(http, street.url)
    assert http.delete(f"/api/labels/{street.car.id}").status_code == 204
    found = stored(http, street.url)
    assert (found["shapes"], found["tags"]) == ([], before["tags"])
    assert stored(http, street.task_url)["shapes"] == []
    refused = http.patch(street.url, params={"action": "create"}, json=document(shapes=[street.box()]))
    assert refused.status_code == 400
    restore(http, f"label-{street.car.id}").raise_for_status()
    assert stored(http, street.url) == before
    assert [label.name for label in street.task.get_labels()] == ["car", "dog"]


def test_what_was_drawn_beside_a_deleted_label_stays_with_it(street: Street, http: httpx.Client) -> None:
    """A PUT replaces what is seen and what is not: the object does not come back twice or half."""
    put(http, street.url, shapes=[street.box()])
    http.delete(f"/api/labels/{street.car.id}")
    tag = {"frame": 0, "label_id": street.dog.id}
    put(http, street.url, tags=[tag])
    restore(http, f"label-{street.car.id}").raise_for_status()
    assert stored(http, street.url)["shapes"] == []
    assert len(stored(http, street.url)["tags"]) == 1


def test_points_of_skeletons_and_jobs_that_cover_frames_are_not_deleted(street: Street, http: httpx.Client) -> None:
    nose = street.dog.sublabels[0]
    assert http.delete(f"/api/labels/{nose.id}").status_code == 400, "it goes with its skeleton"
    refused = http.delete(f"/api/jobs/{street.first.id}")
    assert (refused.status_code, refused.json()) == (400, ["Only ground truth jobs can be removed"])


@pytest.fixture
def people(server: Server) -> tuple[httpx.Client, httpx.Client]:
    server.add_user(ANN)
    server.add_user(BOB)
    return server.http(ANN), server.http(BOB)


def test_only_who_might_delete_it_may_bring_it_back(server: Server, people: tuple[httpx.Client, httpx.Client]) -> None:
    ann, bob = people
    task = ann.post("/api/tasks", json={"name": "mine", "labels": [{"name": "cat"}]}).json()
    name = f"task-{task['id']}"
    ann.delete(f"/api/tasks/{task['id']}").raise_for_status()
    before = head(server)
    assert bob.get("/api/log/deleted").json()["results"] == []
    assert restore(bob, name).status_code == 403
    assert head(server) == before
    assert [row["stream"] for row in ann.get("/api/log/deleted").json()["results"]] == [name]
    assert restore(ann, name).status_code == 200
    assert ann.get(f"/api/tasks/{task['id']}").status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("task-999", 404), ("label-999", 404), ("tasks-1", 400), ("task-", 400), ("user-1", 400), ("task-1\n", 400)],
)
def test_a_name_of_nothing_is_refused(http: httpx.Client, name: str, status: int) -> None:
    assert restore(http, name).status_code == status


def test_what_stands_is_not_brought_back(street: Street, server: Server, http: httpx.Client) -> None:
    before = head(server)
    for name in (f"task-{street.task.id}", f"job-{street.first.id}", f"label-{street.car.id}"):
        refused = restore(http, name)
        assert (refused.status_code, refused.json()["detail"]) == (409, "It is not deleted")
    assert head(server) == before
