"""Whether the blobs that events name are where they should be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from domain.errors import AnnalsError
from domain.event import Event
from domain.events.data import named_blobs
from projections.finding import Finding

AT_ONCE = 50_000
"""Blobs that are asked for together: a store that is far away is then listed, not asked for each."""

HASHED_AT_ONCE = 8


class Blobs(Protocol):
    """Where uploaded bytes are kept; both raise AnnalsError when that does not answer."""

    def sizes(self, names: Collection[str]) -> Mapping[str, int]:
        """Lengths in bytes of those that are there."""
        ...

    def verify(self, sha256: str) -> bool:
        """Whether the content has this hash. Reads all of it."""
        ...


class _Named(NamedTuple):
    """A file that an event names."""

    event: str
    name: str
    sha256: str
    size: int


class BlobCheck:
    """Looks at each blob once. `purged`: the tasks whose blobs may be gone."""

    def __init__(self, blobs: Blobs, purged: Collection[int], *, hash_blobs: bool) -> None:
        self._blobs = blobs
        self._purged = purged
        self._hash_blobs = hash_blobs
        self._seen: set[tuple[bytes, int]] = set()
        self._waiting: list[_Named] = []
        self._difference: str | None = None

    def look(self, events: Iterable[Event]) -> None:
        for event in events:
            body = event.body
            named = named_blobs(body.type_name, vars(body))
            if named and body.task_id not in self._purged:  # type: ignore[attr-defined]
                self._add(_Named(str(event.id), item["name"], item["sha256"], item["size"]) for item in named)

    def finding(self) -> Finding:
        self._look_at_waiting()
        how = "sizes and hashes" if self._hash_blobs else "sizes"
        return Finding("blobs", f"{len(self._seen):,} ({how})", self._difference)

    def _add(self, files: Iterable[_Named]) -> None:
        for file in files:
            key = (bytes.fromhex(file.sha256), file.size)
            if key not in self._seen:
                self._seen.add(key)
                self._waiting.append(file)
        if len(self._waiting) >= AT_ONCE:
            self._look_at_waiting()

    def _look_at_waiting(self) -> None:
        files, self._waiting = self._waiting, []
        try:
            sizes = self._blobs.sizes([file.sha256 for file in files])
            troubles = [_trouble(file, sizes.get(file.sha256)) for file in files]
            if self._hash_blobs and not any(troubles):
                troubles = self._look_into(files)
        except (AnnalsError, OSError) as error:
            self._difference = self._difference or str(error)
            return
        for file, trouble in zip(files, troubles, strict=True):
            if trouble and self._difference is None:
                self._difference = f"“{file.name}” of {file.event}, blob {file.sha256}: {trouble}"

    def _look_into(self, files: list[_Named]) -> list[str | None]:
        with ThreadPoolExecutor(HASHED_AT_ONCE) as threads:
            same = threads.map(self._blobs.verify, [file.sha256 for file in files])
            return [None if right else "has another content" for right in same]


def _trouble(file: _Named, found: int | None) -> str | None:
    if found is None:
        return f"Blob {file.sha256} is not stored here"
    return None if found == file.size else f"has {found:,} bytes instead of {file.size:,}"
