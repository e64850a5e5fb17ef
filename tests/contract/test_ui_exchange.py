"""CVAT's web UI takes annotations out and brings them in again, as its menus do."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from . import ui
from . import ui_pages as pages
from .pictures import write
from .ui import Browser, browser, site

__all__ = ["browser", "site"]

NAMES = ["a.jpg", "b.jpg", "c.jpg"]


@pytest.fixture(scope="module")
def task(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """In a project, with a rectangle on its second frame."""
    project = pages.create_project(browser, "animals", [{"name": "car", "attributes": [], "type": "any"}])
    files = write(tmp_path_factory.mktemp("files"), NAMES)
    task = pages.create_task(browser, "street", files, project_id=project["id"])
    (label,) = pages.labels_of(browser, task_id=task["id"])
    box = {"type": "rectangle", "frame": 1, "label_id": label["id"], "points": [1.5, 2, 10, 12.25], "attributes": []}
    pages.save(browser, job_of(browser, task), "create", shapes=[{**box, "occluded": False, "z_order": 0, "group": 0}])
    return task


def job_of(browser: Browser, task: Any) -> int:
    (job,) = browser.every("/api/jobs", task_id=task["id"])
    return int(job["id"])


@pytest.mark.parametrize("noun", ["tasks", "projects", "jobs"])
@pytest.mark.parametrize("save_images", [True, False])
def test_an_export_is_downloaded_when_it_is_ready(browser: Browser, task: Any, noun: str, save_images: bool) -> None:
    number = {"tasks": task["id"], "projects": task["project_id"], "jobs": job_of(browser, task)}[noun]
    download = pages.export(browser, f"/api/{noun}/{number}", "CVAT for images 1.1", save_images=save_images)
    assert download.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        names = archive.namelist()
        assert b'label="car"' in archive.read("annotations.xml")
    assert len([name for name in names if name.endswith(".jpg")]) == (3 if save_images else 0)


def test_what_is_exported_can_be_imported(browser: Browser, task: Any) -> None:
    url = f"/api/jobs/{job_of(browser, task)}/annotations"
    before = browser.get(url)
    content = pages.export(browser, f"/api/tasks/{task['id']}", "CVAT for images 1.1", save_images=False).content
    for noun, number in (("tasks", task["id"]), ("jobs", job_of(browser, task))):
        pages.import_annotations(browser, f"/api/{noun}/{number}/annotations", content, "CVAT 1.1")
        after = browser.get(url)
        assert [_drawn(shape) for shape in after["shapes"]] == [_drawn(shape) for shape in before["shapes"]]


def test_a_dataset_becomes_tasks_of_a_project(browser: Browser, task: Any) -> None:
    content = pages.export(
        browser, f"/api/projects/{task['project_id']}", "CVAT for images 1.1", save_images=True
    ).content
    project = pages.create_project(browser, "copy", [{"name": "car", "attributes": [], "type": "any"}])
    pages.import_annotations(browser, f"/api/projects/{project['id']}/dataset", content, "CVAT 1.1")
    pages.project_page(browser, project["id"])
    (made,) = browser.every("/api/tasks", filter=ui.logic(project_id=project["id"]))
    (shape,) = browser.get(f"/api/jobs/{job_of(browser, made)}/annotations")["shapes"]
    assert (made["size"], shape["points"]) == (3, [1.5, 2, 10, 12.25])


def _drawn(shape: Any) -> Any:
    return {name: shape[name] for name in ("type", "frame", "label_id", "points", "rotation", "group", "attributes")}


def test_exports_and_imports_are_requests_to_look_at(browser: Browser, task: Any) -> None:
    pages.export(browser, f"/api/tasks/{task['id']}", "CVAT for images 1.1", save_images=False)
    kinds = {ui.having("request", each)["operation"]["type"] for each in browser.every("/api/requests")}
    assert {"create:task", "export:annotations"} <= kinds
