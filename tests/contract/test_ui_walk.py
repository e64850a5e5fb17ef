"""CVAT's web UI from the login to the logout, page by page: every call that it makes, every field that it needs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from . import ui
from . import ui_pages as pages
from .conftest import ADMIN, Server
from .pictures import decode, noise, write
from .ui import Browser, browser, site

__all__ = ["browser", "site"]

LABELS = [
    {"name": "car", "attributes": [], "type": "any"},
    {
        "name": "dog",
        "type": "any",
        "attributes": [
            {"name": "age", "mutable": True, "input_type": "number", "default_value": "1", "values": ["0", "9", "1"]}
        ],
    },
]
NAMES = [f"frame_{n}.jpg" for n in range(5)]


@pytest.fixture(scope="module")
def project(browser: Browser) -> Any:
    return pages.create_project(browser, "animals", LABELS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(tmp_path_factory.mktemp("files"), NAMES, width=64, height=48)


@pytest.fixture(scope="module")
def task(browser: Browser, files: list[Path], project: Any) -> Any:
    return pages.create_task(browser, "street", files, project_id=project["id"])


@pytest.fixture(scope="module")
def opened(browser: Browser, task: Any) -> tuple[Any, Any, Any]:
    """The task's job in the annotation view, with its meta and annotations."""
    (job,) = pages.task_page(browser, task["id"])[1]
    return pages.annotation_view(browser, task["id"], job["id"])


@pytest.fixture
def job_id(opened: tuple[Any, Any, Any]) -> int:
    return int(opened[0]["id"])


def test_who_is_not_logged_in_gets_the_login_page(site: Server) -> None:
    browser = Browser(site.url)
    assert ui.boot(browser) is None
    refusal = browser.send(
        "POST", "/api/auth/login", expect=400, json={"username": ADMIN[0], "password": "wrong"}
    ).json()
    assert refusal == {"non_field_errors": ["Unable to log in with provided credentials."]}
    browser.close()


def test_login_and_logout(site: Server) -> None:
    browser = Browser(site.url)
    assert ui.log_in(browser, ADMIN)["username"] == "admin"
    assert ui.boot(browser) is not None  # the page is loaded again
    ui.log_out(browser)
    assert ui.boot(browser) is None
    browser.close()


def test_a_task_is_created_from_files(browser: Browser, task: Any, project: Any) -> None:
    assert (task["name"], task["size"], task["project_id"]) == ("street", 5, project["id"])
    assert (task["mode"], task["dimension"], task["owner"]["username"]) == ("annotation", "2d", "admin")
    assert task["jobs"]["count"] == 1


def test_a_large_file_comes_by_tus(browser: Browser, project: Any) -> None:
    body = {"name": "large", "labels": [], "project_id": project["id"]}
    task_id = browser.send("POST", "/api/tasks", expect=201, json=body).json()["id"]
    browser.send("POST", f"/api/tasks/{task_id}/data", expect=202, headers={"Upload-Start": "true"}, json={})
    picture = noise(300, 200)
    pages.upload_by_tus(browser, f"/api/tasks/{task_id}/data/", picture, len(picture) // 3 + 1)
    assert pages.finish_upload(browser, task_id)["size"] == 1
    browser.send("DELETE", f"/api/tasks/{task_id}", expect=204)


def test_the_lists_of_tasks_and_projects(browser: Browser, task: Any, project: Any) -> None:
    assert task["id"] in {each["id"] for each in pages.tasks_page(browser)}
    assert [each["id"] for each in pages.tasks_page(browser, search="street")] == [task["id"]]
    assert pages.tasks_page(browser, search="nothing like it") == []
    projects = browser.get("/api/projects", page=1, page_size=12)
    assert project["id"] in {ui.having("project", each)["id"] for each in projects["results"]}
    found = browser.get("/api/projects", names_only="true", search="anim", page=1, page_size=10)["results"]
    assert [(each["id"], each["name"]) for each in found] == [(project["id"], "animals")]


def test_a_project_and_its_labels_are_edited(browser: Browser) -> None:
    project = pages.create_project(browser, "to edit", LABELS)
    pages.project_page(browser, project["id"])
    car, dog = pages.labels_of(browser, project_id=project["id"])
    browser.send("PATCH", f"/api/labels/{car['id']}", json={"name": "lorry", "color": "#112233", "attributes": []})
    browser.send("DELETE", f"/api/labels/{dog['id']}", expect=204)
    new = {"labels": [{"name": "cat", "type": "any", "attributes": []}]}
    browser.send("PATCH", f"/api/projects/{project['id']}", json=new)
    browser.send("PATCH", f"/api/projects/{project['id']}", json={"name": "edited"})
    user = pages.assignees(browser)[0]
    browser.send("PATCH", f"/api/projects/{project['id']}", json={"assignee_id": user["id"]})
    edited = pages.project_page(browser, project["id"])
    assert (edited["name"], edited["assignee"]["id"]) == ("edited", user["id"])
    assert [label["name"] for label in pages.labels_of(browser, project_id=project["id"])] == ["lorry", "cat"]
    browser.send("DELETE", f"/api/projects/{project['id']}", expect=204)


def test_the_task_page(browser: Browser, task: Any) -> None:
    found, jobs = pages.task_page(browser, task["id"])
    assert (found["id"], len(jobs)) == (task["id"], 1)
    (user, *_) = pages.assignees(browser)
    path = f"/api/jobs/{jobs[0]['id']}"
    for change in ({"stage": "validation"}, {"assignee": user["id"]}, {"stage": "annotation"}, {"assignee": None}):
        ui.having("job", browser.send("PATCH", path, json=change).json())
    browser.send("PATCH", f"/api/tasks/{task['id']}", json={"assignee_id": user["id"]})
    browser.send("PATCH", f"/api/tasks/{task['id']}", json={"name": "street"})


def test_the_annotation_view_opens(opened: tuple[Any, Any, Any]) -> None:
    job, meta, annotations = opened
    assert (job["start_frame"], job["stop_frame"], meta["start_frame"], meta["stop_frame"]) == (0, 4, 0, 4)
    assert [frame["name"] for frame in meta["frames"]] == NAMES
    assert {(frame["width"], frame["height"]) for frame in meta["frames"]} == {(64, 48)}
    assert (meta["deleted_frames"], meta["size"], job["data_compressed_chunk_type"]) == ([], 5, "imageset")
    assert {"shapes", "tracks", "tags", "intervals"} <= set(annotations)


def test_the_entries_of_a_chunk_are_its_frames_in_order(browser: Browser, job_id: int, files: list[Path]) -> None:
    answer = pages.chunk(browser, job_id, 0)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pictures = [decode(archive.read(entry)) for entry in archive.infolist()]
    assert len(pictures) == len(files)
    for picture, path in zip(pictures, files, strict=True):
        original = decode(path.read_bytes()).astype(int)
        assert picture.shape == original.shape
        assert abs(picture.astype(int) - original).mean() < 40  # of noise at quality 70; of any other frame it is 85


def test_a_chunk_is_taken_up_where_the_connection_broke(browser: Browser, job_id: int) -> None:
    whole = pages.chunk(browser, job_id, 0).content
    path = f"/api/jobs/{job_id}/data?quality=compressed&type=chunk&index=0"
    rest = browser._client.get(path, headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"


def shape(label_id: int, **fields: Any) -> dict[str, Any]:
    """As the UI sends one, its points as the mouse left them."""
    return {
        "type": "rectangle", "occluded": False, "outside": False, "z_order": 0, "rotation": 0, "attributes": [],
        "points": [1.1234567890123, 2.000000000000001, 30.3, 40.123], "elements": [], "frame": 0, "label_id": label_id,
        "group": 0, "source": "manual", "score": 1,
    } | fields  # fmt: skip


def test_what_is_drawn_is_saved_and_comes_back_as_it_was(browser: Browser, task: Any, job_id: int) -> None:
    car, dog = pages.labels_of(browser, job_id=job_id)
    age = dog["attributes"][0]["id"]
    old = [{"spec_id": age, "value": "3"}]
    drawn = [
        shape(car["id"]),
        shape(dog["id"], type="polygon", points=[0.5, 0.25, 9.75, 0.1, 5, 9.9], attributes=old),
        shape(car["id"], frame=4, rotation=33.3, source="semi-auto", group=2, z_order=-1, occluded=True),
    ]  # fmt: skip
    keyframe = {"type": "rectangle", "occluded": False, "outside": False, "z_order": 0, "rotation": 0, "attributes": []}
    track = {
        "frame": 1, "label_id": car["id"], "group": 0, "source": "manual", "attributes": [], "elements": [],
        "shapes": [{**keyframe, "frame": 1, "points": [1, 1, 5, 5]}, {**keyframe, "frame": 3, "points": [2, 2, 6, 6]}],
    }  # fmt: skip
    tag = {"frame": 2, "label_id": car["id"], "group": 0, "source": "manual", "attributes": []}
    created = pages.save(browser, job_id, "create", shapes=drawn, tracks=[track], tags=[tag])
    for sent, found in zip(drawn, created["shapes"], strict=True):
        assert {name: found[name] for name in sent} == sent
    browser.send("PATCH", f"/api/jobs/{job_id}", json={"state": "in progress"})
    browser.report("save:job", "draw:object", task_id=task["id"], job_id=job_id)
    moved = {**created["shapes"][0], "points": [3.3, 4.4, 30.3, 40.123]}
    (updated,) = pages.save(browser, job_id, "update", shapes=[moved])["shapes"]
    assert updated["points"] == moved["points"]
    pages.save(browser, job_id, "delete", shapes=[created["shapes"][1]])
    _, _, annotations = pages.annotation_view(browser, task["id"], job_id)
    kept = {each["id"]: each for each in annotations["shapes"]}
    assert kept.keys() == {moved["id"], created["shapes"][2]["id"]}
    assert kept[moved["id"]]["points"] == moved["points"]
    assert [each["frame"] for each in annotations["tracks"][0]["shapes"]] == [1, 3]
    assert [each["id"] for each in annotations["tags"]] == [created["tags"][0]["id"]]


def test_everything_is_removed_and_saved(browser: Browser, job_id: int) -> None:
    empty = {**{kind: [] for kind in pages.KINDS}, "version": 0}
    found = browser.send("PUT", f"/api/jobs/{job_id}/annotations", json=empty).json()
    assert [found[kind] for kind in pages.KINDS] == [[]] * 4


def test_frames_are_deleted_and_come_back(browser: Browser, job_id: int) -> None:
    path = f"/api/jobs/{job_id}/data/meta"
    for deleted in ([1, 3], []):
        found = browser.send("PATCH", path, json={"deleted_frames": deleted, "cloud_storage_id": None}).json()
        assert found["deleted_frames"] == deleted
        assert pages.meta_of(browser, path)["deleted_frames"] == deleted


def test_a_review(browser: Browser, job_id: int) -> None:
    user = browser.get("/api/users/self")
    said = {"message": "blurred", "created_date": ui.CLOCK}
    issue = ui.having("issue", browser.send(
        "POST", "/api/issues", expect=201, json={"job": job_id, "frame": 1, "position": [1.5, 2.5, 9, 9], **said}
    ).json())  # fmt: skip
    (comment,) = browser.every("/api/comments", issue_id=issue["id"])
    assert ui.having("comment", comment)["message"] == "blurred"
    reply = {"message": "fixed", "issue": issue["id"], "owner_id": user["id"], "created_date": ui.CLOCK}
    browser.send("POST", "/api/comments", expect=201, json=reply)
    found = browser.every("/api/issues", job_id=job_id)
    assert [(ui.having("issue", each)["id"], each["position"]) for each in found] == [(issue["id"], [1.5, 2.5, 9, 9])]
    comments = browser.every("/api/comments", job_id=job_id)
    assert {ui.having("comment", each)["message"] for each in comments} == {"blurred", "fixed"}
    assert browser.send("PATCH", f"/api/issues/{issue['id']}", json={"resolved": True}).json()["resolved"] is True
    browser.send("DELETE", f"/api/issues/{issue['id']}", expect=204)
    assert browser.every("/api/issues", job_id=job_id) == []


def test_a_job_is_completed_from_the_menu(browser: Browser, job_id: int) -> None:
    job = browser.send("PATCH", f"/api/jobs/{job_id}", json={"state": "completed"}).json()
    assert (job["state"], ui.having("job", job)["id"]) == ("completed", job_id)


def test_ground_truth(browser: Browser, files: list[Path]) -> None:
    """A job of it makes four more calls of the annotation view necessary."""
    task = pages.create_task(browser, "checked", files, labels=LABELS)
    wanted = {"type": "ground_truth", "task_id": task["id"], "frame_selection_method": "random_uniform"}
    truth = browser.send("POST", "/api/jobs", expect=201, json={**wanted, "frame_count": 2, "seed": 5}).json()
    (job, *_) = browser.every("/api/jobs", task_id=task["id"], type="annotation")
    (listed,) = browser.every("/api/jobs", task_id=task["id"], type="ground_truth")
    assert (ui.having("listed job", listed)["id"], listed["frame_count"]) == (truth["id"], 2)
    pages.labels_of(browser, job_id=truth["id"])
    assert {"shapes", "tracks", "tags", "intervals"} <= set(browser.get(f"/api/jobs/{truth['id']}/annotations"))
    assert len(pages.meta_of(browser, f"/api/jobs/{truth['id']}/data/meta")["included_frames"]) == 2
    for layout in (f"/api/jobs/{job['id']}/validation_layout", f"/api/tasks/{task['id']}/validation_layout"):
        assert isinstance(browser.get(layout), dict)
    reports = browser.get("/api/quality/reports", job_id=job["id"], target="job", sort="-created_date")
    assert reports["results"] == []


def test_the_list_of_jobs(browser: Browser, job_id: int) -> None:
    jobs = browser.get("/api/jobs", page=1, page_size=12)
    assert job_id in {ui.having("listed job", job)["id"] for job in jobs["results"]}
    assert jobs["count"] == len(jobs["results"])
    assert browser.fetch(f"/api/jobs/{job_id}/preview").headers["content-type"].startswith("image/")


def test_the_list_of_requests(browser: Browser, task: Any) -> None:
    requests = [ui.having("request", each) for each in browser.every("/api/requests")]
    assert task["id"] in {each["operation"]["task_id"] for each in requests}
    assert {each["operation"]["type"] for each in requests} >= {"create:task"}


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/memberships", {"page": 1, "page_size": 10}),
        ("/api/invitations", {"page": 1, "pageSize": 10, "filter": "{}"}),
        ("/api/cloudstorages", {"page": 1, "page_size": 12}),
        ("/api/quality/settings", {"task_id": 1}),
        ("/api/consensus/settings", {"task_id": 1}),
        ("/api/webhooks", {"filter": '{"and":[{"==":[{"var":"project_id"},1]}]}'}),
        ("/api/auth/access_tokens", {"page": 1, "page_size": 500}),
    ],
)
def test_pages_of_what_is_not_there_are_empty(browser: Browser, path: str, params: dict[str, Any]) -> None:
    found = browser.get(path, **params)
    assert (found["count"], found["results"]) == (0, [])


def test_the_files_on_the_server_are_listed(browser: Browser) -> None:
    assert isinstance(browser.get("/api/server/share", directory="/"), list)


def test_the_form_of_webhooks_and_the_guide(browser: Browser, project: Any) -> None:
    assert browser.get("/api/webhooks/events", type="project")["events"] == []
    told = browser.send("POST", "/api/guides", expect=405, json={"project_id": project["id"], "markdown": ""}).json()
    assert "not offered" in told["detail"]
