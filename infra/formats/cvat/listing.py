"""Which images annotations.xml is about, by subset."""

from __future__ import annotations

from collections.abc import Iterable

from domain.errors import MediaError
from infra.formats.cvat.head import Head
from infra.formats.cvat.parsing import Attributes, Elements
from infra.formats.images import Images
from infra.formats.model import DEFAULT_SUBSET


def listed(pieces: Iterable[bytes], name: str, images: Images) -> dict[str, list[str]]:
    """Subset → names of images, in the order of the file; of a file by track, which names none, in the order of the
    archive that holds the `images`. Raises MediaError.
    """
    found: dict[str, list[str]] = {}

    def begin(element: str, depth: int, attributes: Attributes) -> bool:
        if (element, depth) == ("image", 2):
            found.setdefault(subset_of(attributes), []).append(attributes["name"])
        return head.begin(element, depth)

    elements = Elements(name, begin, lambda _name: head.end(), lambda text: head.text(text))
    head = Head(elements.fault)
    elements.feed(pieces)
    return found or {
        subset: _shown(name, head, images, subset, count) for subset, count in head.counts.items() if count
    }


def subset_of(found: Attributes) -> str:
    """Of an image or track."""
    return found.get("subset") or DEFAULT_SUBSET


def _shown(name: str, head: Head, images: Images, subset: str, count: int) -> list[str]:
    """The subset's images: one for each of its frames, or no track could find its own."""
    names = images.of(*head.folders(subset))
    if len(names) != count:
        raise MediaError(f"{name}: the subset “{subset}” has {count} frames, but {len(names)} images in its folder")
    return names
