"""Tasks whose frames are not simply all pictures: videos, ground truth, honeypots."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from domain.ground_truth import GroundTruth
from domain.task import NewTask
from domain.validation.selection import Amount, Sampling

from ...contract.clips import HEIGHT, WIDTH, number_of, write_clip
from .desk import ANN, LABELS, Desk

IMAGES, VIDEO, CVAT = "CVAT for images 1.1", "CVAT for video 1.1", "CVAT 1.1"


@pytest.fixture
def video(desk: Desk, tmp_path: Path) -> int:
    """Every third frame of a clip from its second on: ten in all."""
    content = write_clip(tmp_path / "clip.mp4").read_bytes()
    params = {"image_quality": 70, "start_frame": 1, "frame_filter": "step=3"}
    return desk.new_task(NewTask("clip", LABELS), {"clip.mp4": content}, params)


def box(label: int, frame: int, left: int = 1) -> dict[str, Any]:
    return {"type": "rectangle", "label_id": label, "frame": frame, "points": [left, 2.25, 30, 40]}


def test_the_frames_of_a_video_are_named_and_shown_as_in_the_video(desk: Desk, video: int) -> None:
    path = desk.exported(desk.target("task", video), VIDEO, save_images=True)
    with zipfile.ZipFile(path) as archive:
        names = [f"images/frame_{source:06}.PNG" for source in range(1, 30, 3)]
        assert archive.namelist() == ["annotations.xml", *names]
        assert [number_of(archive.read(name)) for name in names] == list(range(1, 30, 3))
        root = ElementTree.fromstring(archive.read("annotations.xml"))
    assert (root.findtext("meta/source"), root.findtext("meta/original_size/width")) == ("clip.mp4", str(WIDTH))
    assert root.findtext("meta/original_size/height") == str(HEIGHT)


@pytest.mark.parametrize("name", [IMAGES, VIDEO])
def test_annotations_of_a_video_come_back_to_their_frames(desk: Desk, video: int, name: str) -> None:
    label = desk.label(video, "car")
    keyframes = [box(label, 2), box(label, 6, 20)]
    track = {
        "label_id": label,
        "frame": 2,
        "shapes": [{k: v for k, v in f.items() if k != "label_id"} for f in keyframes],
    }
    desk.draw(video, {"tracks": [track]} if name == VIDEO else {"shapes": keyframes})
    drawn, target = desk.drawn(video), desk.target("task", video)
    content = desk.exported(target, name).read_bytes()
    desk.draw(video, {})
    assert desk.imported(target, CVAT, content) == "finished"
    assert desk.drawn(video) == drawn


def test_a_ground_truth_job_has_its_own_frames_and_is_no_part_of_the_task(desk: Desk, task: int) -> None:
    label = desk.label(task, "car")
    job_id = GroundTruth(desk.app).create(ANN, task, Sampling("manual", Amount(2), 0, [2, 5]))
    desk.app.annotations.create(ANN, job_id, {"shapes": [box(label, 5)]})
    root = xml(desk.exported(desk.target("job", job_id), IMAGES))
    assert [(image.get("id"), len(image)) for image in root.findall("image")] == [("2", 0), ("5", 1)]
    whole = xml(desk.exported(desk.target("task", task), IMAGES))
    assert (len(whole.findall("image")), whole.findall("image/box")) == (10, [])
    content = desk.exported(desk.target("job", job_id), IMAGES).read_bytes()
    assert desk.imported(desk.target("job", job_id), CVAT, content, import_mode="append") == "finished"
    assert [shape["frame"] for shape in desk.drawn_in_job(job_id)["shapes"]] == [5, 5]


def test_honeypots_are_left_out_and_what_they_show_is_not(desk: Desk) -> None:
    validation = {
        "mode": "gt_pool", "frame_selection_method": "manual", "frames": ["00.jpg", "03.jpg"],
        "frames_per_job_count": 1, "random_seed": 1,
    }  # fmt: skip
    params = {"image_quality": 70, "sorting_method": "random", "validation_params": validation}
    task = desk.task("checked", LABELS, frames=6, segment_size=2, params=params)
    size = desk.database.query(b"SELECT size FROM data WHERE task_id = %s", (task,))[0]["size"]
    honeypots = {
        row["frame"] for row in desk.database.query(b"SELECT frame FROM honeypots WHERE task_id = %s", (task,))
    }
    assert honeypots
    label = desk.label(task, "car")
    desk.draw(task, {"shapes": [box(label, frame) for frame in range(size)]})
    target = desk.target("task", task)
    path = desk.exported(target, IMAGES, save_images=True)
    found = {int(image.get("id", "")): len(image) for image in xml(path).findall("image")}
    assert found == {frame: 1 for frame in range(size) if frame not in honeypots}
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()[1:]) == [f"images/{number:02}.jpg" for number in range(6)]
    assert desk.imported(target, CVAT, path.read_bytes()) == "finished"
    assert {shape["frame"] for shape in desk.drawn(task)["shapes"]} == set(found)


def xml(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read("annotations.xml"))
