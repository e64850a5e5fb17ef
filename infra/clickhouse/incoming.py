"""The data of an INSERT, until all of it is there: the engine sees nothing of what a client breaks off."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from infra.clickhouse.errors import Code, QueryFailed


@contextmanager
def gathered(pieces: Iterable[bytes], folder: Path, free_space: int = 0) -> Iterator[int]:
    """The descriptor of a file in `folder`, without a name, with all `pieces`. Raises what they raise; QueryFailed 243
    when the disk does not take them, or has less than `free_space` bytes left.

    A file, because the data of one INSERT may be larger than the memory. What is deleted again within seconds is not
    written to the disk, as a rule.
    """
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for piece in pieces:
            _append(file, piece, free_space)
        yield file.fileno()


def _append(file: FileIO, piece: bytes, free_space: int) -> None:
    try:
        disk = os.fstatvfs(file.fileno())
        if disk.f_bavail * disk.f_frsize < free_space + len(piece):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        text = f"The data of the INSERT could not be stored: {error.strerror}"
        raise QueryFailed(Code.NOT_ENOUGH_SPACE, text) from error
