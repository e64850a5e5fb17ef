"""Datasets become tasks of a project."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from domain.annotation.document import Document
from infra.formats.registry import DATUMARO

from .desk import LABELS, Desk

CVAT = ("CVAT for images 1.1", "CVAT 1.1")
needs_datumaro = pytest.mark.skipif(not DATUMARO, reason="datumaro is not installed")
FORMATS = [
    CVAT,
    pytest.param(("COCO 1.0", "COCO 1.0"), marks=needs_datumaro),
    pytest.param(("Datumaro 1.0", "Datumaro 1.0"), marks=needs_datumaro),
]


def box(label: int, frame: int) -> dict[str, Any]:
    return {"type": "rectangle", "label_id": label, "frame": frame, "points": [1.5, 2.25, 30, 40]}


@pytest.fixture
def project(desk: Desk) -> int:
    """Two tasks of the subset train, with images of the same names, and one of none."""
    project_id = desk.project("animals", LABELS)
    for number, subset in enumerate(("train", "train", "")):
        task = desk.task(f"task {number}", [], frames=number + 1, project_id=project_id, subset=subset)
        desk.draw(task, {"shapes": [box(desk.label(task, "car"), number)]})
    return project_id


def tasks(desk: Desk, project_id: int) -> list[dict[str, Any]]:
    statement = b"SELECT id, name, subset, size, owner_id FROM tasks WHERE project_id = %s ORDER BY name, id"
    return desk.database.query(statement, (project_id,))


def without_labels(document: Document) -> list[tuple[Any, ...]]:
    return [(shape["frame"], shape["type"], shape["points"]) for shape in document["shapes"]]


@pytest.mark.parametrize("names", FORMATS)
def test_a_project_is_made_anew_from_its_export(desk: Desk, project: int, names: tuple[str, str]) -> None:
    content = desk.exported(desk.target("project", project), names[0], save_images=True).read_bytes()
    other = desk.project("again", LABELS)
    request_id = desk.send(desk.target("project", other), names[1], content)
    assert desk.wait(request_id) == "finished", desk.message(request_id)
    default, train = tasks(desk, other)
    assert [(t["name"], t["subset"], t["size"], t["owner_id"]) for t in (default, train)] == [
        ("default", "default", 3, 7), ("train", "train", 3, 7),
    ]  # fmt: skip
    frames = desk.database.query(b"SELECT name FROM frames WHERE task_id = %s ORDER BY number", (train["id"],))
    assert [row["name"] for row in frames] == ["00.jpg", "00_1.jpg", "01.jpg"]
    assert without_labels(desk.drawn(train["id"])) == [
        (0, "rectangle", [1.5, 2.25, 30, 40]), (2, "rectangle", [1.5, 2.25, 30, 40]),
    ]  # fmt: skip
    assert without_labels(desk.drawn(default["id"])) == [(2, "rectangle", [1.5, 2.25, 30, 40])]
    labels = {shape["label_id"] for shape in desk.drawn(train["id"])["shapes"]}
    assert labels == {desk.label(train["id"], "car")}


def sent(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", ".").replace("_in_", "/"), content)
    return out.getvalue()


def about(*names: str) -> bytes:
    images = "".join(f'<image id="{number}" name="{name}"/>' for number, name in enumerate(names))
    return f"<annotations>{images}</annotations>".encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (about("a.jpg"), "sent.zip is no zip archive: a dataset has images beside its annotations"),
        (sent(a__xml=about()), "sent.zip tells of no images"),
        (sent(a__xml=about("a.jpg")), "sent.zip holds no image for “a.jpg” of the subset “default”"),
        (sent(a__xml=about("a.jpg"), images_in_a__jpg=b"no picture"), "a.jpg"),
        (sent(a__xml=about("a.jpg"), x_in_a__jpg=b"", y_in_a__jpg=b""), "sent.zip holds several images for “a.jpg”"),
    ],
)
def test_a_dataset_that_cannot_be_used_makes_no_task(desk: Desk, content: bytes, message: str) -> None:
    project_id = desk.project("empty", LABELS)
    request_id = desk.send(desk.target("project", project_id), "CVAT 1.1", content)
    assert desk.wait(request_id) == "failed"
    assert message in desk.message(request_id)
    assert tasks(desk, project_id) == []


def test_labels_that_the_project_does_not_have_make_no_task(desk: Desk, project: int) -> None:
    content = desk.exported(desk.target("project", project), CVAT[0], save_images=True).read_bytes()
    other = desk.project("others", [{"name": "tree"}])
    request_id = desk.send(desk.target("project", other), CVAT[1], content)
    assert desk.wait(request_id) == "failed"
    assert "the label “car”, which there is not here" in desk.message(request_id)
    assert tasks(desk, other) == []
