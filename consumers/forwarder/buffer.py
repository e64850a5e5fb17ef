"""Batches that wait for the sink: in memory, and on disk beyond that.

What is on disk is only ahead of the source, never instead of it: it is thrown away at a start, and read again.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]
import structlog

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.sources.delivery import Span
from infra.clickhouse.encoding import Encoded

ABANDONED_SECONDS = 24 * 3_600.0
"""After so long nobody comes for what waits on disk: whoever fails begins anew within seconds. Who does come all the
same, reads it again.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Room:
    """How much may wait, in bytes. `folder`: of what waits on disk."""

    memory: int = 16 * 1024 * 1024
    disk: int = 0
    folder: Path | None = None


def own_folder(folder: Path) -> Path:
    """This process's part of a folder that forwarders may share. Those of processes that ended are cleared away; of
    other hosts, which can't be asked, what is old.
    """
    host = socket.gethostname()
    for file in folder.glob("*/*.batch"):
        with suppress(OSError):
            if file.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                file.unlink()
    for left in folder.glob(f"{host}-*"):
        process = left.name.rpartition("-")[2]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    return folder / f"{host}-{os.getpid()}"


@dataclass
class _OnDisk:
    file: Path
    bytes: int
    events: int


class Buffer:
    """First in, first out, of each partition. Takes any batch while it is not `full`, so it may go beyond by one. What
    the disk does not take waits in memory, and the disk is tried again when something has gone.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._disk_fails = self._nothing_gone = False
        self._waiting: dict[str, deque[Batch | _OnDisk]] = defaultdict(deque)
        self._number = 0
        self.memory_bytes = self.memory_events = self.disk_bytes = self.disk_events = 0
        if room.folder is not None:
            shutil.rmtree(room.folder, ignore_errors=True)
            try:
                room.folder.mkdir(parents=True, mode=0o700)
            except OSError as error:
                log.warning("nothing can wait on disk", error=str(error))
                self._room = replace(room, disk=0, folder=None)

    @property
    def full(self) -> bool:
        disk_full = self.disk_bytes >= self._room.disk or (self._disk_fails and self._nothing_gone)
        return self.memory_bytes >= self._room.memory and disk_full

    @property
    def partitions(self) -> list[str]:
        """Those with something that waits."""
        return [partition for partition, waiting in self._waiting.items() if waiting]

    def put(self, batch: Batch) -> None:
        waiting = self._waiting[batch.span.partition]
        if self.memory_bytes >= self._room.memory and (on_disk := self._put_on_disk(batch)):
            waiting.append(on_disk)
            return
        self.memory_bytes += batch.memory
        self.memory_events += batch.events
        waiting.append(batch)

    def take(self, partition: str) -> Batch:
        """The one that has waited longest."""
        item = self._waiting[partition].popleft()
        self._nothing_gone = False
        if isinstance(item, _OnDisk):
            return self._read(item)
        self.memory_bytes -= item.memory
        self.memory_events -= item.events
        return item

    def drop(self, partition: str) -> None:
        """All that waits of a partition."""
        while self._waiting[partition]:
            self.take(partition)

    def _put_on_disk(self, batch: Batch) -> _OnDisk | None:
        """None when the disk, if there is one, does not take it."""
        if self._room.folder is None:
            return None
        self._number += 1
        file = self._room.folder / f"{self._number}.batch"
        try:
            on_disk = self._write(batch, file)
        except OSError as error:
            file.unlink(missing_ok=True)
            if not self._disk_fails:
                log.warning("the disk takes nothing: what waits stays in memory", error=str(error))
            self._disk_fails = self._nothing_gone = True
            return None
        self._disk_fails = False
        return on_disk

    def _write(self, batch: Batch, file: Path) -> _OnDisk:
        encoded = batch.encoded and {**vars(batch.encoded), "columns": _sizes(batch.encoded)}
        head = orjson.dumps({**vars(batch), "span": tuple(batch.span), "encoded": encoded})
        pieces = [piece for column in batch.encoded.columns for piece in column] if batch.encoded else []
        size = file.write_bytes(b"".join([head, b"\n", *pieces]))
        self.disk_bytes += size
        self.disk_events += batch.events
        return _OnDisk(file, size, batch.events)

    def _read(self, item: _OnDisk) -> Batch:
        with item.file.open("rb") as file:
            fields: dict[str, Any] = orjson.loads(file.readline())
            if encoded := fields.pop("encoded"):
                sizes = encoded.pop("columns")
                columns = [(bytearray(file.read(nulls)), bytearray(file.read(size))) for nulls, size in sizes]
                fields["encoded"] = Encoded(**encoded, columns=columns)
        item.file.unlink()
        self.disk_bytes -= item.bytes
        self.disk_events -= item.events
        return Batch(
            Span(*fields.pop("span")),
            datetime.fromisoformat(fields.pop("first_time")),
            None if (month := fields.pop("month")) is None else tuple(month),
            rows=[tuple(row) for row in fields.pop("rows")],
            dead=[DeadLetter(**letter) for letter in fields.pop("dead")],
            **fields,
        )


def _sizes(encoded: Encoded) -> list[tuple[int, int]]:
    return [(len(nulls), len(values)) for nulls, values in encoded.columns]
