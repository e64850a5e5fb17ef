"""What a task is made from, by the names of files."""

from __future__ import annotations

import pytest

from domain.errors import MediaError
from domain.media import Media, archive_among, kind, sort_out


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "image"),
        ("A.JPEG", "image"),
        ("a.avif", "image"),
        ("a.webp", "image"),
        ("a.svg", "unknown"),
        ("a.MKV", "video"),
        ("a.webm", "video"),
        ("a.wmv", "video"),
        ("a.zip", "zip"),
        ("a.tar.gz", "archive"),
        ("a.7z", "archive"),
        ("a.jsonl", "unknown"),
        ("jpg", "unknown"),
    ],
)
def test_kinds(name: str, expected: str) -> None:
    assert kind(name) == expected


def test_pictures_with_a_manifest() -> None:
    assert sort_out(["b.jpg", "m.JSONL", "a.png"]) == Media(["b.jpg", "a.png"], None, "m.JSONL", {})


def test_a_sent_file_of_unknown_kind_is_looked_at_and_a_found_one_is_not() -> None:
    names = ["a.jpg", "b.xyz", ".hidden.jpg", "__MACOSX/._a.jpg", "x/.y.jpg"]
    assert sort_out(names).images == names
    assert sort_out(names, gathered=True).images == ["a.jpg"]


def test_a_video_stands_alone() -> None:
    assert sort_out(["a.mp4", "notes.txt", "m.jsonl"], gathered=True) == Media(video="a.mp4", manifest="m.jsonl")
    for names in (["a.mp4", "b.mov"], ["a.mp4", "a.jpg"]):
        with pytest.raises(MediaError, match="Only one video"):
            sort_out(names)


@pytest.mark.parametrize("names", [[], ["m.jsonl"], ["related_images/a_jpg/x.jpg"]])
def test_nothing_is_no_media(names: list[str]) -> None:
    with pytest.raises(MediaError, match="No media data found"):
        sort_out(names)


def test_what_can_not_be_read_is_named() -> None:
    with pytest.raises(MediaError, match=r"a\.flv is a video of a kind"):
        sort_out(["a.flv"])
    with pytest.raises(MediaError, match=r"a\.rar is an archive of a kind"):
        sort_out(["a.rar", "b.jpg"])
    with pytest.raises(MediaError, match="Only one manifest"):
        sort_out(["a.jsonl", "b.jsonl", "b.jpg"])


def test_an_archive_stands_alone_but_for_its_manifest() -> None:
    assert archive_among(["a.jpg"]) is None
    assert archive_among(["m.jsonl", "A.ZIP"]) == "A.ZIP"
    for names in (["a.zip", "b.tar"], ["a.zip", "b.jpg"]):
        with pytest.raises(MediaError, match="Only one archive"):
            archive_among(names)


def test_related_images_are_shown_beside_the_image_that_their_folder_names() -> None:
    media = sort_out(
        [
            "x/im.age.png",
            "im.jpg",
            "x/related_images/im.age_png/b.jpg",
            "x/related_images/im.age_png/a.jpg",
            "related_images/im.age_png/c.jpg",
            "related_images/im_jpg/deeper/d.jpg",
            "related_images/e.jpg",
        ]
    )
    assert media.images == ["x/im.age.png", "im.jpg"]
    assert media.related == {"x/im.age.png": ["x/related_images/im.age_png/a.jpg", "x/related_images/im.age_png/b.jpg"]}
