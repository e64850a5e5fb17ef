"""Masks become polygons that cover the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from domain.errors import MediaError
from infra.formats.masks import Pixels, as_polygons, decoded, encoded, outlines, simplified


@st.composite
def pixels(draw: st.DrawFn) -> Pixels:
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    values = draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    return np.array(values, dtype=np.bool_).reshape(height, width)


def filled(corners: list[tuple[int, int]], shape: tuple[int, ...]) -> Pixels:
    """The pixels within an outline, by the centers of the pixels: even and odd crossings of each row."""
    inside = np.zeros(shape, dtype=np.bool_)
    for (x, y), (next_x, next_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if x == next_x:
            inside[min(y, next_y) : max(y, next_y), x:] ^= True
    return inside


@hypothesis_given(pixels())
def test_runs_are_decoded_to_what_was_encoded(mask: Pixels) -> None:
    points = encoded(mask, 5, 7)
    assert bool(points) == bool(mask.any())
    if points:
        left, top, right, bottom = (int(value) for value in points[-4:])
        whole = np.zeros((20, 20), dtype=np.bool_)
        whole[top : bottom + 1, left : right + 1] = decoded(points)
        assert np.array_equal(whole[7 : 7 + mask.shape[0], 5 : 5 + mask.shape[1]], mask)
        assert whole.sum() == mask.sum()


@hypothesis_given(pixels())
def test_outlines_enclose_every_pixel_of_the_mask_once_and_beyond_it_only_holes(mask: Pixels) -> None:
    covered = np.zeros(mask.shape, dtype=np.int64)
    for corners in outlines(mask):
        covered += filled(corners, mask.shape)
    assert (covered[mask] >= 1).all()
    assert not covered[~_enclosed(mask) & ~mask].any()


def _enclosed(mask: Pixels) -> Pixels:
    """Pixels that a flood from outside does not reach, over sides or corners."""
    padded = np.pad(mask, 1)
    reached = np.zeros(padded.shape, dtype=np.bool_)
    todo = [(0, 0)]
    while todo:
        y, x = todo.pop()
        if 0 <= y < padded.shape[0] and 0 <= x < padded.shape[1] and not reached[y, x] and not padded[y, x]:
            reached[y, x] = True
            todo += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return ~reached[1:-1, 1:-1] & ~mask


def test_a_hole_is_filled_and_parts_that_touch_at_a_corner_are_two() -> None:
    ring = np.ones((3, 3), dtype=np.bool_)
    ring[1, 1] = False
    assert [sorted(corners) for corners in outlines(ring)] == [[(0, 0), (0, 3), (3, 0), (3, 3)]]
    assert len(list(outlines(np.eye(2, dtype=np.bool_)))) == 2


def test_a_large_round_mask_becomes_a_polygon_of_few_points_that_covers_it() -> None:
    picture = Image.new("1", (200, 160))
    ImageDraw.Draw(picture).ellipse((20, 10, 180, 150), fill=1)
    mask = np.asarray(picture, dtype=np.bool_)
    [corners] = outlines(mask)
    few = simplified(corners)
    drawn = Image.new("1", (200, 160))
    ImageDraw.Draw(drawn).polygon(few, fill=1)
    again = np.asarray(drawn, dtype=np.bool_)
    assert len(few) < len(corners) / 4
    assert (mask & again).sum() / (mask | again).sum() > 0.97


def test_a_shape_of_another_type_stays_as_it_is() -> None:
    box = {"type": "rectangle", "points": [0, 0, 1, 1]}
    mask = {"type": "mask", "label_id": 3, "frame": 2, "points": [0, 4, 10, 20, 11, 21]}
    document = as_polygons({"tags": [], "shapes": [box, mask], "tracks": [], "intervals": []})
    assert document["shapes"][0] == box
    polygon = document["shapes"][1]
    assert (polygon["type"], polygon["label_id"], polygon["frame"]) == ("polygon", 3, 2)
    corners = list(zip(polygon["points"][::2], polygon["points"][1::2], strict=True))
    assert sorted(corners) == [(10, 20), (10, 22), (12, 20), (12, 22)]


@pytest.mark.parametrize("points", [[1, 0, 0, 1, 1], [-1, 5, 0, 0, 1, 1], [4, 0, 0, 60_000, 60_000], [1, 5, 5, 4, 4]])
def test_runs_that_do_not_fill_their_box_are_refused(points: list[float]) -> None:
    with pytest.raises(MediaError, match="mask"):
        decoded(points)
