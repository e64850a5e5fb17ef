"""Putting files into the blob store as they are read from somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from domain.events.data import ReceivedFile
from infra.blobs import BlobStore

AT_ONCE = 5_000
"""So many files are made durable together."""


def store(blobs: BlobStore, files: Iterable[tuple[str, Iterable[bytes]]]) -> dict[str, ReceivedFile]:
    """Puts files, each as its name and its bytes in pieces, into the blob store. Raises what reading them raises."""
    stored: dict[str, ReceivedFile] = {}
    coming = iter(files)
    while batch := _store_some(blobs, coming):
        stored |= batch
    return stored


def _store_some(blobs: BlobStore, files: Iterator[tuple[str, Iterable[bytes]]]) -> dict[str, ReceivedFile]:
    names, writers = [], []
    with ExitStack() as stack:
        for name, pieces in files:
            writer = stack.enter_context(blobs.writer())
            for piece in pieces:
                writer.write(piece)
            writer.end()
            names.append(name)
            writers.append(writer)
            if len(writers) == AT_ONCE:
                break
        stored = zip(names, blobs.commit(writers), strict=True)
    return {name: ReceivedFile(name=name, sha256=blob.sha256, size=blob.size) for name, blob in stored}
