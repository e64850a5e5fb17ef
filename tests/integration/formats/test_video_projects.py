"""Projects go out by track, and come in as tasks: tracks tell frames by number only."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from domain.deleted_frames import DeletedFrames
from domain.task import NewTask

from ...contract.clips import write_clip
from .desk import ANN, LABELS, Desk

VIDEO, CVAT = "CVAT for video 1.1", "CVAT 1.1"
CORNERS = [1.5, 2.25, 30, 40]
STEP = {"image_quality": 70, "start_frame": 1, "frame_filter": "step=2"}


def box(frame: int, left: float = 1.5, **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "frame": frame, "points": [left, *CORNERS[1:]], **fields}


def point(frame: int, left: float, **fields: Any) -> dict[str, Any]:
    return {"type": "points", "frame": frame, "points": [left, 5], **fields}


def track(label: int, *keyframes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"label_id": label, "frame": keyframes[0]["frame"], "shapes": list(keyframes), **fields}


def walking(desk: Desk, task: int) -> dict[str, Any]:
    """A skeleton with a point that hides for a while, and is gone at the end."""
    whole = [{"type": "skeleton", "frame": frame, "points": [], "outside": frame == 3} for frame in (0, 3)]
    head = track(
        desk.label(task, "head"), point(0, 2), point(1, 2, outside=True), point(2, 8), point(3, 8, outside=True)
    )
    foot = track(desk.label(task, "foot"), point(0, 4), point(2, 6), point(3, 6, outside=True))
    return track(desk.label(task, "person"), *whole, elements=[head, foot])


def copied(desk: Desk, project_id: int, content: bytes | None = None) -> list[dict[str, Any]]:
    """The tasks of a new project, by subset, that were made from another's dataset."""
    if content is None:
        content = desk.exported(desk.target("project", project_id), VIDEO, save_images=True).read_bytes()
    other = desk.project("again", LABELS)
    request_id = desk.send(desk.target("project", other), CVAT, content)
    assert desk.wait(request_id) == "finished", desk.message(request_id)
    statement = b"SELECT id, name, subset, size FROM tasks WHERE project_id = %s ORDER BY subset, id"
    return desk.database.query(statement, (other,))


def names(desk: Desk, task: int) -> list[str]:
    statement = b"SELECT name FROM frames WHERE task_id = %s ORDER BY number"
    return [row["name"] for row in desk.database.query(statement, (task,))]


def seen(desk: Desk, task: int) -> list[list[tuple[int, float, bool]]]:
    """Each track's keyframes: frame, left edge, outside."""
    return [
        [(keyframe["frame"], keyframe["points"][0], keyframe["outside"]) for keyframe in one["shapes"]]
        for one in desk.drawn(task)["tracks"]
    ]


def test_a_task_of_images_comes_back_with_its_tracks(desk: Desk) -> None:
    project = desk.project("animals", LABELS)
    task = desk.task("street", [], frames=9, project_id=project, subset="a/b", params=STEP)
    car = desk.label(task, "car")
    desk.draw(task, {"tracks": [track(car, box(1), box(2, 9, outside=True), box(3, 20)), walking(desk, task)]})
    (copy,) = copied(desk, project)
    assert (copy["name"], copy["size"], names(desk, copy["id"])) == ("a_b", 4, ["01.jpg", "03.jpg", "05.jpg", "07.jpg"])
    assert tracks(desk, copy["id"]) == tracks(desk, task)


def tracks(desk: Desk, task: int) -> Any:
    """With the names of labels for their ids, and attributes without ids."""
    ids = {desk.label(task, name): name for name in ("car", "person", "head", "foot")}

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(item) for item in value]
        if isinstance(value, dict):
            return {k: ids[v] if k == "label_id" else named(v) for k, v in value.items() if k != "spec_id"}
        return value

    return named(desk.drawn(task)["tracks"])


@pytest.fixture
def subsets(desk: Desk) -> int:
    """Two tasks of the subset train and between them one of val; each shows something to its last frame."""
    project = desk.project("animals", LABELS)
    for number, subset in enumerate(("train", "val", "train")):
        task = desk.task(f"task {number}", [], frames=number + 2, project_id=project, subset=subset)
        car = desk.label(task, "car")
        shape = {**box(number + 1, 7), "label_id": car}
        desk.draw(task, {"tracks": [track(car, box(0, number), box(1, 10 + number))], "shapes": [shape]})
    return project


def test_each_subset_gets_its_frames_and_tracks(desk: Desk, subsets: int) -> None:
    train, val = copied(desk, subsets)
    assert names(desk, train["id"]) == ["00.jpg", "01.jpg", "00_1.jpg", "01_1.jpg", "02.jpg", "03.jpg"]
    assert names(desk, val["id"]) == ["00.jpg", "01.jpg", "02.jpg"]
    assert seen(desk, val["id"]) == [[(0, 1, False), (1, 11, False)], [(2, 7, False)]]
    # What the first task shows to its end is not seen in the next one's frames.
    assert seen(desk, train["id"]) == [
        [(0, 0, False), (1, 10, False), (2, 10, True)], [(1, 7, False), (2, 7, True)],
        [(2, 2, False), (3, 12, False)], [(5, 7, False)],
    ]  # fmt: skip


def test_frames_that_were_left_out_are_reckoned_with(desk: Desk) -> None:
    project = desk.project("animals", LABELS)
    first, second = (desk.task("street", [], frames=9, project_id=project, params=STEP) for _ in range(2))
    for task in (first, second):
        car = desk.label(task, "car")
        desk.draw(task, {"tracks": [track(car, box(3, 9))], "shapes": [{**box(0), "label_id": car}]})
    DeletedFrames(desk.app).replace(ANN, first, [1, 2])
    (copy,) = copied(desk, project)
    assert names(desk, copy["id"]) == ["01.jpg", "07.jpg", "01_1.jpg", "03.jpg", "05.jpg", "07_1.jpg"]
    assert seen(desk, copy["id"]) == [
        [(0, 1.5, False), (1, 1.5, True)], [(1, 9, False), (2, 9, True)],
        [(2, 1.5, False), (3, 1.5, True)], [(5, 9, False)],
    ]  # fmt: skip


def test_honeypots_are_no_images(desk: Desk) -> None:
    project = desk.project("animals", LABELS)
    validation = {
        "mode": "gt_pool", "frame_selection_method": "manual", "frames": ["00.jpg", "03.jpg"],
        "frames_per_job_count": 1, "random_seed": 1,
    }  # fmt: skip
    params = {"image_quality": 70, "sorting_method": "random", "validation_params": validation}
    task = desk.task("checked", [], frames=6, project_id=project, segment_size=2, params=params)
    frames = desk.database.query(b"SELECT name, number FROM frames WHERE task_id = %s ORDER BY number", (task,))
    repeats = {row["frame"] for row in desk.database.query(b"SELECT frame FROM honeypots WHERE task_id = %s", (task,))}
    car = desk.label(task, "car")
    desk.draw(task, {"shapes": [{**box(row["number"], row["number"]), "label_id": car} for row in frames]})
    (copy,) = copied(desk, project)
    kept = [row for row in frames if row["number"] not in repeats]
    assert repeats
    assert names(desk, copy["id"]) == [row["name"] for row in kept]
    assert [one[0] for one in seen(desk, copy["id"])] == [
        (number, row["number"], False) for number, row in enumerate(kept)
    ]


def test_frames_of_a_video_become_images(desk: Desk, tmp_path: Path) -> None:
    project = desk.project("animals", LABELS)
    files = {"clip.mp4": write_clip(tmp_path / "clip.mp4").read_bytes()}
    task = desk.new_task(NewTask("clip", [], project_id=project), files, {**STEP, "frame_filter": " step = 2 "})
    desk.draw(task, {"tracks": [track(desk.label(task, "car"), box(2), box(4, 9))]})
    (copy,) = copied(desk, project)
    assert names(desk, copy["id"])[:3] == ["frame_000001.PNG", "frame_000003.PNG", "frame_000005.PNG"]
    assert seen(desk, copy["id"]) == [[(2, 1.5, False), (4, 9, False)]]


def test_a_single_task_makes_a_task_of_a_project(desk: Desk, task: int) -> None:
    desk.draw(task, {"tracks": [track(desk.label(task, "car"), box(2), box(4, 9))]})
    content = desk.exported(desk.target("task", task), VIDEO, save_images=True).read_bytes()
    (copy,) = copied(desk, 0, content)
    assert (copy["subset"], names(desk, copy["id"])) == ("default", [f"{number:02}.jpg" for number in range(10)])
    assert seen(desk, copy["id"]) == seen(desk, task)


def test_a_dataset_without_all_of_its_images_makes_no_task(desk: Desk, subsets: int) -> None:
    content = desk.exported(desk.target("project", subsets), VIDEO, save_images=True).read_bytes()
    less = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as archive, zipfile.ZipFile(less, "w") as rest:
        for name in archive.namelist():
            if name != "images/train/01.jpg":
                rest.writestr(name, archive.read(name))
    other = desk.project("again", LABELS)
    request_id = desk.send(desk.target("project", other), CVAT, less.getvalue())
    assert desk.wait(request_id) == "failed"
    assert desk.message(request_id) == (
        "sent.zip: annotations.xml: the subset “train” has 6 frames, but 5 images in its folder"
    )
    assert desk.database.query(b"SELECT id FROM tasks WHERE project_id = %s", (other,)) == []
