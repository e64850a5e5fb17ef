"""Masks as polygons: their outlines, followed along the edges of the pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.annotation.document import Document, Item
from domain.errors import MediaError

MAX_PIXELS = 250_000_000
TOLERANCE = 1.0
"""Pixels that an outline may be away from the mask's: straight lines that cross pixels come back as such."""

Pixels = NDArray[np.bool_]
Values = NDArray[np.float64]
Corner = tuple[int, int]
Edge = tuple[int, int, int, int]
"""Of a pixel: where it starts (x, y), and the step along it; the mask is on the right."""


def as_polygons(document: Document) -> Document:
    """The document with a polygon in the place of each connected part of each mask. Raises MediaError."""
    shapes = [part for shape in document["shapes"] for part in _parts(shape)]
    return {**document, "shapes": shapes}


def _parts(shape: Item) -> Iterator[Item]:
    if shape["type"] != "mask":
        yield shape
        return
    left, top = shape["points"][-4:-2]
    for corners in outlines(decoded(shape["points"])):
        points = [float(value) for x, y in simplified(corners) for value in (x + left, y + top)]
        yield {**shape, "type": "polygon", "points": points}


def decoded(points: Sequence[float]) -> Pixels:
    """The pixels of a mask's box, by row. Raises MediaError for runs that do not fill it, or too large a box."""
    *runs, left, top, right, bottom = (int(value) for value in points)
    width, height = right - left + 1, bottom - top + 1
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise MediaError(f"A mask of {width} x {height} pixels is not accepted")
    if min(runs, default=0) < 0 or sum(runs) != width * height:
        raise MediaError(f"The runs of a mask of {width} x {height} pixels fill {sum(runs)} pixels")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)


def encoded(pixels: Pixels, left: int = 0, top: int = 0) -> list[float]:
    """A mask's points, cut to the pixels that are set; empty when none is. `left`, `top`: where the pixels are."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return []
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    flat = np.concatenate([[False], cut.ravel(), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    ends = changes if changes[-1] == cut.size else np.append(changes, cut.size)
    runs = np.diff(ends, prepend=0).tolist()
    box = [left + columns[0], top + rows[0], left + columns[-1], top + rows[-1]]
    return [*runs, *(int(value) for value in box)]


def outlines(pixels: Pixels) -> Iterator[list[Corner]]:
    """The corners around each part of the mask whose pixels share sides, clockwise. Holes are filled."""
    edges = _edges(pixels)
    while edges:
        corners = _followed(edges)
        if _area(corners) > 0:  # a hole goes the other way round
            yield corners


def simplified(corners: Sequence[Corner]) -> list[Corner]:
    """Without those corners that are near enough to the line between others (Douglas and Peucker)."""
    ring = np.array([*corners, corners[0]], dtype=np.float64)
    far = int(np.hypot(*(ring - ring[0]).T).argmax())
    kept, open_spans = {0, far}, [(0, far), (far, len(corners))]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        distances = _distances(ring[first + 1 : last], ring[first], ring[last])
        furthest = int(distances.argmax())
        if distances[furthest] > TOLERANCE:
            middle = first + 1 + furthest
            kept.add(middle)
            open_spans += [(first, middle), (middle, last)]
    return [corners[index] for index in sorted(kept)] if len(kept) > 2 else list(corners)


def _edges(pixels: Pixels) -> dict[Edge, None]:
    """All edges between the mask and what is not."""
    padded = np.pad(pixels, 1)
    inner, above, below = padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1]
    before, behind = padded[1:-1, :-2], padded[1:-1, 2:]
    found: dict[Edge, None] = {}
    for outside, x_offset, y_offset, step in (
        (above, 0, 0, (1, 0)),
        (behind, 1, 0, (0, 1)),
        (below, 1, 1, (-1, 0)),
        (before, 0, 1, (0, -1)),
    ):
        places = np.argwhere(inner & ~outside).tolist()
        found.update(((x + x_offset, y + y_offset, *step), None) for y, x in places)
    return found


def _followed(edges: dict[Edge, None]) -> list[Corner]:
    """The corners of one outline, whose edges are used up."""
    first = edge = edges.popitem()[0]
    corners = []
    while True:
        x, y, dx, dy = edge
        x, y = x + dx, y + dy
        # Where pixels touch at a corner only, the turn to the right stays with the same pixel.
        for step in ((-dy, dx), (dx, dy), (dy, -dx)):
            edge = (x, y, *step)
            if edge == first or edge in edges:
                break
        if step != (dx, dy):
            corners.append((x, y))
        if edge == first:
            return corners
        del edges[edge]


def _area(corners: Sequence[Corner]) -> int:
    """Twice the area; negative for corners against the clock."""
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in pairs)


def _distances(points: Values, start: Values, end: Values) -> Values:
    """From the line through `start` and `end`, or from that point where they are one."""
    way, ways = end - start, points - start
    length = np.hypot(*way)
    if length == 0:
        return np.hypot(*ways.T)  # type: ignore[no-any-return]
    return np.abs(way[0] * ways[:, 1] - way[1] * ways[:, 0]) / length  # type: ignore[no-any-return]
