"""CVAT's dataset manifest: a text file that names the images of a dataset, in order, with their sizes."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import MediaError
from domain.file_names import normal_name
from domain.sorting import listed

Size = tuple[int, int]


@dataclass(frozen=True)
class Manifest:
    """`sizes`: image → width and height in pixels as displayed, where they are given; in the order of the manifest."""

    name: str
    sizes: Mapping[str, Size | None]

    def order(self, images: Iterable[str]) -> list[str]:
        """The images as the manifest orders them; what it names beyond them is passed over. Raises MediaError."""
        there = frozenset(images)
        if unknown := sorted(there - self.sizes.keys()):
            raise MediaError(f"{self.name} does not name these images: {listed(unknown)}")
        return [image for image in self.sizes if image in there]

    def check_size(self, image: str, size: Size) -> None:
        """Raises MediaError when the image has another."""
        expected = self.sizes[image]
        if expected is not None and expected != size:
            raise MediaError(f"{image} is {size[0]} x {size[1]} pixels; {self.name} says {expected[0]} x {expected[1]}")


def read_manifest(name: str, content: bytes) -> Manifest:
    """Of images: two lines that say which version and type of manifest it is, and a line per image. The names in it are
    relative to its own folder. Raises MediaError, which names the file and line.
    """
    lines = [line for line in content.splitlines() if line.strip()]
    told = [_object(name, number, line) for number, line in enumerate(lines, 1)]
    version, kind, *images = told if len(told) >= 2 else ({}, {})
    if "version" not in version or kind.get("type") != "images":
        raise MediaError(f"{name} is not a manifest of images: its first two lines must give version and type")
    folder = posixpath.dirname(name)
    sizes: dict[str, Size | None] = {}
    for number, line in enumerate(images, 3):
        image = posixpath.join(folder, _image_name(name, number, line))
        if image in sizes:
            raise MediaError(f"{name}, line {number}: {image} is named twice")
        sizes[image] = _size(line)
    return Manifest(name, sizes)


def _object(name: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise MediaError(f"{name}, line {number}: not a JSON object")
    return found


def _image_name(name: str, number: int, line: Mapping[str, Any]) -> str:
    stem, extension = line.get("name"), line.get("extension", "")
    if not isinstance(stem, str) or not isinstance(extension, str) or not stem:
        raise MediaError(f"{name}, line {number}: name and extension of an image are missing")
    return normal_name(stem + extension)


def _size(line: Mapping[str, Any]) -> Size | None:
    width, height = line.get("width"), line.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
