"""Which images annotations.xml is about, by subset."""

from __future__ import annotations

from collections.abc import Iterable

from infra.formats.cvat.parsing import Attributes, Elements
from infra.formats.model import DEFAULT_SUBSET


def listed(pieces: Iterable[bytes], name: str) -> dict[str, list[str]]:
    """Subset → names of images, in the order of the file. Raises MediaError."""
    found: dict[str, list[str]] = {}

    def begin(element: str, depth: int, attributes: Attributes) -> bool:
        if (element, depth) == ("image", 2):
            found.setdefault(subset_of(attributes), []).append(attributes["name"])
        return False

    Elements(name, begin).feed(pieces)
    return found


def subset_of(found: Attributes) -> str:
    """Of an image or track."""
    return found.get("subset") or DEFAULT_SUBSET
