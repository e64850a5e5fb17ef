"""Batches that wait for the sink: in memory, and on disk beyond that.

What is on disk is only ahead of the source, never instead of it: it is thrown away at a start, and read again.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.sources.source import Span
from infra.clickhouse.encoding import Encoded


@dataclass(frozen=True)
class Room:
    """How much may wait, in bytes. `folder`: of what waits on disk."""

    memory: int = 16 * 1024 * 1024
    disk: int = 0
    folder: Path | None = None


def own_folder(folder: Path) -> Path:
    """This process's part of a folder that forwarders may share. Those of processes that ended are cleared away."""
    host = socket.gethostname()
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
    """First in, first out, of each partition. Takes any batch while it is not `full`, so it may go beyond by one."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._waiting: dict[str, deque[Batch | _OnDisk]] = defaultdict(deque)
        self._number = 0
        self.memory_bytes = self.memory_events = self.disk_bytes = self.disk_events = 0
        if room.folder is not None:
            shutil.rmtree(room.folder, ignore_errors=True)
            room.folder.mkdir(parents=True, mode=0o700)

    @property
    def full(self) -> bool:
        return self.memory_bytes >= self._room.memory and self.disk_bytes >= self._room.disk

    @property
    def partitions(self) -> list[str]:
        """Those with something that waits."""
        return [partition for partition, waiting in self._waiting.items() if waiting]

    def put(self, batch: Batch) -> None:
        waiting = self._waiting[batch.span.partition]
        if self.memory_bytes >= self._room.memory and self._room.folder is not None:
            waiting.append(self._write(batch, self._room.folder))
            return
        self.memory_bytes += batch.bytes
        self.memory_events += batch.events
        waiting.append(batch)

    def take(self, partition: str) -> Batch:
        """The one that has waited longest."""
        item = self._waiting[partition].popleft()
        if isinstance(item, _OnDisk):
            return self._read(item)
        self.memory_bytes -= item.bytes
        self.memory_events -= item.events
        return item

    def drop(self, partition: str) -> None:
        """All that waits of a partition."""
        while self._waiting[partition]:
            self.take(partition)

    def _write(self, batch: Batch, folder: Path) -> _OnDisk:
        self._number += 1
        file = folder / f"{self._number}.batch"
        encoded = batch.encoded and {"rows": batch.encoded.rows, "sizes": _sizes(batch.encoded)}
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
                columns = [
                    (bytearray(file.read(nulls)), bytearray(file.read(size))) for nulls, size in encoded["sizes"]
                ]
                fields["encoded"] = Encoded(encoded["rows"], columns)
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
