"""Tasks, through CVAT's own client: what is created, seen, changed and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, models
from cvat_sdk.api_client.exceptions import ForbiddenException, NotFoundException
from cvat_sdk.core.proxies.tasks import Task

from .conftest import Server
from .pictures import write

ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "parked", "mutable": True, "input_type": "checkbox", "default_value": "false", "values": ["false"]},
    {"name": "kind", "mutable": False, "input_type": "radio", "default_value": "van", "values": ["car", "van"]},
    {"name": "seats", "mutable": False, "input_type": "number", "default_value": "2", "values": ["1", "9", "1"]},
    {"name": "plate", "mutable": True, "input_type": "text", "default_value": "none", "values": ["none"]},
    {"name": "paint", "mutable": False, "input_type": "select", "default_value": "red", "values": ["blue", "red"]},
]

NEVER_NULL = (
    "url", "id", "name", "bug_tracker", "created_date", "updated_date", "segment_size", "initial_replicas", "dimension",
    "mode", "media_type", "subset", "jobs", "labels",
)  # fmt: skip
ONLY_WITH_DATA = {
    "size", "image_quality", "data_chunk_size", "data_original_chunk_type", "data_compressed_chunk_type",
    "data_cloud_storage_id",
}  # fmt: skip


def new_task(client: Client, name: str = "street", **options: Any) -> Task:
    if "project_id" not in options:
        options.setdefault("labels", [{"name": "car"}])
    return client.tasks.create(models.TaskWriteRequest(name=name, **options))


def with_frames(client: Client, folder: Path, frames: int, **options: Any) -> Task:
    spec = models.TaskWriteRequest(name="street", labels=[{"name": "car"}], **options)
    files = write(folder, [f"{n}.jpg" for n in range(frames)])
    return client.tasks.create_from_data(spec=spec, resources=files, data_params={"image_quality": 70})


def raw(http: httpx.Client, path: str) -> dict[str, Any]:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_labels_keep_attributes_of_every_input_type(client: Client) -> None:
    task = new_task(client, labels=[{"name": "car", "color": "#aabbcc", "attributes": ATTRIBUTES}, {"name": "dog"}])
    car, dog = task.get_labels()
    found = [attribute.to_dict() for attribute in car.attributes]
    assert [{k: v for k, v in attribute.items() if k != "id"} for attribute in found] == ATTRIBUTES
    assert len({attribute["id"] for attribute in found}) == 5
    assert (car.name, car.color, car.type, dog.name, dog.attributes) == ("car", "#aabbcc", "any", "dog", [])


def test_a_task_without_data_leaves_out_what_it_lacks(client: Client, http: httpx.Client) -> None:
    task = new_task(client, subset="Train", bug_tracker="https://bugs.example/1")
    seen = raw(http, f"/api/tasks/{task.id}")
    assert not ONLY_WITH_DATA & seen.keys()
    assert [name for name in NEVER_NULL if seen[name] is None] == []
    assert (seen["data"], seen["dimension"], seen["mode"], seen["media_type"]) == (None, "", "", "")
    assert {"organization", "target_storage", "source_storage", "assignee"} <= seen.keys()
    base = str(http.base_url).rstrip("/")
    assert seen["jobs"] == {
        "url": f"{base}/api/jobs?task_id={task.id}",
        "count": 0,
        "completed": 0,
        "validation": 0,
    }
    assert seen["labels"] == {"url": f"{base}/api/labels?task_id={task.id}"}
    assert (seen["name"], seen["subset"], seen["bug_tracker"]) == ("street", "Train", "https://bugs.example/1")
    assert (seen["owner"]["username"], seen["status"]) == ("admin", "annotation")
    assert seen["created_date"].endswith("Z")
    assert task.get_jobs() == []


def test_data_brings_the_rest(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    task = with_frames(client, tmp_path, 5, segment_size=4, overlap=9)
    seen = raw(http, f"/api/tasks/{task.id}")
    assert seen.keys() >= ONLY_WITH_DATA
    assert [seen[name] for name in ("size", "image_quality", "mode", "dimension", "media_type", "data")] == [
        5, 70, "annotation", "2d", "image", task.id,
    ]  # fmt: skip
    # As they were applied: an overlap of more than half a segment is cut to half.
    assert (seen["segment_size"], seen["overlap"]) == (4, 2)
    assert [(job.start_frame, job.stop_frame) for job in task.get_jobs()] == [(2, 4), (0, 3)]


def test_one_segment_is_as_large_as_the_task(client: Client, tmp_path: Path) -> None:
    task = with_frames(client, tmp_path, 3)
    assert (task.segment_size, task.overlap, task.jobs.count) == (3, 0, 1)


def test_a_task_in_a_project_has_the_projects_labels(client: Client, http: httpx.Client) -> None:
    project = client.projects.create(models.ProjectWriteRequest(name="city", labels=[{"name": "car"}]))
    task = new_task(client, project_id=project.id)
    assert task.project_id == project.id
    assert [label.id for label in task.get_labels()] == [label.id for label in project.get_labels()]
    assert [found.id for found in project.get_tasks()] == [task.id]
    both = http.post("/api/tasks", json={"name": "x", "project_id": project.id, "labels": [{"name": "dog"}]})
    assert (both.status_code, type(both.json())) == (400, list)
    missing = http.post("/api/tasks", json={"name": "x", "project_id": 999_999})
    assert (missing.status_code, list(missing.json())) == (400, ["project_id"])
    assert len(client.tasks.list()) == 1


def test_refused_tasks_leave_nothing(client: Client, http: httpx.Client) -> None:
    cases: list[tuple[dict[str, Any], Any]] = [
        ({}, {"name": ["This field is required."]}),
        ({"name": "x" * 257}, {"name": ["Ensure this field has no more than 256 characters."]}),
        ({"name": "x", "segment_size": "many"}, {"segment_size": ["A valid integer is required."]}),
        ({"name": "x", "overlap": -1}, {"overlap": ["Ensure this value is greater than or equal to 0."]}),
        ({"name": "x", "assignee_id": 999}, {"assignee_id": ['Invalid pk "999" - object does not exist.']}),
        (
            {"name": "x", "labels": [{"name": "ok"}, {"name": "y", "type": "blob"}]},
            {"labels": [{}, {"type": ['"blob" is not a valid choice.']}]},
        ),
        (
            {"name": "x", "labels": [{"name": "ok"}, {"name": "ok"}]},
            {"labels": ["All label names must be unique, not: ok"]},
        ),
    ]
    for body, errors in cases:
        answer = http.post("/api/tasks", json=body)
        assert (answer.status_code, answer.json()) == (400, errors)
    assert client.tasks.list() == []


def test_fields_change(client: Client, http: httpx.Client) -> None:
    task = new_task(client)
    before = raw(http, f"/api/tasks/{task.id}")
    task.update({"name": "road", "subset": "Test", "bug_tracker": "https://bugs.example/2"})
    assert (task.name, task.subset, task.bug_tracker) == ("road", "Test", "https://bugs.example/2")
    after = raw(http, f"/api/tasks/{task.id}")
    assert after["updated_date"] > before["updated_date"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"name", "subset", "bug_tracker", "updated_date"}
    task.update({"name": "road"})
    assert raw(http, f"/api/tasks/{task.id}") == after
    for body in ({"size": 5}, {"name": "alley", "no_such_field": 1}):
        assert http.patch(f"/api/tasks/{task.id}", json=body).status_code == 403
    assert http.patch(f"/api/tasks/{task.id}", json={"name": ""}).status_code == 400
    assert raw(http, f"/api/tasks/{task.id}") == after


def test_assignees(client: Client, http: httpx.Client, server: Server) -> None:
    ann = server.add_user(("ann", "correct horse"))
    task = new_task(client)
    url = f"/api/tasks/{task.id}"
    assert server.http(("ann", "correct horse")).get(url).status_code == 403
    task.update({"assignee_id": ann})
    first = raw(http, url)
    assert (first["assignee"]["username"], first["assignee_updated_date"]) == ("ann", first["updated_date"])
    task.update({"assignee_id": ann})
    assert raw(http, url)["assignee_updated_date"] == first["assignee_updated_date"]
    assert server.sdk(("ann", "correct horse")).tasks.retrieve(task.id).name == "street"
    task.update({"assignee_id": None})
    last = raw(http, url)
    assert last["assignee"] is None
    assert last["assignee_updated_date"] > first["assignee_updated_date"]
    assert server.http(("ann", "correct horse")).get(url).status_code == 403
    unknown = http.patch(url, json={"assignee_id": 999_999})
    assert (unknown.status_code, list(unknown.json())) == (400, ["assignee_id"])
    born = raw(http, f"/api/tasks/{new_task(client, assignee_id=ann).id}")
    assert born["assignee_updated_date"] == born["updated_date"] == born["created_date"]


def test_a_deleted_task_is_gone(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    task, other, kept = with_frames(client, tmp_path, 2), new_task(client), new_task(client, "kept")
    job, label = task.get_jobs()[0], task.get_labels()[0]
    assert http.delete(f"/api/tasks/{task.id}").status_code == 204
    urls = [f"tasks/{task.id}", f"jobs/{job.id}", f"labels/{label.id}", f"jobs/{job.id}/annotations"]
    assert [http.get(f"/api/{url}").status_code for url in urls] == [404] * 4
    with pytest.raises(NotFoundException):
        client.tasks.retrieve(task.id)
    assert http.delete(f"/api/tasks/{task.id}").status_code == 404
    client.tasks.remove_by_ids([task.id, other.id, 999_999])
    assert [found.id for found in client.tasks.list()] == [kept.id]


def test_strangers_may_neither_look_nor_touch(client: Client, server: Server) -> None:
    task = new_task(client)
    server.add_user(("mallory", "correct horse"))
    mallory = server.sdk(("mallory", "correct horse"))
    assert mallory.tasks.list() == []
    with pytest.raises(ForbiddenException):
        mallory.tasks.retrieve(task.id)
    with pytest.raises(ForbiddenException):
        mallory.api_client.tasks_api.destroy(task.id)
    with pytest.raises(ForbiddenException):
        mallory.api_client.tasks_api.partial_update(task.id, patched_task_write_request={"name": "mine"})
    task.fetch()
    assert task.name == "street"


def test_the_status_follows_the_jobs(client: Client, tmp_path: Path) -> None:
    task = with_frames(client, tmp_path, 2, segment_size=1)
    second, first = task.get_jobs()
    steps: list[tuple[Any, dict[str, str], str, tuple[int, int]]] = [
        (first, {"stage": "validation"}, "annotation", (0, 1)),
        (second, {"stage": "validation"}, "validation", (0, 2)),
        (first, {"stage": "acceptance", "state": "completed"}, "validation", (1, 1)),
        (second, {"stage": "acceptance"}, "validation", (1, 0)),
        (second, {"state": "completed"}, "completed", (2, 0)),
        (second, {"stage": "annotation"}, "annotation", (1, 0)),
    ]
    for job, change, status, counts in steps:
        job.update(change)
        task.fetch()
        assert (task.status, (task.jobs.completed, task.jobs.validation)) == (status, counts)
    assert task.jobs.count == 2


def test_what_happens_below_moves_the_date(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    project = client.projects.create(models.ProjectWriteRequest(name="city", labels=[{"name": "car"}]))
    spec = models.TaskWriteRequest(name="street", project_id=project.id)
    files = write(tmp_path, ["a.jpg"])
    task = client.tasks.create_from_data(spec=spec, resources=files, data_params={"image_quality": 70})
    job, label = task.get_jobs()[0], project.get_labels()[0]
    urls = [f"/api/jobs/{job.id}", f"/api/tasks/{task.id}", f"/api/projects/{project.id}"]
    tag = {"frame": 0, "label_id": label.id}

    def dates() -> list[str]:
        return [raw(http, url)["updated_date"] for url in urls]

    for change in (
        lambda: job.update({"state": "in progress"}),
        lambda: job.set_annotations(models.LabeledDataRequest(tags=[models.LabeledImageRequest(**tag)])),
        lambda: job.remove_annotations(),
    ):
        before = dates()
        change()
        after = dates()
        assert all(new > old for new, old in zip(after, before, strict=True))
    job.remove_annotations()  # there is nothing to remove
    job.update({"state": "in progress"})  # it is already
    assert dates() == after
    before = dates()
    task.update({"name": "road"})
    assert [new > old for new, old in zip(dates(), before, strict=True)] == [False, True, True]


def test_an_assignee_works_with_a_task_but_does_not_give_it_away(http: httpx.Client, server: Server) -> None:
    ann = server.add_user(("ann", "correct horse"))
    task = http.post("/api/tasks", json={"name": "street", "labels": [], "assignee_id": ann}).json()
    project = http.post("/api/projects", json={"name": "city", "assignee_id": ann}).json()
    anns = server.http(("ann", "correct horse"))
    for path in (f"/api/tasks/{task['id']}", f"/api/projects/{project['id']}"):
        assert anns.patch(path, json={"name": "road"}).status_code == 200
        assert anns.patch(path, json={"owner_id": ann}).status_code == 403
        assert anns.delete(path).status_code == 403
