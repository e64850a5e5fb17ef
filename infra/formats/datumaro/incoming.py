"""From datumaro's items, which somebody sent, to a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from datumaro.components import annotation as dm
from datumaro.components.dataset_base import DatasetItem

from domain.annotation.document import KINDS, Document, Item, Limits
from domain.errors import MediaError
from infra.formats.datumaro.outgoing import ABSENT, HIDDEN
from infra.formats.datumaro.reading import image_name
from infra.formats.datumaro.rle import pixels
from infra.formats.datumaro.tracks import Sightings
from infra.formats.datumaro.values import flags, texts
from infra.formats.masks import encoded
from infra.formats.model import Label
from infra.formats.target import Target

MAX_OBJECTS = Limits().objects


class Incoming:
    """One import. `name`: what messages call the file; `names`: those of the dataset's labels, in their order."""

    def __init__(self, target: Target, name: str, names: list[str]) -> None:
        self._target, self._name, self._names = target, name, names
        self._sightings = Sightings(target.frames.numbers)

    def document(self, items: Iterable[DatasetItem]) -> Document:
        """Raises MediaError for an image, label or object that does not fit."""
        found: Document = {kind: [] for kind in KINDS}
        count = 0
        for item in items:
            frame = self._frame(item)
            groups = Counter(annotation.group for annotation in item.annotations)
            for annotation in item.annotations:
                count += 1
                if count > MAX_OBJECTS:
                    raise MediaError(f"{self._name} holds more than {MAX_OBJECTS:,} objects")
                group = annotation.group if groups[annotation.group] > 1 else 0
                self._add(found, annotation, frame, group)
        found["tracks"] = self._sightings.tracks()
        return found

    def _frame(self, item: DatasetItem) -> int:
        name, source = image_name(item), item.attributes.get("frame")
        frame = self._target.frames.find(name, source if isinstance(source, int) else None)
        if frame is None:
            raise MediaError(f"{self._name}: there is no frame for the image “{name}”")
        return frame

    def _add(self, found: Document, annotation: dm.Annotation, frame: int, group: int) -> None:
        label = self._label(annotation)
        attributes = self._target.attributes(label, texts(annotation.attributes))
        own = [attribute.name for attribute in label.attributes]
        said = flags(annotation.attributes, own)
        common = {"frame": frame, "label_id": label.id, "group": group, "source": said["source"]}
        values = [value for _, value in attributes]
        if isinstance(annotation, dm.Label):
            found["tags"].append({**common, "attributes": values})
            return
        shape = self._figure(annotation, label, frame)
        if shape is None:
            return
        shape |= {"occluded": said["occluded"], "z_order": getattr(annotation, "z_order", 0)}
        if "rotation" in said and shape["type"] in ("rectangle", "ellipse"):
            shape["rotation"] = said["rotation"]
        if "track_id" in said:
            self._sightings.add(said["track_id"], common, shape, attributes, key=bool(said.get("keyframe", True)))
            return
        if "score" in said:
            shape["score"] = said["score"]
        found["shapes"].append({**common, **shape, "attributes": values})

    def _figure(self, annotation: dm.Annotation, label: Label, frame: int) -> Item | None:
        """None for what has no place in a task: captions, boxes in space."""
        if isinstance(annotation, dm.Points) and label.sublabels:
            return self._skeleton(annotation, label, frame)
        read = _FIGURES.get(annotation.type)
        if read is None:
            return None
        shape_type, points = read(annotation)
        return {"type": shape_type, "points": points} if points else None

    def _skeleton(self, annotation: dm.Points, label: Label, frame: int) -> Item:
        pairs = list(zip(annotation.points[::2], annotation.points[1::2], strict=True))
        if len(pairs) != len(label.sublabels):
            raise MediaError(f"{self._name}: “{label.name}” has {len(label.sublabels)} points, not {len(pairs)}")
        elements = [
            {
                "type": "points",
                "frame": frame,
                "label_id": point.id,
                "points": _floats(pair),
                "outside": int(visibility) == ABSENT,
                "occluded": int(visibility) == HIDDEN,
            }
            for point, pair, visibility in zip(label.sublabels, pairs, annotation.visibility, strict=True)
        ]
        return {"type": "skeleton", "points": [], "elements": elements}

    def _label(self, annotation: dm.Annotation) -> Label:
        index = annotation.label if hasattr(annotation, "label") else None
        if index is None or not 0 <= index < len(self._names):
            raise MediaError(f"{self._name}: an object of type {annotation.type.name} has no label")
        label = self._target.label(self._names[index])
        if label is None:
            raise MediaError(f"{self._name}: there is no label “{self._names[index]}” here")
        return label


Figure = tuple[str, list[float]]


def _box(annotation: Any) -> Figure:
    return "rectangle", _floats(annotation.points)


def _ellipse(annotation: Any) -> Figure:
    left, top, right, bottom = _floats(annotation.points)
    return "ellipse", [(left + right) / 2, (top + bottom) / 2, right, top]


def _cuboid(annotation: Any) -> Figure:
    return "cuboid", _floats(value for corner in annotation.points for value in corner)


def _mask(annotation: Any) -> Figure:
    if isinstance(annotation, dm.RleMask):
        return "mask", encoded(pixels(annotation.rle))
    return "mask", encoded(np.asarray(annotation.image, dtype=np.bool_))


def _plain(shape_type: str) -> Callable[[Any], Figure]:
    return lambda annotation: (shape_type, _floats(annotation.points))


def _floats(points: Iterable[Any]) -> list[float]:
    """The library keeps two decimals, in numbers of single precision."""
    return [round(float(value), 2) for value in points]


_FIGURES: Mapping[dm.AnnotationType, Callable[[Any], Figure]] = {
    dm.AnnotationType.bbox: _box,
    dm.AnnotationType.ellipse: _ellipse,
    dm.AnnotationType.cuboid_2d: _cuboid,
    dm.AnnotationType.mask: _mask,
    dm.AnnotationType.polygon: _plain("polygon"),
    dm.AnnotationType.polyline: _plain("polyline"),
    dm.AnnotationType.points: _plain("points"),
}
