"""From a dataset to datumaro's items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from datumaro.components import annotation as dm
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image
from pycocotools import mask as rle

from domain.annotation.document import Item
from infra.formats.by_frame import by_frame
from infra.formats.datumaro.values import outgoing
from infra.formats.masks import decoded
from infra.formats.model import VIDEO_SUFFIX, Dataset, Frame, Labels, Part

Convert = Callable[[Item, Frame, Mapping[str, Any]], "dm.Annotation | None"]
"""From a shape on a frame, and what every annotation of datumaro is told; None: the format has no word for it."""

VISIBLE, HIDDEN, ABSENT = 2, 1, 0


def categories(labels: Labels) -> dict[Any, Any]:
    """The labels in their order, and the points of skeletons."""
    names, points = dm.LabelCategories(), dm.PointsCategories()
    for label in labels.top:
        index = names.add(label.name, attributes={attribute.name for attribute in label.attributes})
        if label.sublabels:
            points.add(index, [point.name for point in label.sublabels])
    return {dm.AnnotationType.label: names} | ({dm.AnnotationType.points: points} if points.items else {})


def items(dataset: Dataset, convert: Convert) -> Iterator[DatasetItem]:
    """The frames of all parts. They tell their number in the source, too."""
    writer = _Writer(dataset.labels, convert)
    for part in dataset.parts:
        yield from writer.items(part)


class _Writer:
    def __init__(self, labels: Labels, convert: Convert) -> None:
        self._convert, self._attributes = convert, labels.attributes
        self._index = {label.id: index for index, label in enumerate(labels.top)}
        self._points = {label.id: [point.id for point in label.sublabels] for label in labels.top}

    def items(self, part: Part) -> Iterator[DatasetItem]:
        suffix = VIDEO_SUFFIX if part.task.mode == "interpolation" else ""
        for frame, shapes, tags in by_frame(part):
            found = [self._convert(self._ordered(shape), frame, self._common(shape)) for shape in shapes]
            found += [dm.Label(**_without_depth(self._common(tag))) for tag in tags]
            yield DatasetItem(
                id=frame.name.rpartition(".")[0] or frame.name,
                subset=part.subset,
                media=Image.from_file(path=f"{frame.name}{suffix}", size=(frame.height, frame.width)),
                annotations=[annotation for annotation in found if annotation is not None],
                attributes={"frame": frame.source},
            )

    def _ordered(self, shape: Item) -> Item:
        """A skeleton with its points in the order of the label's; None for those that are not there."""
        if shape["type"] != "skeleton":
            return shape
        found = {element["label_id"]: element for element in shape["elements"]}
        return {**shape, "elements": [found.get(point) for point in self._points[shape["label_id"]]]}

    def _common(self, item: Item) -> dict[str, Any]:
        return {
            "label": self._index[item["label_id"]],
            "group": item["group"],
            "z_order": item.get("z_order", 0),
            "attributes": outgoing(item, self._attributes),
        }


def _without_depth(common: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in common.items() if name != "z_order"}


def figure(shape: Item, frame: Frame, common: Mapping[str, Any]) -> dm.Annotation | None:
    """As `Convert`, for a format that knows all that datumaro knows."""
    return _FIGURES[shape["type"]](shape, frame, common)


def _box(shape: Item, _: Frame, common: Mapping[str, Any]) -> dm.Annotation:
    left, top, right, bottom = shape["points"]
    return dm.Bbox(left, top, right - left, bottom - top, **common)


def _ellipse(shape: Item, _: Frame, common: Mapping[str, Any]) -> dm.Annotation:
    """Datumaro's has the corners of the box around it."""
    cx, cy, right, top = shape["points"]
    return dm.Ellipse(2 * cx - right, top, right, 2 * cy - top, **common)


def _cuboid(shape: Item, _: Frame, common: Mapping[str, Any]) -> dm.Annotation:
    return dm.Cuboid2D(list(zip(shape["points"][::2], shape["points"][1::2], strict=True)), **common)


def mask(shape: Item, frame: Frame, common: Mapping[str, Any]) -> dm.Annotation:
    """As far as it lies in the frame. Raises MediaError for one whose runs do not fill its box."""
    pixels = decoded(shape["points"])
    left, top = (int(value) for value in shape["points"][-4:-2])
    whole = np.zeros((frame.height, frame.width), dtype=np.uint8, order="F")
    shown = pixels[max(0, -top) : frame.height - top, max(0, -left) : frame.width - left]
    if shown.size:
        y, x = max(0, top), max(0, left)
        whole[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    return dm.RleMask(rle.encode(whole), **common)


def _skeleton(shape: Item, _: Frame, common: Mapping[str, Any]) -> dm.Annotation | None:
    """None when one of its points is more than a point."""
    points: list[float] = []
    for element in shape["elements"]:
        place = [0.0, 0.0] if element is None else element["points"]
        if len(place) != 2:
            return None
        points += place
    return dm.Points(points, [_visibility(element) for element in shape["elements"]], **common)


def _visibility(element: Item | None) -> int:
    if element is None or element["outside"]:
        return ABSENT
    return HIDDEN if element["occluded"] else VISIBLE


def _plain(kind: type[dm.Annotation]) -> Callable[[Item, Frame, Mapping[str, Any]], dm.Annotation]:
    return lambda shape, _, common: kind(shape["points"], **common)


_FIGURES: Mapping[str, Convert] = {
    "rectangle": _box,
    "ellipse": _ellipse,
    "cuboid": _cuboid,
    "mask": mask,
    "skeleton": _skeleton,
    "polygon": _plain(dm.Polygon),
    "polyline": _plain(dm.PolyLine),
    "points": _plain(dm.Points),
}
