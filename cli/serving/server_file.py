"""DATA/run/server.json: what a running server tells the other commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from domain.errors import Conflict
from infra.postgres.locks import FolderLock

LOCK_SECONDS = 2.0
"""Readers take the lock for a moment to see whether it is free, so a start waits this long for it."""


@dataclass(frozen=True)
class ServerInfo:
    """`processes`: name → process id of the children. URLs are those that a client on this machine uses."""

    pid: int
    url: str
    clickhouse_url: str
    host: str
    port: int
    clickhouse_port: int | None
    started: str
    version: str
    processes: Mapping[str, int] = field(default_factory=dict)


class ServerFile:
    """Written by the one server of a data folder; believed only as long as that server holds its lock."""

    def __init__(self, run: Path) -> None:
        self._path = run / "server.json"
        self._lock = FolderLock(run / "server.lock")

    def claim(self) -> None:
        """Raises Conflict when another server has the folder. The kernel frees it, whatever becomes of this process."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire(LOCK_SECONDS)
        except Exception as error:
            holder = self._lock.read_note()
            folder = self._path.parents[1]
            raise Conflict(f"{folder} is in use by another Annals server (process {holder})") from error
        self._lock.note(str(os.getpid()))
        self._path.unlink(missing_ok=True)

    def write(self, info: ServerInfo) -> None:
        """Readers see the old contents or the new."""
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(asdict(info), option=orjson.OPT_INDENT_2))
        fresh.replace(self._path)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        self._lock.release()

    def read(self) -> ServerInfo | None:
        """The running server; None when there is none, or it is still starting."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        return ServerInfo(**orjson.loads(text)) if self._lock.is_taken() else None


def running_server(run: Path) -> ServerInfo | None:
    return ServerFile(run).read()
