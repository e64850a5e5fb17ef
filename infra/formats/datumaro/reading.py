"""Files that somebody sent, as datumaro's items."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from datumaro.components.annotation import AnnotationType, LabelCategories
from datumaro.components.dataset import Dataset

from domain.errors import AnnalsError, MediaError, TooLarge
from infra.blobs.disk import disk_errors
from infra.formats.zips import is_zip, sent_zip

MAX_JSON_BYTES = 1024**3
"""Of all files that the library reads: it keeps them in memory."""


@contextmanager
def opened(kind: str, path: Path, name: str, alone: str) -> Iterator[Dataset]:
    """The dataset in a zip, or in one JSON file, which in a zip would be `alone`. `kind`: datumaro's name of the
    format; `name`: what messages call the file. Raises MediaError, TooLarge; also for what goes wrong while it is read.
    """
    with tempfile.TemporaryDirectory(prefix="annals-") as temporary:
        folder = Path(temporary)
        (folder / "images").mkdir()  # the library looks for it, and not into it
        if is_zip(path):
            _extract(path, name, folder)
        else:
            _copy(path, name, folder / "annotations" / alone)
        try:
            yield Dataset.import_from(str(folder), kind)
        except (AnnalsError, MemoryError):
            raise
        except Exception as error:  # the library's readers stumble over damage in ways of their own
            reason = str(error.__cause__ or error).replace(f"{folder}/", "")
            raise MediaError(f"{name} cannot be read as {kind}: {reason[:500]}") from error


def label_names(dataset: Dataset) -> list[str]:
    """In their order."""
    return [label.name for label in dataset.categories().get(AnnotationType.label, LabelCategories()).items]


def image_name(item: Any) -> str:
    """The path of an item's image, as far as the file tells it."""
    path = getattr(item.media, "path", None)
    return f"{item.id}{PurePosixPath(path).suffix if path else ''}"


def _extract(path: Path, name: str, folder: Path) -> None:
    """The JSON files of an archive."""
    room = MAX_JSON_BYTES
    with sent_zip(path, name) as archive:
        for entry, pieces in archive.read([entry for entry in archive.names if entry.lower().endswith(".json")]):
            with _created(folder / entry, name) as file:
                for piece in pieces:
                    room -= len(piece)
                    if room < 0:
                        raise TooLarge(f"{name} holds more than {MAX_JSON_BYTES >> 20} MiB of JSON")
                    file.write(piece)


def _copy(path: Path, name: str, place: Path) -> None:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise TooLarge(f"{name} is larger than {MAX_JSON_BYTES >> 20} MiB")
    with path.open("rb") as source, _created(place, name) as file:
        shutil.copyfileobj(source, file)


@contextmanager
def _created(path: Path, name: str) -> Iterator[Any]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise MediaError(f"{name} has two files in one place") from None
    with disk_errors(), file:
        yield file
