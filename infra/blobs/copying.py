"""Blobs from one store into another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from infra.blobs.store import BlobStore

AT_ONCE = 500
"""So many are fetched before they are stored."""


class BlobCopier:
    """Copies what is asked for, and nothing that is there already. `copied`: how many were."""

    def __init__(self, source: BlobStore, target: BlobStore) -> None:
        self._source, self._target = source, target
        self.copied = 0

    def copy(self, blobs: Mapping[str, int]) -> list[str]:
        """`blobs`: hashes, and lengths in bytes. Returns, when all is durable, those that the source does not have in
        this length. Raises Unavailable.
        """
        there = self._target.sizes(blobs)
        missing = {sha256: size for sha256, size in blobs.items() if there.get(sha256) != size}
        found = self._source.sizes(missing)
        coming = [sha256 for sha256, size in missing.items() if found.get(sha256) == size]
        for some in _batches(coming):
            self._target.adopt(list(zip(some, self._source.paths(some), strict=True)))
            self.copied += len(some)
        return [sha256 for sha256, size in missing.items() if found.get(sha256) != size]


def _batches(names: list[str]) -> Iterator[list[str]]:
    waiting = iter(names)
    while some := list(islice(waiting, AT_ONCE)):
        yield some
