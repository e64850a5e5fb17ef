"""The pages of CVAT's web UI: each function makes the calls that opening a page, or a button on it, makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from .ui import Browser, Json, having, logic

OPTIONS = {"image_quality": 70, "use_zip_chunks": True, "use_cache": True, "sorting_method": "lexicographical"}
KINDS = ("shapes", "tracks", "tags", "intervals")


def tasks_page(browser: Browser, **search: str) -> list[Json]:
    tasks = browser.get("/api/tasks", page=1, page_size=10, **search)["results"]
    assert browser.get("/api/lambda/requests") == []
    for task in tasks:
        having("task", task)
        _preview(browser, f"/api/tasks/{task['id']}/preview")
    return list(tasks)


def _preview(browser: Browser, path: str) -> None:
    """A picture, or nothing at all."""
    answer = browser._client.get(path, headers={"Prefer": "handling=empty"})
    assert answer.status_code in (200, 204, 404)
    assert answer.status_code != 200 or answer.headers["content-type"].startswith("image/")


def labels_of(browser: Browser, **parent: int) -> list[Json]:
    labels = browser.every("/api/labels", **parent)
    return [having("label", label) for label in labels]


def create_project(browser: Browser, name: str, labels: list[Json]) -> Json:
    storage = {"location": "local"}
    body = {"name": name, "labels": labels, "target_storage": storage, "source_storage": storage}
    project = browser.send("POST", "/api/projects", expect=201, json=body).json()
    labels_of(browser, project_id=project["id"])
    return project


def project_page(browser: Browser, project_id: int) -> Json:
    project = having("project", browser.get(f"/api/projects/{project_id}"))
    labels_of(browser, project_id=project_id)
    wanted = logic(project_id=project_id)
    for task in browser.get("/api/tasks", page=1, page_size=10, filter=wanted)["results"]:
        assert task["project_id"] == project_id
    assignees(browser)
    return project


def assignees(browser: Browser) -> list[Json]:
    return list(browser.get("/api/users", limit=10, is_active="true")["results"])


def create_task(browser: Browser, name: str, files: Iterable[Path], **fields: Any) -> Json:
    """Through the form: the task, its files in one bundle, and what is to become of them."""
    body = {"name": name, "labels": [], "source_storage": {"location": "local"}, **fields}
    task = browser.send("POST", "/api/tasks", expect=201, json=body).json()
    data = f"/api/tasks/{task['id']}/data"
    browser.send("POST", data, expect=202, headers={"Upload-Start": "true"}, json={})
    options = {name: str(value).lower() for name, value in OPTIONS.items()}
    bundle = {f"client_files[{n}]": (path.name, path.read_bytes()) for n, path in enumerate(files)}
    browser.send("POST", data, headers={"Upload-Multiple": "true"}, data=options, files=bundle)
    return finish_upload(browser, task["id"])


def finish_upload(browser: Browser, task_id: int) -> Json:
    options = {**OPTIONS, "server_files": [], "remote_files": []}
    data = f"/api/tasks/{task_id}/data"
    answer = browser.send("POST", data, expect=202, headers={"Upload-Finish": "true"}, json=options)
    browser.finished(answer.json()["rq_id"])
    return browser.get(f"/api/tasks/{task_id}")


def upload_by_tus(browser: Browser, url: str, content: bytes, piece: int, **params: Any) -> httpx.Response:
    """Creates an upload at `url` (with a slash at its end) and sends it in pieces; returns the creation's answer."""
    start = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": "filename YS5qcGc="}
    created = browser.send("POST", url, expect=201, headers=start, params=params)
    location = created.headers["location"]
    assert location.startswith(browser.url)
    kind = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    for offset in range(0, len(content), piece):
        part = content[offset : offset + piece]
        headers = {**kind, "Upload-Offset": str(offset)}
        answer = browser.send("PATCH", location.removeprefix(browser.url), expect=204, headers=headers, content=part)
        assert answer.headers["upload-offset"] == str(offset + len(part))
    return created


def task_page(browser: Browser, task_id: int) -> tuple[Json, list[Json]]:
    task = having("task", browser.get(f"/api/tasks/{task_id}"))
    labels_of(browser, task_id=task_id)
    jobs = [having("listed job", job) for job in browser.every("/api/jobs", task_id=task_id)]
    meta_of(browser, f"/api/tasks/{task_id}/data/meta")
    assignees(browser)
    _preview(browser, f"/api/tasks/{task_id}/preview")
    if task["project_id"] is not None:
        project_page(browser, task["project_id"])
    return task, jobs


def meta_of(browser: Browser, path: str) -> Json:
    meta = having("meta", browser.get(path))
    for frame in meta["frames"]:
        having("frame", frame)
    return meta


def annotation_view(browser: Browser, task_id: int, job_id: int) -> tuple[Json, Json, Json]:
    """Opens a job; returns it, its meta and its annotations."""
    browser.report("load:job", "load:workspace", task_id=task_id, job_id=job_id)
    job = having("job", browser.get(f"/api/jobs/{job_id}"))
    labels_of(browser, job_id=job_id)
    assert browser.every("/api/jobs", task_id=task_id, type="ground_truth") == []
    meta = meta_of(browser, f"/api/jobs/{job_id}/data/meta")
    annotations = browser.get(f"/api/jobs/{job_id}/annotations")
    for shape in annotations["shapes"]:
        having("shape", shape)
    for issue in browser.every("/api/issues", job_id=job_id):
        having("issue", issue)
    for comment in browser.every("/api/comments", job_id=job_id):
        having("comment", comment)
    return job, meta, annotations


def chunk(browser: Browser, job_id: int, index: int) -> httpx.Response:
    """As the worker that decodes it asks."""
    return browser.fetch(f"/api/jobs/{job_id}/data", quality="compressed", type="chunk", index=index)


def export(browser: Browser, path: str, format_name: str, *, save_images: bool) -> httpx.Response:
    """Exports from the page of a task, project or job (`path`), and downloads as the link of the page does."""
    params = {"format": format_name, "save_images": str(save_images).lower()}
    answer = browser.send("POST", f"{path}/dataset/export", expect=202, params=params)
    url = browser.finished(answer.json()["rq_id"])["result_url"]
    assert url.startswith(browser.url)
    download = browser._client.get(url)
    assert download.status_code == 200, download.text
    assert download.headers["content-disposition"].startswith("attachment")
    return download


def import_annotations(browser: Browser, url: str, content: bytes, format_name: str) -> Json:
    """The dance of every import: start, pieces, and an end that names the upload as it was told."""
    wanted = {"format": format_name, "filename": "annotations.zip", "conv_mask_to_poly": "true"}
    start = {**wanted, "import_mode": "replace"}
    browser.send("POST", url, expect=202, params=start, headers={"Upload-Start": "true"})
    created = upload_by_tus(browser, f"{url}/", content, len(content) // 2 + 1, **start)
    end = {**start, "filename": created.headers["upload-filename"]}
    answer = browser.send("POST", url, expect=202, params=end, headers={"Upload-Finish": "true"})
    return browser.finished(answer.json()["rq_id"])


def save(browser: Browser, job_id: int, action: str, **kinds: list[Json]) -> Json:
    """A save of one action; all four arrays come back, with as many objects as were sent, in their order."""
    body = {**{kind: kinds.get(kind, []) for kind in KINDS}, "version": 0}
    path = f"/api/jobs/{job_id}/annotations"
    found = browser.send("PATCH", path, params={"action": action}, json=body).json()
    assert [len(found[kind]) for kind in KINDS] == [len(kinds.get(kind, [])) for kind in KINDS]
    for kind in KINDS if action != "delete" else ():
        assert all(isinstance(each["id"], int) for each in found[kind])
    return found
