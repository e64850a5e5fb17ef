"""COCO and Datumaro: what is exported and imported again is what there was, as far as they have words for it."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import zipfile
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from domain.annotation.document import Document, Item, assign_ids
from domain.annotation.interpolation import visible_at
from domain.errors import AnnalsError, MediaError, TooLarge
from infra.formats import registry
from infra.formats.model import Dataset

from ..annotation.drawing import BLURRED, CAR, COLOR, FOOT, HEAD, PERSON, TREE, documents, keyframe, rectangle, track
from . import given
from .given import comparable, normal

pytest.importorskip("datumaro")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in pycocotools

COCO, DATUMARO = "COCO 1.0", "Datumaro 1.0"
EMPTY: dict[str, Any] = {"images": [], "categories": [], "annotations": []}


def written(folder: Path, name: str, exported: Dataset, *, save_images: bool = False) -> Path:
    exporter = registry.exporter(name)
    assert exporter is not None
    return given.written(folder, exporter.write, exported, save_images=save_images)


def read(path: Path, name: str) -> Document:
    importer = registry.importer(name)
    assert importer is not None
    return importer.read(path, "sent.zip", given.target())


def through(name: str, document: Document) -> Document:
    assign_ids(document, count(1))
    with tempfile.TemporaryDirectory() as folder:
        return normal(read(written(Path(folder), name, given.dataset(document)), name))


def box(**fields: Any) -> Item:
    return rectangle(0, [1.25, 2.5, 30.75, 40]) | fields


def mask(**fields: Any) -> Item:
    return {"type": "mask", "frame": 0, "label_id": TREE, "points": [1, 2, 1, 10, 10, 11, 11], **fields}


FIGURES: list[Item] = [
    box(label_id=CAR, rotation=30, z_order=2, occluded=True),
    box(type="polygon", points=[1, 2, 30.5, 4, 5, 40], source="auto", score=0.5),
    box(type="polyline", points=[1, 2, 30.5, 4]),
    box(type="points", points=[1, 2, 30.5, 4]),
    box(type="ellipse", points=[20, 20, 30, 12], rotation=10),
    box(type="cuboid", points=[float(n) for n in range(16)]),
    mask(),
]


def test_datumaro_knows_every_type_of_shape() -> None:
    document = normal({"shapes": FIGURES, "tags": [{"frame": 1, "label_id": CAR, "group": 0}]})
    assert comparable(through(DATUMARO, document)) == comparable(document)


def test_datumaro_knows_skeletons() -> None:
    elements = [
        {"type": "points", "frame": 0, "label_id": HEAD, "points": [1, 2], "occluded": True},
        {"type": "points", "frame": 0, "label_id": FOOT, "points": [3, 4], "outside": True},
    ]
    skeleton = {"type": "skeleton", "frame": 0, "label_id": PERSON, "points": [], "elements": elements}
    found = through(DATUMARO, normal({"shapes": [skeleton]}))["shapes"]
    assert [(e["label_id"], e["points"], e["occluded"], e["outside"]) for e in found[0]["elements"]] == [
        (HEAD, [1, 2], True, False), (FOOT, [3, 4], False, True),
    ]  # fmt: skip


@settings(max_examples=30)
@hypothesis_given(documents(st.integers(0, 8)))
def test_groups_attributes_and_sources_survive(raw: dict[str, Any]) -> None:
    document = normal({"shapes": [shape for shape in raw["shapes"] if shape["type"] in ("polygon", "rectangle")]})
    found = through(DATUMARO, document)
    kept = ("frame", "label_id", "source", "attributes", "occluded", "z_order", "score")
    assert _only(found["shapes"], kept) == _only(document["shapes"], kept)
    together = [s for s in document["shapes"] if s["group"] and _members(document, s) > 1]
    assert _only([s for s in found["shapes"] if s["group"]], ("group", "frame")) == _only(together, ("group", "frame"))


def _only(shapes: list[Item], names: tuple[str, ...]) -> list[Any]:
    plain = comparable({"shapes": shapes}, "shapes")["shapes"]
    return sorted(([shape[name] for name in names] for shape in plain), key=repr)


def _members(document: Document, shape: Item) -> int:
    """How many on its frame are in its group."""
    return sum((s["frame"], s["group"]) == (shape["frame"], shape["group"]) for s in document["shapes"])


@pytest.mark.parametrize("name", [COCO, DATUMARO])
def test_tracks_are_seen_where_they_were(name: str) -> None:
    moving = track(
        keyframe(2, [0, 0, 10, 10], attributes=[{"spec_id": BLURRED, "value": "a"}]),
        keyframe(6, [40, 0, 50, 10], outside=True),
        keyframe(9, [7, 7, 50, 10], attributes=[{"spec_id": BLURRED, "value": "b"}]),
        keyframe(12, [10, 7, 53, 10]),
        label_id=CAR,
        attributes=[{"spec_id": COLOR, "value": "blue"}],
    )
    document = normal({"tracks": [moving]})
    found = through(name, document)
    assert (len(found["tracks"]), found["shapes"]) == (1, [])
    assert found["tracks"][0]["attributes"] == [{"spec_id": COLOR, "value": "blue"}]
    for frame in range(given.SIZE):
        assert _seen(found["tracks"][0], frame) == _seen(document["tracks"][0], frame), frame


def _seen(one: Item, frame: int) -> Any:
    state = visible_at(one, frame)
    return None if state is None else ([round(value, 2) for value in state["points"]], state["attributes"])


def test_coco_keeps_boxes_polygons_and_masks() -> None:
    plain = [box(label_id=CAR, occluded=True), FIGURES[1], mask()]
    found = through(COCO, normal({"shapes": [*plain, FIGURES[2], FIGURES[3], FIGURES[5]]}))
    assert comparable(found) == comparable(normal({"shapes": plain}))


def test_what_is_turned_is_a_polygon_in_coco() -> None:
    found = through(COCO, normal({"shapes": [box(points=[10, 10, 30, 20], rotation=90)]}))["shapes"]
    assert (found[0]["type"], found[0]["points"]) == ("polygon", [25, 5, 25, 25, 15, 25, 15, 5])
    ellipse = through(COCO, normal({"shapes": [FIGURES[4]]}))["shapes"][0]
    assert (ellipse["type"], len(ellipse["points"])) == ("polygon", 128)


def test_the_parts_of_an_object_are_one_annotation_and_stay_together() -> None:
    parts = [box(type="polygon", points=[n, 0, n + 5, 0, n, 5], group=3) for n in (0, 50)]
    other = box(type="polygon", points=[9, 9, 15, 9, 9, 15], group=3, label_id=CAR)
    found = through(COCO, normal({"shapes": [*parts, other]}))["shapes"]
    assert sorted((shape["label_id"], bool(shape["group"])) for shape in found) == [
        (CAR, False), (TREE, True), (TREE, True),
    ]  # fmt: skip


@settings(max_examples=30)
@hypothesis_given(documents(st.integers(0, 8)))
def test_every_coco_file_opens_in_pycocotools(raw: dict[str, Any]) -> None:
    from pycocotools.coco import COCO as Coco

    document = normal(raw)
    for item in (shape for shape in document["shapes"] if shape["type"] == "mask"):
        item["points"] = mask()["points"]
    assign_ids(document, count(1))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        with zipfile.ZipFile(written(Path(folder), COCO, given.dataset(document))) as archive:
            assert archive.namelist() == ["annotations/instances_default.json"]
            archive.extractall(folder)
        coco = Coco(f"{folder}/annotations/instances_default.json")
        assert len(coco.getImgIds()) == given.SIZE
        assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["car", "tree", "person"]
        for annotation in coco.loadAnns(coco.getAnnIds()):
            if annotation["segmentation"]:
                assert coco.annToMask(annotation).shape == (480, 640)


def test_masks_have_the_pixels_that_pycocotools_sees(tmp_path: Path) -> None:
    from pycocotools import mask as coco

    with zipfile.ZipFile(written(tmp_path, COCO, given.dataset(normal({"shapes": [mask()]})))) as archive:
        [annotation] = json.loads(archive.read("annotations/instances_default.json"))["annotations"]
    packed = coco.frPyObjects(annotation["segmentation"], 480, 640)
    expected = np.zeros((480, 640), dtype=np.uint8)
    expected[10, 11] = expected[11, 10] = 1
    assert np.array_equal(coco.decode(packed), expected)
    assert annotation["iscrowd"] == 1


def test_a_mask_that_leaves_the_frame_is_cut_off(tmp_path: Path) -> None:
    beyond = mask(points=[0, 16, 638, 478, 641, 481])
    [found] = through(DATUMARO, normal({"shapes": [beyond]}))["shapes"]
    assert found["points"] == [0, 4, 638, 478, 639, 479]


@settings(max_examples=50)
@hypothesis_given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_masks_are_unpacked_as_pycocotools_does(height: int, width: int, data: Any) -> None:
    from pycocotools import mask as coco

    from infra.formats.datumaro.rle import pixels

    values = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    expected = np.array(values, dtype=np.uint8).reshape(height, width)
    assert np.array_equal(pixels(coco.encode(np.asfortranarray(expected))), expected.astype(np.bool_))


@pytest.mark.parametrize("rle", [
    {"size": [10**6, 10**6], "counts": "0"}, {"size": [2, 2], "counts": "5"}, {"size": [2, 2], "counts": "?"},
    {"size": [0, 2], "counts": "0"}, {"size": [2, 2], "counts": "o" * 100}, {"size": [2, 2], "counts": ""},
])  # fmt: skip
def test_masks_that_would_write_beyond_their_pixels_are_refused(rle: dict[str, Any]) -> None:
    from infra.formats.datumaro.rle import pixels

    with pytest.raises(MediaError, match="mask"):
        pixels(rle)


def coco_file(path: Path, **parts: Any) -> Path:
    path.write_text(json.dumps(EMPTY | parts))
    return path


IMAGE = {"id": 1, "file_name": "street/003.jpg", "width": 640, "height": 480}
ANNOTATION = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0, "segmentation": []}


def test_a_json_file_by_itself_is_read(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "tree"}]
    path = coco_file(tmp_path / "a.json", images=[IMAGE], categories=categories, annotations=[ANNOTATION])
    [shape] = read(path, COCO)["shapes"]
    assert (shape["frame"], shape["label_id"], shape["points"]) == (3, TREE, [1, 2, 4, 6])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "label": ({"categories": [{"id": 1, "name": "cow"}], "annotations": [ANNOTATION]}, "no label “cow” here"),
    "image": ({"images": [{**IMAGE, "file_name": "x.jpg"}]}, "no frame for the image “x.jpg”"),
    "path": ({"images": [{**IMAGE, "file_name": "../../../etc/passwd"}]}, "cannot be read as coco_instances"),
    "category": ({"annotations": [{**ANNOTATION, "category_id": 7}]}, "cannot be read as coco_instances"),
    "no id": ({"annotations": [{"image_id": 1, "category_id": 1}]}, "cannot be read as coco_instances"),
    "mask": (
        {"categories": [{"id": 1, "name": "tree"}], "annotations": [
            {**ANNOTATION, "iscrowd": 1, "segmentation": {"size": [480, 640], "counts": "oooo"}}]},
        "mask",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_told(tmp_path: Path, name: str) -> None:
    parts, message = REFUSED[name]
    with pytest.raises(MediaError, match=message) as refused:
        read(coco_file(tmp_path / "a.json", **{"images": [IMAGE]} | parts), COCO)
    assert refused.value.message.startswith(("sent.zip", "A mask", "The runs"))


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"images": 1}', b"\xff\xfe", b"null", b"PK\x03\x04"])
@pytest.mark.parametrize("name", [COCO, DATUMARO])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(AnnalsError, match=r"sent\.zip"):
        read(path, name)


def test_more_than_fits_into_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.formats.datumaro import reading

    monkeypatch.setattr(reading, "MAX_JSON_BYTES", 10)
    with pytest.raises(TooLarge, match="larger than"):
        read(coco_file(tmp_path / "a.json"), COCO)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("annotations/instances_default.json", json.dumps(EMPTY))
    with pytest.raises(TooLarge, match="holds more than"):
        read(tmp_path / "a.zip", COCO)


def test_a_skeleton_keeps_its_points_apart_whatever_their_order() -> None:
    foot = {"type": "points", "frame": 0, "label_id": FOOT, "points": [3, 4]}
    skeleton = {"type": "skeleton", "frame": 0, "label_id": PERSON, "points": [], "elements": [foot]}
    (found,) = through(DATUMARO, normal({"shapes": [skeleton]}))["shapes"]
    assert [(e["label_id"], e["points"], e["outside"]) for e in found["elements"]] == [
        (HEAD, [0, 0], True), (FOOT, [3, 4], False),
    ]  # fmt: skip


def test_the_library_reads_our_files_of_cvats_format(tmp_path: Path) -> None:
    """Its reader of CVAT's format knows nothing of ours."""
    from datumaro.components.dataset import Dataset as Items

    exporter = registry.exporter("CVAT for images 1.1")
    assert exporter is not None
    attributes = [{"spec_id": COLOR, "value": '<blue> & "red"'}]
    document = normal({
        "shapes": [box(label_id=CAR, z_order=2, attributes=attributes, group=4), *FIGURES[1:4], mask()],
        "tags": [{"frame": 3, "label_id": CAR}],
    })  # fmt: skip
    path = given.written(tmp_path, exporter.write, given.dataset(document), save_images=True)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    found = {item.id: item for item in Items.import_from(str(tmp_path / "out"), "cvat")}
    assert len(found) == given.SIZE
    annotations = {annotation.type.name: annotation for annotation in found["street/000"].annotations}
    assert set(annotations) == {"bbox", "polygon", "polyline", "points", "mask"}
    assert annotations["bbox"].points == [1.25, 2.5, 30.75, 40]
    assert (annotations["bbox"].z_order, annotations["bbox"].group) == (2, 4)
    assert annotations["bbox"].attributes["color"] == '<blue> & "red"'
    assert [annotation.type.name for annotation in found["street/003"].annotations] == ["label"]


def test_we_read_the_files_of_cvats_format_that_the_library_writes(tmp_path: Path) -> None:
    from datumaro.components import annotation as dm
    from datumaro.components.dataset import Dataset as Items
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    annotations = [
        dm.Bbox(1, 2, 3, 4, label=0, z_order=3, group=2, attributes={"occluded": True}),
        dm.Polygon([1, 2, 30, 4, 5, 40], label=0),
        dm.Label(0),
    ]
    media = Image.from_file(path="street/003.jpg", size=(480, 640))
    items = [DatasetItem("street/003", media=media, annotations=annotations, attributes={"frame": 3})]
    Items.from_iterable(items, categories=["tree"]).export(str(tmp_path), "cvat", save_media=False)
    (file,) = tmp_path.rglob("*.xml")
    importer = registry.importer("CVAT 1.1")
    assert importer is not None
    found = normal(importer.read(file, "a.xml", given.target()))
    assert [(s["type"], s["frame"], s["label_id"], s["points"], s["occluded"]) for s in found["shapes"]] == [
        ("rectangle", 3, TREE, [1, 2, 4, 6], True), ("polygon", 3, TREE, [1, 2, 30, 4, 5, 40], False),
    ]  # fmt: skip
    assert (found["shapes"][0]["z_order"], found["shapes"][0]["group"]) == (3, 2)
    assert [(tag["frame"], tag["label_id"]) for tag in found["tags"]] == [(3, TREE)]


@pytest.mark.parametrize("subset", ["../../up", "/etc", "a/b", "..", "a\\b", "\x00"])
@pytest.mark.parametrize("name", [COCO, DATUMARO, "CVAT for images 1.1"])
def test_a_subset_of_any_name_stays_in_the_archive(tmp_path: Path, name: str, subset: str) -> None:
    exported = given.dataset(normal({}), shown=given.frames(1), of=given.task(size=1, subset=subset))
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(written(tmp_path / "in", name, exported, save_images=True)) as archive:
        for entry in archive.namelist():
            assert ".." not in entry.split("/")
            assert entry.startswith(("annotations", "images/"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_images_lie_in_the_folder_of_their_subset(tmp_path: Path) -> None:
    exported = given.dataset(normal({}), shown=given.frames(1), of=given.task(size=1, subset="train"))
    for name, document in ((COCO, "instances_train"), (DATUMARO, "train")):
        with zipfile.ZipFile(written(tmp_path, name, exported, save_images=True)) as archive:
            assert archive.namelist() == [f"annotations/{document}.json", "images/train/street/000.jpg"]


def test_the_images_of_each_subset_are_numbered_in_their_order(tmp_path: Path) -> None:
    one, two, three = given.frames(3)
    orders = {"": [one, two, three], "train": [three, one], "val": [two, three, one]}
    parts = [
        given.part(normal({}), given.task(7, size=len(shown), subset=subset), shown) for subset, shown in orders.items()
    ]
    exported = given.Dataset("project", 3, given.LABELS, parts, given.TIME)
    with zipfile.ZipFile(written(tmp_path, COCO, exported)) as archive:
        for subset, shown in orders.items():
            images = json.loads(archive.read(f"annotations/instances_{subset or 'default'}.json"))["images"]
            assert [(image["id"], image["file_name"]) for image in images] == [
                (number, frame.name) for number, frame in enumerate(shown, 1)
            ]
