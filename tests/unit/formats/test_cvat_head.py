"""What the head of a file by track tells of tasks, and where it is wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.errors import MediaError
from infra.formats.cvat import formats, head, reader
from infra.formats.cvat.head import ToldTask

from . import given

FIELDS = {"id": "7", "size": "3", "subset": "train", "start_frame": "10", "frame_filter": "step=5"}


def told(**fields: str | None) -> str:
    """One task."""
    found = {name: value for name, value in {**FIELDS, **fields}.items() if value is not None}
    return "<task>" + "".join(f"<{name}>{value}</{name}>" for name, value in found.items()) + "</task>"


def project(*tasks: str, tracks: str = "") -> str:
    about = f"<meta><project><id>1</id><tasks>{''.join(tasks)}</tasks></project></meta>"
    return f"<annotations>{about}{tracks}</annotations>"


def track(task_id: int, *frames: int, subset: str = "train") -> str:
    boxes = "".join(f'<box frame="{frame}" xtl="1" ytl="2" xbr="3" ybr="4"/>' for frame in frames)
    return f'<track id="0" label="car" task_id="{task_id}" subset="{subset}">{boxes}</track>'


def read(xml: str, subset: str | None = "train") -> list[list[tuple[int, bool]]]:
    """Each track's keyframes."""
    found = reader.read([xml.encode()], "a.xml", given.target(6), subset)
    return [[(keyframe["frame"], keyframe["outside"]) for keyframe in one["shapes"]] for one in found["tracks"]]


def listed(folder: Path, xml: str, *images: str) -> dict[str, list[str]]:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("annotations.xml", *images):
            archive.writestr(name, xml)
    return formats.listed(path, "a.zip")


def test_tracks_are_moved_to_where_their_tasks_frames_are() -> None:
    other = told(id="8", start_frame="0", frame_filter="")
    xml = project(told(), told(id="9", subset="val"), other, tracks=track(7, 10, 20) + track(8, 0, 2))
    assert read(xml) == [[(0, False), (2, False), (3, True)], [(3, False), (5, False)]]
    assert read(xml, "val") == []


def test_of_a_subset_the_folder_counts() -> None:
    xml = project(told(subset="a/b"), tracks=track(7, 15, subset="a_b"))
    assert read(xml, "a_b") == [[(1, False), (3, True)]]


def test_a_file_for_one_task_needs_no_head() -> None:
    xml = project("<task/>", tracks=track(7, 4))
    assert read(xml, None) == [[(4, False)]]


def test_images_are_those_of_the_subsets_folders(tmp_path: Path) -> None:
    xml = project(told(size="2"), told(id="8", size="1", subset=""), told(id="9", size="0", subset="val"))
    images = ["images/train/z/b.jpg", "images/train/a.jpg", "images/default/a.jpg", "images/train/notes.txt", "c.jpg"]
    assert listed(tmp_path, xml, *images) == {"train": ["z/b.jpg", "a.jpg"], "default": ["a.jpg"]}
    with pytest.raises(MediaError, match="“train” has 2 frames, but 1 images"):
        listed(tmp_path, xml, *images[1:])


WRONG = {
    "no size": (project(told(size=None), tracks=track(7, 10)), "a <task> has no <size>"),
    "no number": (project(told(start_frame="x"), tracks=track(7, 10)), "a <task> has a number that is none"),
    "less than nothing": (project(told(size="-1"), tracks=track(7, 10)), "a <task> has a number that is none"),
    "more left out": (project(told(size="1", left_out="1 2"), tracks=track(7, 10)), "a number that is none"),
    "twice": (project(told(), told(), tracks=track(7, 10)), "tells of the task 7 beside another"),
    "another task": (project(told(), tracks=track(8, 10)), "<track> is of the task 8, of which <meta> does not tell"),
    "between frames": (project(told(), tracks=track(7, 11)), "<box> is on frame 11, which there is not"),
    "after the last": (project(told(), tracks=track(7, 25)), "<box> is on frame 25, which there is not"),
    "left out": (project(told(left_out="15"), tracks=track(7, 15)), "<box> is on frame 15, which there is not"),
    "not in the target": (project(told(size="9"), tracks=track(7, 40)), "<box> is on frame 40, which there is not"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_heads_that_do_not_fit_are_refused(name: str) -> None:
    xml, message = WRONG[name]
    with pytest.raises(MediaError, match=message):
        read(xml)


@pytest.mark.parametrize("tasks", [told(left_out="1 " * 600), "<task/>" * 17])
def test_a_head_that_goes_on_and_on_is_refused(monkeypatch: pytest.MonkeyPatch, tasks: str) -> None:
    monkeypatch.setattr(head, "MAX_TEXT", 1024)
    with pytest.raises(MediaError, match="of its tasks"):
        read(project(tasks))


@hypothesis_given(st.integers(0, 50), st.integers(1, 7), st.sets(st.integers(0, 19)), st.integers(0, 9))
def test_exported_frames_are_counted_through(start: int, step: int, left_out: set[int], first: int) -> None:
    sources = [start + number * step for number in range(20)]
    gone = tuple(sources[number] for number in sorted(left_out))
    task = ToldTask("train", first, 20, start, step, gone)
    found = [task.frame(source) for source in range(start - 5, sources[-1] + 9)]
    assert [frame for frame in found if frame is not None] == list(range(first, task.end))
    assert [task.frame(source) is None for source in sources] == [number in left_out for number in range(20)]
