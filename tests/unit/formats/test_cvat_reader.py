"""Files of CVAT's format as other programs write them, and as attackers do."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.annotation.document import Document
from domain.errors import MediaError
from infra.formats.cvat import formats, parsing, reader

from ..annotation.drawing import BLURRED, CAR, COLOR, PERSON
from . import given

BOX = '<box label="tree" xtl="1" ytl="2" xbr="3" ybr="4"/>'


def read(xml: str | bytes) -> Document:
    content = xml.encode() if isinstance(xml, str) else xml
    return reader.read([content], "a.xml", given.target())


def on_image(content: str, name: str = "street/003.jpg") -> Document:
    return read(f'<annotations><image id="0" name="{name}">{content}</image></annotations>')


def in_track(content: str, label: str = "car") -> Document:
    return read(f'<annotations><track id="0" label="{label}">{content}</track></annotations>')


@pytest.mark.parametrize(
    ("name", "number", "frame"),
    [
        ("street/003.jpg", 9, 3),
        ("street/003.png", 9, 3),
        ("street/003", 9, 3),
        ("003.jpg", 9, 3),
        ("images/default/street/003.jpg", 9, 3),
        ("unknown.jpg", 9, 9),
    ],
)
def test_frames_are_found_by_name_and_then_by_number(name: str, number: int, frame: int) -> None:
    document = read(f'<annotations><image id="{number}" name="{name}">{BOX}</image></annotations>')
    assert [shape["frame"] for shape in document["shapes"]] == [frame]


def test_a_name_that_ends_two_paths_is_nobodys() -> None:
    frames = [given.Frame(n, n, f"{folder}/a.jpg", 1, 1) for n, folder in enumerate(("one", "two"))]
    assert given.Frames(frames).find("a.jpg") is None
    assert given.Frames(frames).find("two/a.jpg") == 1


def test_what_older_versions_leave_out_is_filled_in() -> None:
    document = given.normal(on_image(BOX))
    assert document["shapes"] == [
        {
            "id": None, "frame": 3, "label_id": 2, "group": 0, "source": "manual", "attributes": [],
            "type": "rectangle", "points": [1, 2, 3, 4], "occluded": False, "outside": False, "z_order": 0,
            "rotation": 0, "score": 1, "elements": [],
        }
    ]  # fmt: skip


def test_a_source_of_another_program_is_manual() -> None:
    assert on_image(BOX.replace("<box", '<box source="robot"'))["shapes"][0]["source"] == "manual"


def test_attributes_that_the_label_does_not_have_are_passed_over() -> None:
    attributes = '<attribute name="color">blue</attribute><attribute name="size">9</attribute>'
    document = on_image(f'<tag label="car">{attributes}</tag>')
    assert document["tags"][0]["attributes"] == [{"spec_id": COLOR, "value": "blue"}]


def test_a_track_keeps_what_cannot_change_and_its_keyframes_the_rest() -> None:
    document = in_track(
        '<box frame="1" keyframe="1" outside="0" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4">'
        '<attribute name="color">blue</attribute><attribute name="blurred">yes</attribute></box>'
        '<box frame="2" keyframe="0" outside="0" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    )
    [track] = document["tracks"]
    assert (track["label_id"], track["attributes"]) == (CAR, [{"spec_id": COLOR, "value": "blue"}])
    assert [(k["frame"], k["attributes"]) for k in track["shapes"]] == [(1, [{"spec_id": BLURRED, "value": "yes"}])]


def test_a_point_of_a_skeleton_may_move_between_the_keyframes_of_the_skeleton() -> None:
    point = '<points label="head" keyframe="{}" outside="0" occluded="0" points="1,2"/>'
    document = in_track(
        f'<skeleton frame="1" keyframe="1">{point.format(1)}</skeleton>'
        f'<skeleton frame="2" keyframe="0">{point.format(1)}</skeleton>'
        f'<skeleton frame="3" keyframe="0">{point.format(0)}</skeleton>',
        "person",
    )
    [track] = document["tracks"]
    assert (track["label_id"], [k["frame"] for k in track["shapes"]]) == (PERSON, [1])
    assert [k["frame"] for k in track["elements"][0]["shapes"]] == [1, 2]


def test_elements_that_nobody_knows_are_passed_over() -> None:
    document = on_image(f"<mystery><box/></mystery>{BOX}<polygon3d/>")
    assert len(document["shapes"]) == 1


REFUSED: dict[str, tuple[str, str]] = {
    "not XML": ("{}", "not well-formed"),
    "nothing": ("", "not well-formed"),
    "cut off": (f'<annotations><image id="0" name="street/003.jpg">{BOX}', "not well-formed"),
    "something else": ("<svg/>", "begin with <annotations>, not with <svg>"),
    "entities": ('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "document type"),
    "external entity": ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "document type"),
    "undeclared entity": ("<annotations>&b;</annotations>", "not well-formed"),
    "nesting": ("<annotations>" + "<meta>" * 20, "nested more than 16 deep"),
    "unknown image": ('<annotations><image name="x.jpg"/></annotations>', "no frame for the image “x.jpg”"),
    "frame without a number": ('<annotations><image id="a" name="x"/></annotations>', "a number that is none"),
    "image without a name": ('<annotations><image id="1"/></annotations>', "<image> has no “name”"),
}  # fmt: skip
ON_IMAGE: dict[str, tuple[str, str]] = {
    "unknown label": (BOX.replace("tree", "cow"), "<box> has the label “cow”, which there is not here"),
    "unknown point": (
        '<skeleton label="person"><points label="tail" points="1,2"/></skeleton>',
        "“tail”, which there is not in the skeleton “person”",
    ),
    "missing number": ('<box label="tree" xtl="1"/>', "<box> has no “ytl”"),
    "no number": (BOX.replace('"1"', '"one"'), "<box> has a number that is none"),
    "too few points": ('<polygon label="tree" points="1,2;3,4"/>', "<polygon>: A polygon has at least 6 numbers"),
    "no end": (BOX.replace('"1"', '"1e999"'), "<box>: Number 0: a finite number"),
    "too large": (
        f'<mask label="tree" rle="{"9" * 400}" left="1" top="1" width="2" height="2"/>',
        "<mask> has a number that is none",
    ),
    "points in a box": (f'{BOX[:-2]}><points label="tree" points="1,2"/></box>', "only skeletons have points"),
    "a skeleton in a skeleton": (
        '<skeleton label="person"><skeleton label="head"/></skeleton>', "these no more of their own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name: str) -> None:
    xml, message = REFUSED[name]
    with pytest.raises(MediaError, match=message) as refused:
        read(xml)
    assert refused.value.message.startswith("a.xml, line 1: ")


@pytest.mark.parametrize("name", ON_IMAGE)
def test_objects_that_are_refused(name: str) -> None:
    content, message = ON_IMAGE[name]
    with pytest.raises(MediaError, match=message):
        on_image(content)


def test_a_track_on_a_frame_that_there_is_not_is_refused() -> None:
    with pytest.raises(MediaError, match="<box> is on frame 99, which there is not"):
        in_track('<box frame="99" xtl="1" ytl="2" xbr="3" ybr="4"/>')


def test_a_tag_that_never_ends_is_refused_before_it_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MAX_SILENCE", 1024 * 1024)

    def endless() -> Iterator[bytes]:
        yield b'<annotations><version a="'
        for _ in range(100):
            yield b"x" * 100_000
        raise AssertionError("it was read on and on")

    with pytest.raises(MediaError, match="in one tag"):
        reader.read(endless(), "a.xml", given.target())


def test_more_objects_than_a_document_may_hold_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_OBJECTS", 3)
    assert len(on_image(BOX * 3)["shapes"]) == 3
    with pytest.raises(MediaError, match="more than 3 objects"):
        on_image(BOX * 4)


@hypothesis_given(st.data())
def test_damage_is_refused_or_read_but_never_breaks_the_program(data: Any) -> None:
    whole = (
        b'<annotations><meta><task/></meta><image id="1" name="street/001.jpg">'
        b'<mask label="tree" rle="1, 2, 1" left="1" top="1" width="2" height="2" occluded="0" z_order="0"/>'
        b'<skeleton label="person"><points label="head" points="1.0,2.0"/></skeleton><tag label="car">'
        b'<attribute name="color">blue</attribute></tag></image><track id="0" label="car">'
        b'<box frame="1" keyframe="1" outside="0" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4"/></track></annotations>'
    )
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, len(whole)))
    damaged = whole[:at] + data.draw(st.binary(max_size=4)) + whole[until:]
    with suppress(MediaError):
        read(damaged)


def test_a_zip_may_hold_several_files(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in (1, 2):
            image = f'<image id="{number}" name="street/00{number}.jpg">{BOX}</image>'
            archive.writestr(f"task_{number}/annotations.xml", f"<annotations>{image}</annotations>")
    assert [shape["frame"] for shape in formats.read(path, "a.zip", given.target())["shapes"]] == [1, 2]


def test_a_zip_without_annotations_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"")
    with pytest.raises(MediaError, match=r"photos\.zip holds no annotations"):
        formats.read(path, "photos.zip", given.target())


def test_of_a_project_one_subset_is_read_by_itself(tmp_path: Path) -> None:
    image = '<image id="{0}" name="street/00{0}.jpg" subset="{1}">' + BOX + "</image>"
    path = tmp_path / "a.xml"
    path.write_text(
        f"<annotations>{image.format(1, 'train')}{image.format(2, 'val')}{image.format(3, '')}</annotations>"
    )
    frames = {
        subset: [shape["frame"] for shape in formats.read(path, "a.xml", given.target(), subset)["shapes"]]
        for subset in ("train", "val", "default", None)
    }
    assert frames == {"train": [1], "val": [2], "default": [3], None: [1, 2, 3]}
    assert formats.listed(path, "a.xml") == {
        "train": ["street/001.jpg"], "val": ["street/002.jpg"], "default": ["street/003.jpg"],
    }  # fmt: skip
