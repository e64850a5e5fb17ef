"""Whether the blobs that events name are where they should be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from domain.errors import AnnalsError
from domain.event import Event
from domain.events.data import named_blobs
from projections.finding import Finding


class Blobs(Protocol):
    """Where uploaded bytes are kept; both raise AnnalsError for what is not there."""

    def size(self, sha256: str) -> int: ...

    def verify(self, sha256: str) -> bool:
        """Whether the content has this hash. Reads all of it."""
        ...


class BlobCheck:
    """Looks at each blob once. `purged`: the tasks whose blobs may be gone."""

    def __init__(self, blobs: Blobs, purged: Collection[int], *, hash_blobs: bool) -> None:
        self._blobs = blobs
        self._purged = purged
        self._hash_blobs = hash_blobs
        self._seen: set[tuple[bytes, int]] = set()
        self._difference: str | None = None

    def look(self, events: Iterable[Event]) -> None:
        for event in events:
            body = event.body
            named = named_blobs(body.type_name, vars(body))
            if named and body.task_id not in self._purged:  # type: ignore[attr-defined]
                self._look_at(event, [(item["name"], item["sha256"], item["size"]) for item in named])

    def finding(self) -> Finding:
        how = "sizes and hashes" if self._hash_blobs else "sizes"
        return Finding("blobs", f"{len(self._seen):,} ({how})", self._difference)

    def _look_at(self, event: Event, files: list[tuple[str, str, int]]) -> None:
        for name, sha256, size in files:
            key = (bytes.fromhex(sha256), size)
            if key not in self._seen:
                self._seen.add(key)
                trouble = self._trouble(sha256, size)
                if trouble and self._difference is None:
                    self._difference = f"“{name}” of {event.id}, blob {sha256}: {trouble}"

    def _trouble(self, sha256: str, size: int) -> str | None:
        try:
            found = self._blobs.size(sha256)
            if found != size:
                return f"has {found:,} bytes instead of {size:,}"
            if self._hash_blobs and not self._blobs.verify(sha256):
                return "has another content"
        except (AnnalsError, OSError) as error:
            return str(error)
        return None
