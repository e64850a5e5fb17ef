"""Where a task's files come from, all seen alike: names first, then the bytes of those that are wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from consumers.handlers.create_task.remote import Remote
from consumers.handlers.create_task.shared import Shared
from consumers.handlers.create_task.storing import store
from consumers.handlers.handler import Tools
from domain.data_params import DataParams
from domain.errors import MediaError
from domain.events.data import ReceivedFile
from domain.manifest import Manifest, read_manifest
from domain.media import Media, archive_among, is_manifest, sort_out
from infra.archives import Archive, open_archive
from infra.blobs import BlobStore

MAX_MANIFEST = 256 << 20  # bytes


class Source(Protocol):
    """`names`: of all files, relative to the root of what was handed over, in the order in which they were given."""

    @property
    def names(self) -> Sequence[str]: ...

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        """Some of the files, once they are in the blob store. Raises MediaError."""
        ...


@dataclass(frozen=True)
class Files:
    """What there is to make a task from. `archive`: the file that held all of it, if one did."""

    source: Source
    media: Media
    manifest: Manifest | None
    archive: str | None = None


@contextmanager
def find_files(tools: Tools, params: DataParams, received: Sequence[ReceivedFile]) -> Iterator[Files]:
    """Raises MediaError when there is nothing that a task can be made from."""
    source = _source(tools, params, received)
    name = archive_among(source.names)
    if name is None:
        yield _sorted_out(tools, source, gathered=isinstance(source, Shared))
        return
    path = tools.blobs.path(source.fetch([name])[name]["sha256"])
    with open_archive(path, name, tools.settings.max_archive_files, tools.settings.max_upload_bytes) as archive:
        yield _sorted_out(tools, Archived(archive, tools.blobs, source), gathered=True, archive=name)


class Received:
    """Files that were sent by the client; their bytes are there already."""

    def __init__(self, files: Sequence[ReceivedFile]) -> None:
        self._files = {file["name"]: file for file in files}

    @property
    def names(self) -> Sequence[str]:
        return list(self._files)

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        return {name: self._files[name] for name in names}


class Archived:
    """Files in an archive, and manifests that came `beside` it."""

    def __init__(self, archive: Archive, blobs: BlobStore, beside: Source) -> None:
        self._archive, self._blobs, self._beside = archive, blobs, beside
        self._manifests = [name for name in beside.names if is_manifest(name)]

    @property
    def names(self) -> Sequence[str]:
        return [*self._archive.names, *self._manifests]

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        outer = self._beside.fetch([name for name in names if name in self._manifests])
        return {**store(self._blobs, self._archive.read(names)), **outer}


def _source(tools: Tools, params: DataParams, received: Sequence[ReceivedFile]) -> Source:
    places = {"uploaded": received, "server_files": params.server_files, "remote_files": params.remote_files}
    used = [name for name, files in places.items() if files]
    if len(used) > 1:
        raise MediaError(f"The files of a task must come from one place; these come from {', '.join(used)}")
    if params.server_files:
        return Shared(tools, params)
    return Remote(tools, params.remote_files) if params.remote_files else Received(received)


def _sorted_out(tools: Tools, source: Source, *, gathered: bool, archive: str | None = None) -> Files:
    media = sort_out(source.names, gathered=gathered)
    manifest = None
    if media.manifest and media.video is None:
        manifest = _manifest(tools, source.fetch([media.manifest])[media.manifest])
    return Files(source, media, manifest, archive)


def _manifest(tools: Tools, file: ReceivedFile) -> Manifest:
    if file["size"] > MAX_MANIFEST:
        raise MediaError(f"{file['name']} is larger than {MAX_MANIFEST:,} bytes")
    return read_manifest(file["name"], tools.blobs.path(file["sha256"]).read_bytes())
