"""The images in a dataset's archive, found by the names that its annotations call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from domain.errors import MediaError

FOLDER = "images"
OTHERS = frozenset({".xml", ".json", ".txt", ".yml", ".yaml"})


class Images:
    """`entries`: the archive's. `name`: what messages call it."""

    def __init__(self, entries: Iterable[str], name: str) -> None:
        self._name = name
        self._entries = [entry for entry in entries if PurePosixPath(entry).suffix.lower() not in OTHERS]
        self._by_path = {_stem(entry): entry for entry in reversed(self._entries)} | {e: e for e in self._entries}
        self._by_last: dict[str, list[str]] = defaultdict(list)
        for entry in self._entries:
            self._by_last[PurePosixPath(entry).stem].append(entry)

    def find(self, subset: str, names: Iterable[str]) -> Mapping[str, str]:
        """Name → entry, in the order of the names. Raises MediaError for a name that there is no image for."""
        return {name: self._entry(subset, name) for name in names}

    def of(self, *folders: str) -> list[str]:
        """The names of those in a folder of `images/`, or a folder of that, in the order of the archive."""
        place = "/".join((FOLDER, *folders, ""))
        return [entry.removeprefix(place) for entry in self._entries if entry.startswith(place)]

    def _entry(self, subset: str, name: str) -> str:
        for place in (f"{FOLDER}/{subset}/{name}", f"{FOLDER}/{name}", f"{subset}/{name}", name):
            entry = self._by_path.get(place) or self._by_path.get(_stem(place))
            if entry is not None:
                return entry
        ending = f"/{_stem(name)}"
        alike = [entry for entry in self._by_last[PurePosixPath(name).stem] if f"/{_stem(entry)}".endswith(ending)]
        if len(alike) == 1:
            return alike[0]
        problem = "no image" if not alike else "several images"
        raise MediaError(f"{self._name} holds {problem} for “{name}” of the subset “{subset}”")


def _stem(path: str) -> str:
    """A path without the suffix."""
    suffix = PurePosixPath(path).suffix
    return path[: len(path) - len(suffix)] if suffix else path
