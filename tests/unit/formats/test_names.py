"""Names of images, where several tasks share a folder, and where an archive has folders of its own."""

from __future__ import annotations

import pytest

from domain.errors import MediaError
from infra.formats.images import Images
from infra.formats.model import Frame
from infra.formats.names import told_apart

from . import given


def test_images_of_one_subset_are_told_apart() -> None:
    names = [["a.jpg", "b/c.jpg", "d"], ["a.jpg", "b/c.jpg", "d"], ["a_1.jpg"], ["a.jpg"]]
    subsets = ["train", "train", "train", "val"]
    parts = [
        given.part({}, given.task(number, subset=subset), [Frame(n, n, name, 1, 1) for n, name in enumerate(of_part)])
        for number, (subset, of_part) in enumerate(zip(subsets, names, strict=True))
    ]
    apart = told_apart(parts)
    assert [[frame.name for frame in part.frames()] for part in apart] == [
        ["a.jpg", "b/c.jpg", "d"], ["a_1.jpg", "b/c_1.jpg", "d_1"], ["a_1_1.jpg"], ["a.jpg"],
    ]  # fmt: skip
    assert [picture.name for picture in apart[1].pictures()] == ["a_1.jpg", "b/c_1.jpg", "d_1"]
    assert [picture.content for picture in apart[1].pictures()] == [b"a.jpg", b"b/c.jpg", b"d"]


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("a.jpg", "images/train/a.jpg"),
        ("b.jpg", "images/b.jpg"),
        ("frame_000001", "images/train/frame_000001.PNG"),
        ("c.jpg", "train2017/c.jpg"),
        ("deep/d.jpg", "other/deep/d.png"),
        ("e.jpg", "e.jpg"),
    ],
)
def test_images_are_found_where_datasets_have_them(name: str, entry: str) -> None:
    entries = [
        "annotations.xml", "images/val/a.jpg", "images/train/a.jpg", "images/b.jpg", "images/train/frame_000001.PNG",
        "train2017/c.jpg", "other/deep/d.png", "other/d.png", "e.jpg",
    ]  # fmt: skip
    assert Images(entries, "a.zip").find("train", [name]) == {name: entry}


@pytest.mark.parametrize(
    ("name", "problem"), [("x.jpg", "no image"), ("a.jpg", "several images"), ("b.xml", "no image")]
)
def test_images_that_are_not_there_or_not_clear_are_refused(name: str, problem: str) -> None:
    with pytest.raises(MediaError, match=f"a.zip holds {problem} for “{name}” of the subset “train”"):
        Images(["one/a.jpg", "two/a.jpg", "b.xml"], "a.zip").find("train", [name])
