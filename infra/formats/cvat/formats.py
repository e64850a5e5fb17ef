"""CVAT's own formats as the registry lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from domain.annotation.document import KINDS, Document
from domain.errors import MediaError
from infra.archives import Archive
from infra.formats.cvat import listing, reader
from infra.formats.cvat.images import images_xml
from infra.formats.cvat.video import video_xml
from infra.formats.images import Images
from infra.formats.model import Dataset, Part
from infra.formats.target import Target
from infra.formats.zips import BLOCK, ZipWriter, is_zip, sent_zip

Write = Callable[[Dataset, Sequence[Part]], Iterator[str]]
Xml = tuple[str, Iterator[bytes]]
"""What messages call the file, and what is in it."""


def write_images(dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None:
    """`CVAT for images 1.1`: annotations.xml, then the images as they stand in their tasks."""
    _write(images_xml, dataset, archive, save_images=save_images)


def write_video(dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None:
    """`CVAT for video 1.1`: likewise, by track."""
    _write(video_xml, dataset, archive, save_images=save_images)


def _write(xml: Write, dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None:
    parts = list(dataset.parts)
    archive.text("annotations.xml", xml(dataset, parts))
    if save_images:
        for part in parts:
            folder = f"images/{part.subset}" if dataset.project is not None else "images"
            for picture in part.pictures():
                archive.add(f"{folder}/{picture.name}", picture.content)


def read(path: Path, name: str, target: Target, subset: str | None = None) -> Document:
    """`CVAT 1.1`: an XML file, or a zip with some. `name`: what messages call the file. Raises MediaError."""
    found: Document = {kind: [] for kind in KINDS}
    with _opened(path, name) as (_, documents):
        for entry, pieces in documents:
            part = reader.read(pieces, entry, target, subset)
            for kind in KINDS:
                found[kind] += part[kind]
    return found


def listed(path: Path, name: str) -> dict[str, list[str]]:
    """Subset → the names of its images, as the annotations tell them. Raises MediaError."""
    found: dict[str, list[str]] = {}
    with _opened(path, name) as (files, documents):
        images = Images(files, name)
        for entry, pieces in documents:
            for subset, names in listing.listed(pieces, entry, images).items():
                found.setdefault(subset, []).extend(names)
    return found


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[Sequence[str], Iterator[Xml]]]:
    """The names of the files in a zip, and the XML files."""
    if not is_zip(path):
        with path.open("rb") as file:
            yield (), iter([(name, iter(partial(file.read, BLOCK), b""))])
        return
    with sent_zip(path, name) as archive:
        yield archive.names, _documents(archive, name)


def _documents(archive: Archive, name: str) -> Iterator[Xml]:
    documents = [entry for entry in archive.names if entry.lower().endswith(".xml")]
    if not documents:
        raise MediaError(f"{name} holds no annotations: there is no XML file in it")
    for entry, pieces in archive.read(documents):
        yield f"{name}: {entry}", pieces
