"""Which formats there are, and who writes and reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from domain.annotation.document import Document
from infra.formats.cvat import formats as cvat
from infra.formats.model import Dataset
from infra.formats.target import Target
from infra.formats.zips import ZipWriter


class Write(Protocol):
    """Writes a dataset, with the images of its frames where these are wanted, as files of a zip."""

    def __call__(self, dataset: Dataset, archive: ZipWriter, *, save_images: bool) -> None: ...


class Read(Protocol):
    """From a file, and the name that messages call it, to a document that holds ids of the target's labels and
    attributes. `subset`: only this part of a project's file. Raises MediaError and TooLarge for a file that is not in
    order.
    """

    def __call__(self, path: Path, name: str, target: Target, subset: str | None = None) -> Document: ...


Listed = Callable[[Path, str], Mapping[str, Sequence[str]]]
"""From a dataset's file, and its name, to the names of the images that it is about, by subset. Raises as Read does."""


@dataclass(frozen=True)
class Format:
    """As clients are told of it. `ext`: the kinds of its files. `enabled`: whether what it needs is installed."""

    name: str
    version: str
    ext: str
    enabled: bool = True
    dimension: str = "2d"

    @property
    def full_name(self) -> str:
        """By which clients ask for it."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Exporter:
    """A format that can be written."""

    format: Format
    write: Write


@dataclass(frozen=True)
class Importer:
    """A format that can be read. `keeps_masks`: they are turned into polygons only for who asks for that."""

    format: Format
    read: Read
    listed: Listed
    keeps_masks: bool = False


ZIP, JSON_ZIP, XML_ZIP = "ZIP", "JSON, ZIP", "XML, ZIP"
DATUMARO = find_spec("datumaro") is not None
LIBRARY = "infra.formats.datumaro.formats"


def _datumaro(name: str) -> Callable[..., Any]:
    """A function of the formats that need datumaro, which takes half a second to load."""

    def call(*args: Any, **options: Any) -> Any:
        return getattr(import_module(LIBRARY), name)(*args, **options)

    return call


EXPORTERS = (
    Exporter(Format("CVAT for images", "1.1", ZIP), cvat.write_images),
    Exporter(Format("CVAT for video", "1.1", ZIP), cvat.write_video),
    Exporter(Format("COCO", "1.0", ZIP, DATUMARO), _datumaro("write_coco")),
    Exporter(Format("Datumaro", "1.0", ZIP, DATUMARO), _datumaro("write_datumaro")),
)
IMPORTERS = (
    Importer(Format("CVAT", "1.1", XML_ZIP), cvat.read, cvat.listed, keeps_masks=True),
    Importer(Format("COCO", "1.0", JSON_ZIP, DATUMARO), _datumaro("read_coco"), _datumaro("listed_coco")),
    Importer(Format("Datumaro", "1.0", JSON_ZIP, DATUMARO), _datumaro("read_datumaro"), _datumaro("listed_datumaro")),
)

T = TypeVar("T", Exporter, Importer)


def exporters() -> tuple[Exporter, ...]:
    return EXPORTERS


def importers() -> tuple[Importer, ...]:
    return IMPORTERS


def exporter(name: str) -> Exporter | None:
    """By its full name; None: there is no such format."""
    return _named(EXPORTERS, name)


def importer(name: str) -> Importer | None:
    """By its full name; None: there is no such format."""
    return _named(IMPORTERS, name)


def _named(formats: Iterable[T], name: str) -> T | None:
    return next((entry for entry in formats if entry.format.full_name == name), None)
