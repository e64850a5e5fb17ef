"""Where half-written files are, and how those of dead processes are told from those of living ones."""

from __future__ import annotations

import fcntl
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from infra.blobs.disk import disk_errors


class Staging:
    """The folder of half-written files: one subfolder per process, locked for as long as that process lives.

    A subfolder that nobody holds is the leftover of a crash, whatever has become of the process's id since.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder: Path | None = None
        self._opening = threading.Lock()
        self._numbers = count()

    def new_path(self) -> str:
        """Of a file that is not there yet. A text: there may be 100,000 of them."""
        with self._opening:
            if self._folder is None:
                self._folder = self._open_folder()
        return f"{self._folder}/{next(self._numbers)}"

    def _open_folder(self) -> Path:
        with disk_errors(), self._alone():
            folder = self._home / secrets.token_hex(8)
            folder.mkdir()
            self._owner = (folder / "owner").open("xb")
            fcntl.flock(self._owner, fcntl.LOCK_EX)
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Without this lock a cleaner could meet a folder after its creation and before its owner's lock."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def clean(self) -> int:
        with self._alone():
            return sum(_remove_if_abandoned(folder) for folder in list(self._home.iterdir()) if folder.is_dir())


def _remove_if_abandoned(folder: Path) -> int:
    """Remove a staging folder unless a living process holds its lock; returns the number of files in it."""
    with suppress(FileNotFoundError), (folder / "owner").open("r+b") as owner:  # NFS locks what is open for writing
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
    count = sum(1 for path in folder.iterdir() if path.name != "owner")
    shutil.rmtree(folder)
    return count
