"""What may be in an archive. Hostile ones name files outside of it, or unpack to more than any disk holds."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import AnnalsError, MediaError
from domain.file_names import normal_name
from infra.media.refusal import Refused

MAX_PATH = 1024
RATIO = 200
"""An archive may unpack to so many times its own size: pictures hardly shrink, but drawings do."""

UNQUESTIONED = 1 << 30  # bytes: what any archive may unpack to
PIECE = 1 << 20
_OF_CONTENT = (None, errno.EINVAL)  # the last of a place before the file's beginning, where a damaged one says to look
DRIVE = re.compile(r"[A-Za-z]:")


class Archive(Protocol):
    """`names`: of the files in it, as relative paths, in the order of the archive."""

    @property
    def names(self) -> Sequence[str]: ...

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Some of the files, in the order of the archive, each to be read before the next. Raises MediaError, which
        names the archive.
        """
        ...


@dataclass
class Bounds:
    """What an archive of `size` bytes may hold at most. It is told of each member as it is found."""

    size: int
    max_files: int
    max_bytes: int
    _names: set[str] = field(default_factory=set)
    _bytes: int = 0

    @property
    def unpacked(self) -> int:
        """Bytes."""
        return min(self.max_bytes, max(UNQUESTIONED, RATIO * self.size))

    def admit(self, path: str, size: int) -> str:
        """The name of a member, as a relative path. Raises Refused."""
        name = _relative(path)
        if name in self._names:
            raise Refused(f"holds {name} twice")
        self._names.add(name)
        self._bytes += size
        if len(self._names) > self.max_files:
            raise Refused(f"holds more than {self.max_files:,} files")
        if self._bytes > self.unpacked:
            raise Refused(f"unpacks to more than {self.unpacked:,} bytes")
        return name


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Turns whatever goes wrong with the content of the archive `name` into a MediaError."""
    try:
        yield
    except AnnalsError:
        raise
    except Refused as error:
        raise MediaError(f"{name} {error}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _OF_CONTENT:
            raise
        raise MediaError(f"{name} is damaged or incomplete, or not an archive of its kind") from error


def _relative(path: str) -> str:
    """Raises Refused for what leads out of the archive."""
    name = normal_name(path.replace("\\", "/"))
    if name.startswith("/") or DRIVE.match(name) or ".." in name.split("/"):
        raise Refused(f"holds a file whose name leads out of it: {name[:80]}")
    name = posixpath.normpath(name)
    if name == "." or len(name) > MAX_PATH:
        raise Refused(f"holds a file whose name can't be used: {name[:80]}")
    return name
