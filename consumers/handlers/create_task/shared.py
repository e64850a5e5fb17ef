"""Files of the share."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from consumers.handlers.create_task.storing import store
from consumers.handlers.handler import Tools
from domain.data_params import DataParams
from domain.errors import MediaError
from domain.events.data import ReceivedFile
from domain.media import RELATED_IMAGES, related_folder
from infra.share import Share


class Shared:
    """The files and, of folders, all that is in them; less those that are excluded, or don't fit the pattern."""

    def __init__(self, tools: Tools, params: DataParams) -> None:
        """Raises MediaError."""
        if tools.settings.share is None:
            raise MediaError("This server has no share")
        self._blobs, self._share = tools.blobs, Share(tools.settings.share)
        names = self._share.files(params.server_files, tools.settings.max_archive_files)
        wanted = [name for name in names if _wanted(name, params)]
        beside = self._share.files(self._related_folders(wanted), tools.settings.max_archive_files)
        self._names = list(dict.fromkeys([*wanted, *beside]))

    @property
    def names(self) -> Sequence[str]:
        return self._names

    def _related_folders(self, names: Sequence[str]) -> list[str]:
        """Of what is shown beside files, which comes with them, also when they are asked for one by one."""
        folders = {posixpath.dirname(name) for name in names}
        having = {folder for folder in folders if self._share.has_folder(posixpath.join(folder, RELATED_IMAGES))}
        related = (related_folder(name) for name in names if posixpath.dirname(name) in having)
        return [folder for folder in related if self._share.has_folder(folder)]

    def fetch(self, names: Collection[str]) -> Mapping[str, ReceivedFile]:
        return store(self._blobs, ((name, self._share.read(name)) for name in names))


def _wanted(name: str, params: DataParams) -> bool:
    if params.filename_pattern and not fnmatchcase(name, params.filename_pattern):
        return False
    return not any(name == path or name.startswith(f"{path}/") for path in map(_bare, params.server_files_exclude))


def _bare(path: str) -> str:
    return path.strip("/")
