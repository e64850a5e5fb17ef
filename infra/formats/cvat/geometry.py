"""The numbers of shapes as XML attributes, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.annotation.document import Item

Points = list[float]

ELEMENTS = {
    "rectangle": "box",
    **{name: name for name in ("polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")},
}
"""Shape type → name of the XML element."""

TYPES = {element: shape_type for shape_type, element in ELEMENTS.items()}
CORNERS = tuple(
    f"{axis}{corner}{side}" for side in "12" for corner in ("tl", "bl", "tr", "br") for axis in "xy"
)  # of a cuboid
_BOX = 'xtl="%.2f" ytl="%.2f" xbr="%.2f" ybr="%.2f"'
_ELLIPSE = 'cx="%.2f" cy="%.2f" rx="%.2f" ry="%.2f"'
_CUBOID = " ".join(f'{name}="%.2f"' for name in CORNERS)


def written(shape: Item) -> str:
    """The attributes, as CVAT writes them: two decimals; a mask's run lengths in whole pixels."""
    text = _WRITERS[shape["type"]](shape["points"])
    rotation = shape["rotation"]
    return f'{text} rotation="{rotation:.2f}"' if rotation and shape["type"] in ("rectangle", "ellipse") else text


def read(element: str, attributes: Mapping[str, str]) -> Points:
    """Raises KeyError for an attribute that is missing, ValueError for one that is no number."""
    return _READERS[element](attributes)


def _write_box(points: Sequence[float]) -> str:
    return _BOX % tuple(points)


def _write_ellipse(points: Sequence[float]) -> str:
    cx, cy, right, top = points
    return _ELLIPSE % (cx, cy, right - cx, cy - top)


def _write_cuboid(points: Sequence[float]) -> str:
    return _CUBOID % tuple(points)


def _write_points(points: Sequence[float]) -> str:
    pairs = "%.2f,%.2f;" * (len(points) // 2) % tuple(points)
    return f'points="{pairs[:-1]}"'


def _write_mask(points: Sequence[float]) -> str:
    *runs, left, top, right, bottom = map(int, points)
    rle = ", ".join(map(str, runs))
    return f'rle="{rle}" left="{left}" top="{top}" width="{right - left + 1}" height="{bottom - top + 1}"'


def _read_box(found: Mapping[str, str]) -> Points:
    return [float(found["xtl"]), float(found["ytl"]), float(found["xbr"]), float(found["ybr"])]


def _read_ellipse(found: Mapping[str, str]) -> Points:
    cx, cy = float(found["cx"]), float(found["cy"])
    # Rounded to what is written: 10.1 + 20.2 is not 30.3 in binary.
    return [cx, cy, round(cx + float(found["rx"]), 2), round(cy - float(found["ry"]), 2)]


def _read_cuboid(found: Mapping[str, str]) -> Points:
    return [float(found[name]) for name in CORNERS]


def _read_points(found: Mapping[str, str]) -> Points:
    return list(map(float, found["points"].replace(";", ",").split(",")))


def _read_mask(found: Mapping[str, str]) -> Points:
    left, top = int(found["left"]), int(found["top"])
    points: list[Any] = list(map(int, found["rle"].split(",")))
    points += (left, top, left + int(found["width"]) - 1, top + int(found["height"]) - 1)
    return points


def _nothing(_: Any) -> Any:
    return []


_WRITERS: dict[str, Callable[[Sequence[float]], str]] = {
    "rectangle": _write_box,
    "ellipse": _write_ellipse,
    "cuboid": _write_cuboid,
    "mask": _write_mask,
    **dict.fromkeys(("polygon", "polyline", "points"), _write_points),
}
_READERS: dict[str, Callable[[Mapping[str, str]], Points]] = {
    "box": _read_box,
    "ellipse": _read_ellipse,
    "cuboid": _read_cuboid,
    "mask": _read_mask,
    "skeleton": _nothing,
    **dict.fromkeys(("polygon", "polyline", "points"), _read_points),
}
