"""What is exported in CVAT's formats and imported again is what there was."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import given as hypothesis_given

from domain.annotation.document import Document, Item
from infra.formats.cvat import formats
from infra.formats.model import Project

from ..annotation.drawing import BLURRED, CAR, COLOR, FOOT, HEAD, TREE, documents, keyframe, rectangle, skeleton, track
from . import given
from .given import comparable, normal

TURNING = ("rectangle", "ellipse")


def through_images(document: Document) -> Document:
    return _through(formats.write_images, document)


def through_video(document: Document) -> Document:
    return _through(formats.write_video, document)


def _through(write: Any, document: Document) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        path = given.written(Path(folder), write, given.dataset(document))
        return normal(formats.read(path, "export.zip", given.target()))


def as_kept(shape: Item) -> Item:
    """CVAT's files have no rotation of shapes that do not turn, and of a skeleton's point neither depth nor score."""
    if shape["elements"]:
        points = [{**_figure(point), "z_order": 0, "score": 1} for point in shape["elements"]]
        return {**shape, "rotation": 0, "elements": points}
    return _figure(shape)


def _figure(shape: Item) -> Item:
    """An ellipse is written as its center and its radii, each with two decimals."""
    points = shape["points"]
    if shape["type"] == "ellipse":
        cx, cy, right, top = points
        points = [cx, cy, round(cx, 2) + round(right - cx, 2), round(cy, 2) - round(cy - top, 2)]
    return {**shape, "points": points, "rotation": shape["rotation"] if shape["type"] in TURNING else 0}


@hypothesis_given(documents())
def test_shapes_and_tags_survive(raw: dict[str, Any]) -> None:
    document = normal({**raw, "tracks": [], "intervals": []})
    elements_where_parents_are(document)
    kept = {**document, "shapes": [as_kept(shape) for shape in document["shapes"]]}
    assert comparable(through_images(document)) == comparable(kept)


def elements_where_parents_are(document: Document) -> None:
    for shape in document["shapes"]:
        for element in shape["elements"]:
            element["frame"] = shape["frame"]


@hypothesis_given(documents())
def test_tracks_survive(raw: dict[str, Any]) -> None:
    document = normal({"tracks": [one for one in raw["tracks"] if not any(s["type"] == "mask" for s in one["shapes"])]})
    assert comparable(through_video(document), "tracks") == comparable(
        {"tracks": [kept_track(one) for one in document["tracks"]]}, "tracks"
    )


def kept_track(one: Item) -> Item:
    """Attributes that do not change are the track's; of a skeleton's points group and source are its own."""
    common = {"group": one["group"], "source": one["source"]}
    elements = [{**element, **common, "shapes": _kept(element["shapes"])} for element in one["elements"]]
    return {**one, "shapes": _kept(one["shapes"]), "elements": [{**e, "shapes": _flat(e["shapes"])} for e in elements]}


def _kept(keyframes: list[Item]) -> list[Item]:
    return [_figure(keyframe) for keyframe in keyframes]


def _flat(keyframes: list[Item]) -> list[Item]:
    return [{**k, "z_order": 0} for k in keyframes]


def test_images_show_tracks_as_shapes() -> None:
    moving = track(
        keyframe(2, [0, 0, 10, 10]),
        keyframe(6, [40, 0, 50, 10], outside=True),
        label_id=CAR,
        group=3,
        attributes=[{"spec_id": COLOR, "value": "blue"}],
    )
    shapes = through_images(normal({"tracks": [moving]}))["shapes"]
    assert [(shape["frame"], shape["points"]) for shape in shapes] == [
        (2, [0, 0, 10, 10]), (3, [10, 0, 20, 10]), (4, [20, 0, 30, 10]), (5, [30, 0, 40, 10]),
    ]  # fmt: skip
    assert {shape["group"] for shape in shapes} == {3}
    values = [{"spec_id": COLOR, "value": "blue"}, {"spec_id": BLURRED, "value": "false"}]
    assert all(sorted(shape["attributes"], key=lambda item: item["spec_id"]) == values for shape in shapes)


def test_a_video_shows_shapes_as_tracks_of_one_frame() -> None:
    found = through_video(normal({"shapes": [rectangle(3), rectangle(given.SIZE - 1), skeleton(4)]}))
    assert found["shapes"] == []
    frames = [[(k["frame"], k["outside"]) for k in one["shapes"]] for one in found["tracks"]]
    assert frames == [[(3, False), (4, True)], [(4, False), (5, True)], [(given.SIZE - 1, False)]]
    assert [element["label_id"] for element in found["tracks"][1]["elements"]] == [HEAD, FOOT]


def test_masks_cannot_be_tracked_and_become_shapes_of_the_keyframes() -> None:
    mask = {"type": "mask", "points": [1, 2, 1, 10, 10, 11, 11]}
    found = through_video(normal({"tracks": [track(keyframe(3, **mask), keyframe(7, **mask))]}))
    assert found["tracks"] == []
    assert [(shape["frame"], shape["type"]) for shape in found["shapes"]] == [(3, "mask"), (7, "mask")]


def test_what_is_lower_comes_first(tmp_path: Path) -> None:
    document = normal({"shapes": [rectangle(0, z_order=2), rectangle(0, z_order=-1), rectangle(0, z_order=1)]})
    root = xml(given.written(tmp_path, formats.write_images, given.dataset(document)))
    assert [box.get("z_order") for box in root.findall("image/box")] == ["-1", "1", "2"]


def test_deleted_frames_and_what_is_on_them_are_left_out(tmp_path: Path) -> None:
    document = normal({"shapes": [rectangle(0), rectangle(1), rectangle(2)]})
    shown = [frame for frame in given.frames(3) if frame.number != 1]
    root = xml(given.written(tmp_path, formats.write_images, given.dataset(document, shown=shown)))
    assert [(image.get("id"), len(image)) for image in root.findall("image")] == [("0", 1), ("2", 1)]


def test_a_keyframe_on_a_deleted_frame_counts_from_the_next_one(tmp_path: Path) -> None:
    document = normal({"tracks": [track(keyframe(0, [0, 0, 9, 9]), keyframe(2, [5, 5, 9, 9]))]})
    shown = [frame for frame in given.frames(5) if frame.number != 2]
    root = xml(given.written(tmp_path, formats.write_video, given.dataset(document, shown=shown)))
    boxes = root.findall("track/box")
    assert [(box.get("frame"), box.get("keyframe")) for box in boxes] == [
        ("0", "1"), ("1", "0"), ("3", "1"), ("4", "0"),
    ]  # fmt: skip


def test_frames_are_numbered_as_in_their_source(tmp_path: Path) -> None:
    options = {"start": 100, "step": 5}
    document = normal({"tracks": [track(keyframe(1), keyframe(3, [5, 5, 9, 9]))]})
    exported = given.dataset(document, shown=given.frames(6, **options), of=given.task(size=6, step=5))
    path = given.written(tmp_path, formats.write_video, exported)
    assert [box.get("frame") for box in xml(path).findall("track/box")] == ["105", "110", "115", "120", "125"]
    found = normal(formats.read(path, "a.zip", given.target(6, **options)))
    assert comparable(found) == comparable(document)


def test_text_of_every_kind_survives(tmp_path: Path) -> None:
    value = " <a> & \"b\" 'c'\r\n\t]]> 😀 "
    tags = [{"frame": 0, "label_id": CAR, "attributes": [{"spec_id": COLOR, "value": value}]}]
    found = through_images(normal({"tags": tags}))
    assert {"spec_id": COLOR, "value": value} in found["tags"][0]["attributes"]


def test_characters_that_xml_cannot_hold_do_not_break_the_file() -> None:
    tags = [{"frame": 0, "label_id": CAR, "attributes": [{"spec_id": COLOR, "value": "a\x01b\x1f"}]}]
    found = through_images(normal({"tags": tags}))
    assert {"spec_id": COLOR, "value": "a\ufffdb\ufffd"} in found["tags"][0]["attributes"]


def test_images_lie_beside_the_annotations(tmp_path: Path) -> None:
    path = given.written(
        tmp_path, formats.write_images, given.dataset(normal({}), shown=given.frames(2)), save_images=True
    )
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["annotations.xml", "images/street/000.jpg", "images/street/001.jpg"]
        assert archive.read("images/street/001.jpg") == b"street/001.jpg"


def test_a_project_has_a_folder_for_each_subset_and_the_frames_of_all_tasks(tmp_path: Path) -> None:
    one = given.part(normal({"shapes": [rectangle(0)]}), given.task(7, size=1, subset="train"), given.frames(1))
    other = given.part(normal({"tags": [{"frame": 0, "label_id": TREE}]}), given.task(8, size=1), given.frames(1))
    about = Project(3, "animals", "", given.TIME, given.TIME)
    exported = given.Dataset("project", 3, given.LABELS, [one, other], given.TIME, about, ("train", "default"))
    path = given.written(tmp_path, formats.write_images, exported, save_images=True)
    root = xml(path)
    assert [(i.get("subset"), i.get("task_id"), i[0].tag) for i in root.findall("image")] == [
        ("train", "7", "box"), ("default", "8", "tag"),
    ]  # fmt: skip
    assert [task.findtext("id") for task in root.findall("meta/project/tasks/task")] == ["7", "8"]
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[1:] == ["images/train/street/000.jpg", "images/default/street/000.jpg"]


def xml(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read("annotations.xml"))
