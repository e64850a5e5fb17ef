"""Annotations go out of the server and come in again: the handlers, on a real database, by an agent."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from domain.annotation.document import Document
from domain.deleted_frames import DeletedFrames
from domain.target import Target
from domain.task import NewTask

from .desk import ANN, LABELS, Desk

IMAGES, VIDEO, CVAT = "CVAT for images 1.1", "CVAT for video 1.1", "CVAT 1.1"


def box(label: int, frame: int, **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "label_id": label, "frame": frame, "points": [1.5, 2.25, 30, 40], **fields}


@pytest.fixture
def annotated(desk: Desk, task: int) -> Document:
    """Shapes of every type, tags and a track across jobs; what the API shows of them."""
    car, person = desk.label(task, "car"), desk.label(task, "person")
    points = {
        "polygon": [1, 2, 30, 4, 5, 40], "polyline": [1, 2, 3, 4], "points": [1, 2], "ellipse": [20, 20, 30, 10],
        "cuboid": list(range(16)), "mask": [0, 4, 1, 1, 2, 2],
    }  # fmt: skip
    figures = [{**box(car, frame), "type": kind, "points": p} for frame, (kind, p) in enumerate(points.items(), 3)]
    skeleton = box(person, 9, type="skeleton", points=[]) | {
        "elements": [
            {**box(desk.label(task, name), 9), "type": "points", "points": [n, 5]}
            for n, name in enumerate(("head", "foot"))
        ]
    }
    track = {"label_id": car, "frame": 2, "group": 4, "shapes": [box(car, 2), box(car, 8, points=[7.5, 2.25, 36, 40])]}
    for keyframe in track["shapes"]:
        del keyframe["label_id"]
    document = {
        "shapes": [box(car, 0, rotation=45), box(car, 3, occluded=True, source="auto"), *figures, skeleton],
        "tags": [{"label_id": car, "frame": 6, "group": 2}],
        "tracks": [track],
    }
    desk.draw(task, document)
    return desk.drawn(task)


def test_a_task_comes_back_from_its_own_file(desk: Desk, task: int, annotated: Document) -> None:
    target = desk.target("task", task)
    stills = desk.exported(target, IMAGES).read_bytes()
    moving = desk.exported(target, VIDEO).read_bytes()
    desk.draw(task, {})
    assert desk.imported(target, CVAT, stills) == "finished"
    found = desk.drawn(task)
    assert (found["tags"], found["tracks"]) == (annotated["tags"], [])
    still = [shape for shape in found["shapes"] if shape["group"] == 0]
    assert sorted(still, key=repr) == sorted(annotated["shapes"], key=repr)
    assert [shape["frame"] for shape in found["shapes"] if shape["group"] == 4] == list(range(2, 10))
    desk.draw(task, {})
    assert desk.imported(target, CVAT, moving) == "finished"
    found = desk.drawn(task)
    assert found["tags"] == []
    assert annotated["tracks"][0] in found["tracks"]


def test_overlapping_jobs_are_exported_once(desk: Desk, task: int, annotated: Document) -> None:
    root = xml(desk, desk.target("task", task))
    on_overlap = root.findall("image[@id='3']/box")
    assert sorted(one.get("source") for one in on_overlap) == ["auto", "manual"]  # type: ignore[type-var]


def test_a_job_is_exported_by_itself_and_its_file_fits_the_task(desk: Desk, task: int, annotated: Document) -> None:
    job_id = desk.jobs(task)[1]
    root = xml(desk, desk.target("job", job_id))
    assert [image.get("id") for image in root.findall("image")] == ["3", "4", "5", "6"]
    assert [root.findtext(f"meta/job/{name}") for name in ("size", "start_frame", "stop_frame")] == ["4", "3", "6"]
    assert (root.findtext("meta/job/id"), root.findtext("meta/job/segments/segment/url")) == (
        str(job_id), f"/api/jobs/{job_id}",
    )  # fmt: skip
    content = desk.exported(desk.target("job", job_id), IMAGES).read_bytes()
    desk.draw(task, {})
    assert desk.imported(desk.target("task", task), CVAT, content) == "finished"
    assert {shape["frame"] for shape in desk.drawn(task)["shapes"]} == {3, 4, 5, 6}


def test_an_import_into_a_job_leaves_the_others_alone(desk: Desk, task: int, annotated: Document) -> None:
    first, second, third = desk.jobs(task)
    before = desk.drawn_in_job(first), desk.drawn_in_job(third)
    target = desk.target("job", second)
    content = desk.exported(target, IMAGES).read_bytes()
    shapes = desk.drawn_in_job(second)["shapes"]
    assert desk.imported(target, CVAT, content, import_mode="append") == "finished"
    assert len(desk.drawn_in_job(second)["shapes"]) == 2 * len(shapes) + 4  # of the track
    assert (desk.drawn_in_job(first), desk.drawn_in_job(third)) == before


def test_a_file_of_the_whole_task_does_not_fit_a_job(desk: Desk, task: int, annotated: Document) -> None:
    content = desk.exported(desk.target("task", task), IMAGES).read_bytes()
    job_id = desk.jobs(task)[0]
    before = desk.drawn_in_job(job_id)
    request_id = desk.send(desk.target("job", job_id), CVAT, content)
    assert desk.wait(request_id) == "failed"
    assert "sent.zip: annotations.xml, line" in desk.message(request_id)
    assert "no frame for the image “04.jpg”" in desk.message(request_id)
    assert desk.drawn_in_job(job_id) == before


def test_masks_stay_masks_unless_polygons_are_asked_for(desk: Desk, task: int, annotated: Document) -> None:
    target = desk.target("task", task)
    content = desk.exported(target, IMAGES).read_bytes()
    desk.imported(target, CVAT, content, conv_mask_to_poly=True)
    assert [s["points"] for s in desk.drawn(task)["shapes"] if s["frame"] == 8 and s["type"] == "polygon"] == [
        [1, 1, 3, 1, 3, 3, 1, 3]
    ]
    desk.imported(target, CVAT, content)
    assert [s["type"] for s in desk.drawn(task)["shapes"] if s["frame"] == 8 and s["group"] == 0] == ["mask"]


def test_labels_that_are_not_there_fail_the_import_and_change_nothing(
    desk: Desk, task: int, annotated: Document
) -> None:
    other = desk.task("other", [{"name": "tree"}], frames=10)
    content = desk.exported(desk.target("task", task), IMAGES).read_bytes()
    request_id = desk.send(desk.target("task", other), CVAT, content)
    assert desk.wait(request_id) == "failed"
    assert "<box> has the label “car”, which there is not here" in desk.message(request_id)
    assert desk.drawn(other) == {"tags": [], "shapes": [], "tracks": [], "intervals": []}


def test_images_are_those_of_the_task(desk: Desk, task: int) -> None:
    path = desk.exported(desk.target("task", task), IMAGES, save_images=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["annotations.xml", *(f"images/{number:02}.jpg" for number in range(10))]
        assert Image.open(io.BytesIO(archive.read("images/07.jpg"))).size == (64, 48)


def test_deleted_frames_are_left_out(desk: Desk, task: int, annotated: Document) -> None:
    DeletedFrames(desk.app).replace(ANN, task, [4, 5])
    root = xml(desk, desk.target("task", task))
    assert [int(image.get("id", "")) for image in root.findall("image")] == [0, 1, 2, 3, 6, 7, 8, 9]


def test_a_project_is_exported_with_all_its_tasks(desk: Desk) -> None:
    project_id = desk.project("animals", LABELS)
    tasks = [desk.task(name, [], project_id=project_id, subset=name) for name in ("train", "val")]
    for task_id in tasks:
        desk.draw(task_id, {"shapes": [box(desk.label(task_id, "car"), 1)]})
    root = xml(desk, desk.target("project", project_id))
    found = [(image.get("task_id"), image.get("subset"), len(image)) for image in root.findall("image")]
    assert found == [(str(t), s, int(n == 1)) for t, s in zip(tasks, ("train", "val"), strict=True) for n in range(3)]
    assert root.findtext("meta/project/subsets") == "train\nval"


def test_the_same_export_is_one_request_that_is_done_again(desk: Desk, task: int) -> None:
    target = desk.target("task", task)
    request_id = desk.export(target, "CVAT for images 1.1")
    assert request_id == (
        f"action=export&target=task&target_id={task}&user_id=7&format=CVAT_for_images_1~1&subresource=annotations"
    )
    first = desk.result(request_id)
    desk.draw(task, {"shapes": [box(desk.label(task, "car"), 1)]})
    assert desk.export(target, "CVAT for images 1.1") == request_id
    assert desk.result(request_id)["sha256"] != first["sha256"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, r"task_\d+_annotations_\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d_cvat_for_images_1\.1\.zip"),
        ("my file: v1", r"my_file_v1\.zip"),
        ("../../etc/passwd", r"_\.\._etc_passwd\.zip"),
        ("ä.zip", r"_\.zip"),
    ],
)
def test_the_file_has_a_name_that_clients_take(desk: Desk, task: int, wanted: str | None, name: str) -> None:
    request_id = desk.export(desk.target("task", task), IMAGES, filename=wanted)
    result = desk.result(request_id)
    assert re.fullmatch(name, result["filename"]), result["filename"]
    assert (result["size"], result["content_type"]) == (desk.exchange.size(result["sha256"]), "application/zip")


def test_a_task_without_data_has_nothing_to_export(desk: Desk) -> None:
    task_id = desk.app.tasks.create(ANN, NewTask("empty", []))
    request_id = desk.app.exports.queue(ANN, Target("task", task_id=task_id), IMAGES, save_images=True)
    assert desk.wait(request_id) == "failed"
    assert desk.message(request_id) == f"Task {task_id} has no data yet"


def xml(desk: Desk, target: Target) -> ElementTree.Element:
    with zipfile.ZipFile(desk.exported(target, IMAGES)) as archive:
        return ElementTree.fromstring(archive.read("annotations.xml"))
