"""CVAT's manifests of images."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import MediaError
from domain.manifest import read_manifest

HEAD: list[Any] = [{"version": "1.1"}, {"type": "images"}]


def manifest(*lines: Any, name: str = "x/m.jsonl") -> Any:
    return read_manifest(name, "\n".join(map(json.dumps, [*HEAD, *lines])).encode())


def test_names_are_relative_to_the_manifest() -> None:
    found = manifest(
        {"name": "b", "extension": ".jpg", "width": 4, "height": 3, "meta": {"related_images": []}, "checksum": "1"},
        {"name": "y/a", "extension": ".png"},
    )
    assert dict(found.sizes) == {"x/b.jpg": (4, 3), "x/y/a.png": None}


def test_the_order_is_that_of_the_lines() -> None:
    found = manifest(*({"name": name, "extension": ".jpg"} for name in "cab"), name="m.jsonl")
    assert found.order(["a.jpg", "b.jpg", "c.jpg"]) == ["c.jpg", "a.jpg", "b.jpg"]
    assert found.order(["b.jpg"]) == ["b.jpg"]
    with pytest.raises(MediaError, match=r"m\.jsonl does not name these images: d\.jpg, e\.jpg"):
        found.order(["e.jpg", "a.jpg", "d.jpg"])


def test_sizes_are_checked_where_they_are_given() -> None:
    found = manifest({"name": "a", "extension": ".jpg", "width": 4, "height": 3}, {"name": "b.jpg"}, name="m.jsonl")
    found.check_size("a.jpg", (4, 3))
    found.check_size("b.jpg", (9, 9))
    with pytest.raises(MediaError, match=r"a\.jpg is 3 x 4 pixels; m\.jsonl says 4 x 3"):
        found.check_size("a.jpg", (3, 4))


@pytest.mark.parametrize("line", [[], 1, {}, {"name": ""}, {"name": 1}, {"name": "a", "extension": None}])
def test_a_wrong_line_is_named(line: Any) -> None:
    with pytest.raises(MediaError, match=r"x/m\.jsonl, line 4"):
        manifest({"name": "a.jpg"}, line)


def test_an_image_is_named_once() -> None:
    with pytest.raises(MediaError, match=r"line 4: x/a\.jpg is named twice"):
        manifest({"name": "a", "extension": ".jpg"}, {"name": "a.jpg"})


@given(st.binary(max_size=60))
@example(b"{}")
@example(b"{}\n{}")
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError, match=r"m\.jsonl"):
        read_manifest("m.jsonl", content)
