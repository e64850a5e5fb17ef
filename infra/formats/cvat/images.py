"""`CVAT for images 1.1`: frame after frame, each with what stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.formats.by_frame import by_frame
from infra.formats.cvat.meta import meta
from infra.formats.cvat.objects import Objects
from infra.formats.cvat.text import in_attribute
from infra.formats.model import Dataset, Part

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>'
FOOT = "\n</annotations>\n"


def images_xml(dataset: Dataset, parts: Sequence[Part]) -> Iterator[str]:
    """annotations.xml, piece by piece."""
    objects = Objects(dataset.labels)
    yield HEAD
    yield meta(dataset, parts)
    for part in parts:
        yield from _part(objects, part, in_project=dataset.project is not None)
    yield FOOT


def _part(objects: Objects, part: Part, *, in_project: bool) -> Iterator[str]:
    place = ""
    if in_project:
        place = f' subset="{in_attribute(part.subset)}" task_id="{part.task.id}"'
    for (_, source, name, width, height), shapes, tags in by_frame(part):
        content = [
            f'\n  <image id="{source}" name="{in_attribute(name)}"{place} width="{width}" height="{height}">',
            *[objects.shape(shape, "\n    ") for shape in shapes],
            *[objects.tag(tag, "\n    ") for tag in tags],
            "\n  </image>",
        ]
        yield "".join(content)
