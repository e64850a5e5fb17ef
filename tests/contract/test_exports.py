"""Exports and imports, through CVAT's own client: asking, polling, fetching; sending a file back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cvat_sdk import Client
from cvat_sdk.core.proxies.tasks import Task

from api.uploads.unfinished import Upload

from .conftest import Server
from .pictures import write
from .streets import Street, put, stored, street_of

ANN = ("ann", "battery staple")
IMAGES, VIDEO, CVAT = "CVAT for images 1.1", "CVAT for video 1.1", "CVAT 1.1"
POLL = 0.05


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def draw(http: httpx.Client, street: Street) -> None:
    """Boxes on every frame, and a tag."""
    boxes = [street.box(frame, x=float(frame), group=frame, z_order=frame, occluded=frame == 1) for frame in range(6)]
    put(http, street.task_url, shapes=boxes, tags=[{"frame": 2, "label_id": street.car.id}])


def bare(found: Any) -> Any:
    """What an import brings back: all but the ids, and where it came from."""
    if isinstance(found, dict):
        return {name: bare(value) for name, value in found.items() if name not in ("id", "source", "score", "version")}
    return [bare(item) for item in found] if isinstance(found, list) else found


def test_what_is_exported_is_imported_again(client: Client, street: Street, http: httpx.Client, tmp_path: Path) -> None:
    draw(http, street)
    before = stored(http, street.task_url)
    file = tmp_path / "out.zip"
    street.task.export_dataset(IMAGES, file, include_images=False, status_check_period=POLL)
    assert zipfile.ZipFile(file).namelist() == ["annotations.xml"]
    street.task.remove_annotations()
    street.task.import_annotations(CVAT, file, status_check_period=POLL)
    assert bare(stored(http, street.task_url)) == bare(before)
    street.task.import_annotations(CVAT, file, import_mode="append", status_check_period=POLL)
    assert len(stored(http, street.task_url)["shapes"]) == 2 * len(before["shapes"])
    street.task.import_annotations(CVAT, file, import_mode="replace", status_check_period=POLL)
    assert bare(stored(http, street.task_url)) == bare(before)


@pytest.mark.parametrize("format_name", [IMAGES, VIDEO])
def test_images_come_along_and_the_directory_names_the_file(
    street: Street, http: httpx.Client, tmp_path: Path, format_name: str
) -> None:
    draw(http, street)
    folder = tmp_path / "out"
    folder.mkdir()
    street.task.export_dataset(format_name, folder, include_images=True, status_check_period=POLL)
    (file,) = folder.iterdir()
    assert file.name.startswith(f"task_{street.task.id}_dataset_")
    assert file.name.endswith(f"_{format_name.replace(' ', '_').lower()}.zip")
    names = zipfile.ZipFile(file).namelist()
    assert "annotations.xml" in names
    assert len([name for name in names if name.startswith("images/")]) == 6


def test_a_job_is_exported_and_imported_by_itself(street: Street, http: httpx.Client, tmp_path: Path) -> None:
    draw(http, street)
    before = stored(http, street.url)
    street.first.export_dataset(IMAGES, tmp_path / "job.zip", include_images=False, status_check_period=POLL)
    http.delete(street.url)
    street.first.import_annotations(CVAT, tmp_path / "job.zip", status_check_period=POLL)
    assert bare(stored(http, street.url)) == bare(before)


def test_a_project_goes_out_and_comes_in_as_new_tasks(client: Client, http: httpx.Client, tmp_path: Path) -> None:
    labels = [{"name": "car"}]
    project = client.projects.create({"name": "city", "labels": labels})
    (label,) = project.get_labels()
    task = in_project(client, project.id, tmp_path)
    box = {"type": "rectangle", "frame": 1, "label_id": label.id, "points": [1.5, 2, 3, 4]}
    put(http, f"/api/tasks/{task.id}/annotations", shapes=[box])
    project.export_dataset(IMAGES, tmp_path / "project.zip", include_images=True, status_check_period=POLL)
    other = client.projects.create({"name": "copy", "labels": labels})
    other.import_dataset(CVAT, tmp_path / "project.zip", status_check_period=POLL)
    (copy,) = other.get_tasks()
    assert (copy.size, len(copy.get_jobs())) == (2, 1)
    (shape,) = copy.get_annotations().shapes
    assert (shape.frame, shape.points, shape.label_id) == (1, [1.5, 2, 3, 4], other.get_labels()[0].id)


def test_a_project_goes_out_by_track_and_comes_in_as_new_tasks(
    client: Client, http: httpx.Client, tmp_path: Path
) -> None:
    labels = [{"name": "car"}]
    project = client.projects.create({"name": "city", "labels": labels})
    (label,) = project.get_labels()
    for subset, first in (("train", 0), ("val", 1)):
        task = in_project(client, project.id, tmp_path, subset)
        box = {"type": "rectangle", "frame": first, "points": [1.5, 2, 3, 4 + first]}
        put(http, f"/api/tasks/{task.id}/annotations", tracks=[{"label_id": label.id, "frame": first, "shapes": [box]}])
    project.export_dataset(VIDEO, tmp_path / "project.zip", include_images=True, status_check_period=POLL)
    other = client.projects.create({"name": "copy", "labels": labels})
    other.import_dataset(CVAT, tmp_path / "project.zip", status_check_period=POLL)
    copies = {task.subset: task for task in other.get_tasks()}
    assert {subset: task.size for subset, task in copies.items()} == {"train": 2, "val": 2}
    for subset, first in (("train", 0), ("val", 1)):
        assert [frame.name for frame in copies[subset].get_frames_info()] == ["a.jpg", "b.jpg"]
        (track,) = copies[subset].get_annotations().tracks
        assert [(shape.frame, shape.points) for shape in track.shapes] == [(first, [1.5, 2, 3, 4 + first])]
        assert track.label_id == other.get_labels()[0].id


def in_project(client: Client, project_id: int, folder: Path, subset: str = "train") -> Task:
    task = client.tasks.create({"name": "street", "project_id": project_id, "subset": subset})
    task.upload_data(write(folder, ["a.jpg", "b.jpg"]))
    return task


def exported(http: httpx.Client, street: Street, **query: Any) -> str:
    answer = http.post(f"/api/tasks/{street.task.id}/dataset/export", params={"format": IMAGES} | query)
    assert answer.status_code == 202, answer.text
    key: str = answer.json()["rq_id"]
    return key


def test_the_request_leads_to_the_file(street: Street, http: httpx.Client) -> None:
    key = exported(http, street, save_images="False", location="local")
    task_id = street.task.id
    assert key == (
        f"action=export&target=task&target_id={task_id}&user_id=1&format=CVAT_for_images_1~1&subresource=annotations"
    )
    request = http.get(f"/api/requests/{key}").json()
    operation = request["operation"]
    assert (request["status"], operation["type"], operation["format"]) == ("finished", "export:annotations", IMAGES)
    url = urlsplit(request["result_url"])
    assert (url.path, parse_qs(url.query)) == (f"/api/tasks/{task_id}/dataset/download", {"rq_id": [key]})
    answer = http.get(request["result_url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-disposition"].startswith('attachment; filename="task_')
    assert http.get(request["result_url"], headers={"Range": "bytes=0-3"}).content == b"PK\x03\x04"
    assert exported(http, street) == key  # once more: it is done again, under the same id


def test_a_file_may_be_given_a_name(street: Street, http: httpx.Client) -> None:
    key = exported(http, street, filename="../../mine: ü.zip")
    found = http.get(http.get(f"/api/requests/{key}").json()["result_url"]).headers["content-disposition"]
    name = found.split('"')[1]
    assert name.isascii()
    assert name.endswith(".zip")
    assert not set(name) & set("/:")


def test_a_file_is_for_whoever_asked(street: Street, http: httpx.Client, server: Server) -> None:
    server.add_user(ANN)
    key = exported(http, street)
    url = http.get(f"/api/requests/{key}").json()["result_url"]
    with httpx.Client(base_url=server.url, auth=ANN) as anns:
        assert anns.get(url).status_code == 403
        assert anns.post(f"/api/tasks/{street.task.id}/dataset/export", params={"format": IMAGES}).status_code == 403
    assert http.get(url.replace("rq_id=", "rq_id=x")).status_code == 400
    assert http.get(f"/api/tasks/{street.task.id}/dataset/download").status_code == 400
    other = url.replace(f"/tasks/{street.task.id}/", f"/jobs/{street.first.id}/")
    assert http.get(other).status_code == 400


def test_what_can_not_be_exported_is_refused(client: Client, street: Street, http: httpx.Client) -> None:
    url = f"/api/tasks/{street.task.id}/dataset/export"
    for query in ({}, {"format": "nope 1.0"}, {"format": IMAGES, "save_images": "maybe"}, CLOUD):
        assert http.post(url, params=query).status_code == 400
    empty = client.tasks.create({"name": "empty"})
    assert http.post(f"/api/tasks/{empty.id}/dataset/export", params={"format": IMAGES}).status_code == 400
    assert http.post("/api/tasks/999/dataset/export", params={"format": IMAGES}).status_code == 404
    assert http.get("/api/requests", params={"action": "export"}).json()["count"] == 0


CLOUD = {"format": IMAGES, "location": "cloud_storage", "cloud_storage_id": "1"}


def test_what_can_not_be_imported_is_refused(street: Street, http: httpx.Client) -> None:
    url = f"/api/tasks/{street.task.id}/annotations"
    file = {"annotation_file": ("a.xml", b"<annotations/>")}
    for query in ({}, {"format": "nope 1.0"}, {"format": CVAT, "import_mode": "mix"}):
        assert http.post(url, params=query, files=file).status_code == 400
    assert http.post(url, params={"format": CVAT}).status_code == 400
    finish = {"format": CVAT, "filename": "1_00000000-0000-0000-0000-000000000000"}
    assert http.post(url, params=finish, headers={"Upload-Finish": "true"}).status_code == 404
    assert http.get("/api/requests", params={"action": "import"}).json()["count"] == 0


def test_a_file_that_makes_no_sense_fails_in_words(street: Street, http: httpx.Client) -> None:
    file = {"annotation_file": ("broken.xml", b"<annotations><image")}
    answer = http.post(f"/api/tasks/{street.task.id}/annotations/", params={"format": CVAT}, files=file)
    request = http.get(f"/api/requests/{answer.json()['rq_id']}").json()
    assert (answer.status_code, request["status"]) == (202, "failed")
    assert "broken.xml" in request["message"]


def test_one_form_is_enough(street: Street, http: httpx.Client) -> None:
    xml = """<annotations><version>1.1</version><image id="0" name="0.jpg" width="8" height="8">
        <box label="car" xtl="1.5" ytl="2" xbr="3" ybr="4" occluded="0" z_order="0"/></image></annotations>"""
    file = {"annotation_file": ("some.xml", xml.encode())}
    answer = http.post(f"/api/jobs/{street.first.id}/annotations", params={"format": CVAT}, files=file)
    key = answer.json()["rq_id"]
    assert key == f"action=import&target=job&target_id={street.first.id}&subresource=annotations"
    assert http.get(f"/api/requests/{key}").json()["status"] == "finished"
    (shape,) = stored(http, street.url)["shapes"]
    assert (shape["points"], shape["label_id"]) == ([1.5, 2, 3, 4], street.car.id)


def test_a_waiting_request_is_called_off(street: Street, http: httpx.Client, server: Server) -> None:
    server.stop()
    server.start(agents=0)
    with httpx.Client(base_url=server.url, auth=("admin", "correct horse"), timeout=60) as idle:
        key = idle.post(f"/api/tasks/{street.task.id}/dataset/export", params={"format": IMAGES}).json()["rq_id"]
        again = idle.post(f"/api/tasks/{street.task.id}/dataset/export", params={"format": IMAGES})
        assert (again.status_code, again.json()) == (409, {"rq_id": key})
        assert idle.post(f"/api/requests/{key}/cancel").status_code == 200
        assert idle.get(f"/api/requests/{key}").status_code == 404
        assert idle.get("/api/requests?action=export").json()["count"] == 0
        assert idle.post(f"/api/requests/{key}/cancel").status_code == 404
        done = f"action=create&target=task&target_id={street.task.id}"
        assert idle.post(f"/api/requests/{done}/cancel").status_code == 400
        assert idle.get(f"/api/requests/create:task-{street.task.id}").json()["id"] == done


def test_documents_are_unchanged_by_a_refused_import(street: Street, http: httpx.Client) -> None:
    draw(http, street)
    before = stored(http, street.task_url)
    file = {
        "annotation_file": (
            "bad.xml",
            b'<annotations><image id="0" name="0.jpg"><box label="x"/></image></annotations>',
        )
    }
    answer = http.post(f"/api/tasks/{street.task.id}/annotations", params={"format": CVAT}, files=file)
    assert http.get(f"/api/requests/{answer.json()['rq_id']}").json()["status"] == "failed"
    assert stored(http, street.task_url) == before


def test_an_import_is_queued_once_though_the_last_step_is_sent_again(
    street: Street, http: httpx.Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash between recording it and forgetting the upload."""
    url = f"/api/jobs/{street.first.id}/annotations"
    xml = b"<annotations><version>1.1</version></annotations>"
    name = {"Upload-Length": str(len(xml)), "Upload-Metadata": "filename YS54bWw="}
    place = http.post(f"{url}/", params={"format": CVAT}, headers=name).headers["Location"]
    http.patch(place, content=xml, headers={"Upload-Offset": "0"}).raise_for_status()
    monkeypatch.setattr(Upload, "forget", lambda _self: None)
    query = {"format": CVAT, "filename": place.rpartition("/")[2], "import_mode": "append"}
    keys = []
    for _ in range(2):
        keys.append(http.post(f"{url}/", params=query, headers={"Upload-Finish": ""}).json()["rq_id"])
        assert http.get(f"/api/requests/{keys[-1]}").json()["status"] == "finished"
    assert keys[0] == keys[1]
    queued = "SELECT 1 FROM log.events WHERE type = 'RequestQueued' AND stream = %s"
    assert len(server.system.database.query(queued, (f"request-{keys[0]}",))) == 1
