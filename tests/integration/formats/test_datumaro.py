"""COCO and Datumaro through the handlers, which decide what becomes of masks."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.task import NewTask

from ...contract.clips import write_clip
from .desk import Desk

pytest.importorskip("datumaro")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in pycocotools
FORMATS = ["COCO 1.0", "Datumaro 1.0"]


def shape(label: int, kind: str, points: list[float]) -> dict[str, Any]:
    return {"type": kind, "label_id": label, "frame": 3, "points": points}


@pytest.fixture
def annotated(desk: Desk, task: int) -> list[dict[str, Any]]:
    """A box, a polygon and a mask on a frame that two jobs have."""
    label = desk.label(task, "car")
    shapes = [
        shape(label, "rectangle", [1, 2, 30, 40]),
        shape(label, "polygon", [1, 2, 30, 2, 1, 40]),
        shape(label, "mask", [0, 4, 10, 10, 11, 11]),
    ]
    desk.draw(task, {"shapes": shapes})
    return desk.drawn(task)["shapes"]


def in_order(shapes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(shapes, key=repr)


@pytest.mark.parametrize("name", FORMATS)
def test_a_task_comes_back_from_its_own_file(desk: Desk, task: int, annotated: list[Any], name: str) -> None:
    target = desk.target("task", task)
    content = desk.exported(target, name).read_bytes()
    desk.draw(task, {})
    request_id = desk.send(target, name, content, conv_mask_to_poly=False)
    assert desk.wait(request_id) == "finished", desk.message(request_id)
    assert in_order(desk.drawn(task)["shapes"]) == in_order(annotated)


@pytest.mark.parametrize("name", FORMATS)
def test_masks_become_polygons_unless_they_are_wanted(desk: Desk, task: int, annotated: list[Any], name: str) -> None:
    target = desk.target("task", task)
    assert desk.imported(target, name, desk.exported(target, name).read_bytes()) == "finished"
    found = desk.drawn(task)["shapes"]
    assert sorted(shape["type"] for shape in found) == ["polygon", "polygon", "rectangle"]
    assert [10, 10, 12, 10, 12, 12, 10, 12] in [_from_the_corner(shape["points"]) for shape in found]


@pytest.mark.parametrize(
    ("name", "document"), [(FORMATS[0], "annotations/instances_default.json"), (FORMATS[1], "annotations/default.json")]
)
def test_frames_of_a_video_are_told_of_by_the_names_of_their_images(
    desk: Desk, tmp_path: Path, name: str, document: str
) -> None:
    content = write_clip(tmp_path / "clip.mp4", 3).read_bytes()
    task = desk.new_task(NewTask("clip", [{"name": "car"}]), {"clip.mp4": content}, {"image_quality": 70})
    with zipfile.ZipFile(desk.exported(desk.target("task", task), name, save_images=True)) as archive:
        images = sorted(set(archive.namelist()) - {document})
        found = orjson.loads(archive.read(document))
    told = (
        [image["file_name"] for image in found["images"]]
        if "images" in found
        else [item["image"]["path"] for item in found["items"]]
    )
    assert (
        [f"images/default/{path}" for path in told]
        == images
        == [f"images/default/frame_{number:06}.PNG" for number in range(3)]
    )


def _from_the_corner(points: list[float]) -> list[float]:
    """A square's corners from the first, whichever an outline began with."""
    pairs = list(zip(points[::2], points[1::2], strict=True))
    start = pairs.index(min(pairs))
    return [value for pair in pairs[start:] + pairs[:start] for value in pair]


@pytest.mark.parametrize(
    ("name", "document"),
    [("COCO 1.0", "annotations/instances_default.json"), ("Datumaro 1.0", "annotations/default.json")],
)
def test_the_json_of_a_dataset_is_read_without_the_zip(
    desk: Desk, task: int, annotated: list[Any], name: str, document: str
) -> None:
    target = desk.target("task", task)
    with zipfile.ZipFile(desk.exported(target, name)) as archive:
        content = archive.read(document)
    desk.draw(task, {})
    assert desk.imported(target, name, content) == "finished"
    assert len(desk.drawn(task)["shapes"]) == len(annotated)
