"""The file of the readers with passwords: names and argon2id hashes, as JSON. Read again whenever it has changed."""

from __future__ import annotations

import logging
import os
import re
import threading
from pathlib import Path
from typing import Final

import orjson

from domain.errors import Conflict, Invalid, NotFound
from infra.passwords import Argon2Passwords

logger = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[\w.@-]{1,64}", re.ASCII)
_TAKEN: Final = ("forwarder",)


class Readers:
    """What the running endpoint knows of the file. No file: no readers. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._hashes: dict[str, str] = {}

    def password_hash(self, name: str) -> str | None:
        """None when there is no such reader."""
        if self._path is None:
            return None
        with self._guard:
            self._refresh(self._path)
            return self._hashes.get(name)

    def _refresh(self, path: Path) -> None:
        try:
            stat = path.stat()
            if self._seen == (seen := (stat.st_ino, stat.st_mtime_ns, stat.st_size)):
                return
            self._hashes, self._seen = _read(path), seen
        except FileNotFoundError:
            self._hashes, self._seen = {}, None
        except (OSError, Invalid):  # whoever was let in before still is
            logger.exception("The readers of the embedded ClickHouse cannot be read")


def reader_names(path: Path) -> list[str]:
    return sorted(_read(path))


def add_reader(path: Path, name: str, password: str) -> None:
    """Raises Invalid for a name or password that cannot be one, Conflict for a name that is taken."""
    if not _NAME.fullmatch(name):
        raise Invalid("A reader's name has 1 to 64 letters, digits, dots, hyphens, underscores or @")
    if len(password) < 8:
        raise Invalid("A reader's password has at least 8 characters")
    readers = _read(path)
    if name in readers or name in _TAKEN:
        raise Conflict(f"There is a user {name} already")
    _write(path, {**readers, name: Argon2Passwords().hash(password)})


def remove_reader(path: Path, name: str) -> None:
    """Raises NotFound."""
    readers = _read(path)
    if readers.pop(name, None) is None:
        raise NotFound(f"There is no reader {name}")
    _write(path, readers)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        readers = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error
    if not isinstance(readers, dict) or not all(isinstance(kept, str) for kept in readers.values()):
        raise Invalid(f"{path} does not map names to hashes of passwords")
    return readers


def _write(path: Path, readers: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(readers, option=orjson.OPT_INDENT_2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
