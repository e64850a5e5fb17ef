"""The share: a folder of this machine, which its owner fills, and tasks are made from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from domain.errors import MediaError
from domain.file_names import normal_name

PIECE = 1 << 20
MAX_PATH = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder, by its name in its folder."""

    name: str
    is_folder: bool


class Share:
    """Paths are relative to the root, with slashes. Nothing outside of the root is seen, not through links either; and
    nothing whose name isn't in Unicode form NFC, as all names are compared here.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def entries(self, folder: str) -> list[Entry]:
        """What is in a folder, by name. Raises MediaError when there is no such folder."""
        with _readable(folder):
            path = self._inside(folder)
            if path is None or not path.is_dir():
                raise MediaError(f"{folder} is not a folder of the share")
            return [Entry(entry.name, entry.is_dir()) for entry in self._scanned(path)]

    def has_folder(self, path: str) -> bool:
        target = self._inside(path)
        return target is not None and os.path.isdir(target)  # which takes what can't be looked at for no folder

    def files(self, paths: Sequence[str], limit: int) -> list[str]:
        """The files among `paths` and, in the order of their names, in the folders among them; each once.

        Raises MediaError for what isn't there, and for more than `limit` files.
        """
        found: dict[str, None] = {}
        for path in paths:
            with _readable(path):
                for file in self._files(path):
                    found[file] = None
                    if len(found) > limit:
                        raise MediaError(f"{path}: there are more than {limit:,} files")
        return list(found)

    def read(self, path: str) -> Iterator[bytes]:
        """A file in pieces. Raises MediaError."""
        with _readable(path):
            target = self._inside(path)
            if target is None or not target.is_file():
                raise MediaError(f"{path} was not found in the share")
            with target.open("rb") as file:
                yield from iter(partial(file.read, PIECE), b"")

    def _files(self, path: str) -> Iterator[str]:
        target = self._inside(path)
        if target is None or not target.exists():
            raise MediaError(f"{path} was not found in the share")
        name = path.strip("/")
        if target.is_dir():
            yield from self._below(target, f"{name}/" if name else "")
        else:
            yield name

    def _below(self, folder: Path, prefix: str) -> Iterator[str]:
        """The files in a folder and its folders; linked folders, which may contain themselves, are left out."""
        for entry in self._scanned(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield f"{prefix}{entry.name}"

    def _scanned(self, folder: Path) -> list[os.DirEntry[str]]:
        """What is to be seen in a folder, by name."""
        with os.scandir(folder) as entries:
            return sorted(filter(self._shown, entries), key=lambda entry: entry.name)

    def _shown(self, entry: os.DirEntry[str]) -> bool:
        if normal_name(entry.name) != entry.name:
            return False
        if not entry.is_symlink():
            return entry.is_dir() or entry.is_file()
        target = self._resolved(Path(entry.path))
        return target is not None and (target.is_dir() or target.is_file())

    def _inside(self, path: str) -> Path | None:
        """Where the path leads; None when that is outside. Clients begin and end paths with a slash, or don't."""
        name = path.strip("/")
        if ".." in name.split("/") or "\x00" in name or len(name) > MAX_PATH:
            return None
        return self._resolved(self._root / name)

    def _resolved(self, path: Path) -> Path | None:
        """Without links; None when they lead outside, or in a circle."""
        try:
            target = path.resolve()
        except (OSError, RuntimeError):
            return None
        return target if target.is_relative_to(self._root) else None


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Says what the system says against reading something. Raises MediaError."""
    try:
        yield
    except OSError as error:
        raise MediaError(f"{path} of the share can't be read: {error.strerror}") from error
