"""`COCO 1.0` and `Datumaro 1.0` as the registry lists them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datumaro.components.dataset import Dataset as Items

from domain.annotation.document import Document
from infra.formats.datumaro import coco
from infra.formats.datumaro.incoming import Incoming
from infra.formats.datumaro.outgoing import Convert, categories, figure, items
from infra.formats.datumaro.reading import image_name, label_names, opened
from infra.formats.model import Dataset
from infra.formats.target import Target
from infra.formats.zips import ZipWriter


@dataclass(frozen=True)
class _Kind:
    """A format: its name in datumaro; the file of the default subset; shapes on their way out; which of an image's
    annotations count on the way in.
    """

    name: str
    alone: str
    convert: Convert
    chosen: Callable[[Sequence[Any]], Sequence[Any]]

    def write(self, dataset: Dataset, archive: ZipWriter, *, save_images: bool, **options: Any) -> None:
        """The annotations, a file for each subset, and the images in images/<subset>."""
        parts = list(dataset.parts)
        with tempfile.TemporaryDirectory(prefix="annals-") as folder:
            for subset in dict.fromkeys(part.subset for part in parts):
                # Each by itself: of several the library numbers the images of one name once, in an order of its own.
                alone = replace(dataset, parts=[part for part in parts if part.subset == subset])
                # It goes through the items more than once.
                found = Items.from_iterable(list(items(alone, self.convert)), categories=categories(dataset.labels))
                found.export(folder, self.name, save_media=False, **options)
            for file in sorted(Path(folder).rglob("*.json")):
                archive.copy(file.relative_to(folder).as_posix(), file)
        if save_images:
            for part in parts:
                for picture in part.pictures():
                    archive.add(f"images/{part.subset}/{picture.name}", picture.content)

    def read(self, path: Path, name: str, target: Target, subset: str | None) -> Document:
        with opened(self.name, path, name, self.alone) as found:
            wanted = (item for item in found if subset in (None, item.subset))
            reader = Incoming(target, name, label_names(found))
            return reader.document(item.wrap(annotations=self.chosen(item.annotations)) for item in wanted)

    def listed(self, path: Path, name: str) -> dict[str, list[str]]:
        subsets: dict[str, list[str]] = {}
        with opened(self.name, path, name, self.alone) as found:
            # COCO numbers its images; the library gives them in another order.
            for item in sorted(found, key=lambda item: item.attributes.get("id", 0)):
                subsets.setdefault(item.subset, []).append(image_name(item))
        return subsets


COCO = _Kind("coco_instances", "instances_default.json", coco.figure, coco.instances)
DATUMARO = _Kind("datumaro", "default.json", figure, tuple)


def write_coco(dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None:
    """annotations/instances_<subset>.json, with the images in images/<subset>."""
    COCO.write(dataset, archive, save_images=save_images, merge_images=False)


def write_datumaro(dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None:
    """annotations/<subset>.json, with the images in images/<subset>."""
    DATUMARO.write(dataset, archive, save_images=save_images)


def read_coco(path: Path, name: str, target: Target, subset: str | None = None) -> Document:
    """A JSON file, or a zip. `name`: what messages call the file. Raises MediaError, TooLarge."""
    return COCO.read(path, name, target, subset)


def read_datumaro(path: Path, name: str, target: Target, subset: str | None = None) -> Document:
    """Likewise."""
    return DATUMARO.read(path, name, target, subset)


def listed_coco(path: Path, name: str) -> dict[str, list[str]]:
    """Subset → the names of its images. Raises MediaError, TooLarge."""
    return COCO.listed(path, name)


def listed_datumaro(path: Path, name: str) -> dict[str, list[str]]:
    """Likewise."""
    return DATUMARO.listed(path, name)
