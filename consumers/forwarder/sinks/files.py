"""An archive of files as a sink: `<month>/<partition>-<first offset>-<last offset>-<highest position>.jsonl.zst` or
`.parquet`.

A batch that is sent again is the same file again. While it is written its name ends in `.unfinished`. No two batches
have one name, also where offsets begin again: an event is in one file, so the highest of another is another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Literal

import zstandard

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.proof.inventory import EVERYTHING
from consumers.forwarder.rows import COLUMNS, TableRow
from consumers.forwarder.sinks import held
from consumers.forwarder.sinks.held import Held
from consumers.forwarder.sinks.refusals import UNRENDERABLE, Render, rendered
from consumers.forwarder.sinks.rendering import json_lines
from domain.errors import AnnalsError, Unavailable

Format = Literal["jsonl", "parquet"]
SUFFIXES = {"jsonl": ".jsonl.zst", "parquet": ".parquet"}
UNFINISHED = ".unfinished"
MONTH_FOLDERS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]"
POSITION = list(COLUMNS).index("position")


class FileSink:
    """Writes into `folder`. Raises Unavailable when the folder can't be written to; AnnalsError when Parquet is wanted
    and pyarrow is not installed.
    """

    def __init__(self, folder: Path, format_name: Format) -> None:
        self._folder, self._suffix = folder, SUFFIXES[format_name]
        self._encode: Render = _parquet_encoder() if format_name == "parquet" else _json_lines
        self._try(lambda: folder.mkdir(parents=True, exist_ok=True))
        self._held = Held()
        self._try(self._recall)

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:  # noqa: ARG002 - the name says it
        rows = batch.rows
        if self._held.runs:
            rows = [row for row in rows if row[POSITION] not in self._held]
        content, dead = rendered(rows, self._encode) if rows else (b"", [])
        if content:
            lost = {letter.position for letter in dead}
            highest = max(row[POSITION] for row in rows if row[POSITION] not in lost)
            self._try(lambda: self._write(self._file(batch, highest), content))
        return dead

    def remember(self, after: int, until: int = EVERYTHING) -> None:
        """Events behind a position are going to come another way than before: those of them that are here, up to
        `until`, will not be written again. Nobody else may be writing.
        """
        self._try(lambda: self._remember(after, until))

    def sweep(self) -> None:
        """Removes what a forwarder that was killed had begun to write. Nobody else may be writing."""
        self._try(self._sweep)

    def close(self) -> None:
        """Nothing is held open."""

    def _recall(self) -> None:
        self._held = Held.read(self._folder)

    def _remember(self, after: int, until: int) -> None:
        files = [file for suffix in SUFFIXES.values() for file in self._folder.glob(f"{MONTH_FOLDERS}/*{suffix}")]
        found, before = held.held_behind(files, after, until), self._held
        if found != before:
            self._write(self._folder / held.NAME, found.content())
        self._held = found

    def _file(self, batch: Batch, highest: int) -> Path:
        partition, after, until = batch.span
        year, month = batch.month or (0, 0)
        safe = re.sub(r"[^\w.-]", "-", partition)
        name = f"{safe}-{after + 1:012}-{until:012}-{highest:012}{self._suffix}"
        return self._folder / f"{year:04}-{month:02}" / name

    def _write(self, file: Path, content: bytes) -> None:
        file.parent.mkdir(exist_ok=True)
        unfinished = file.with_name(file.name + UNFINISHED)
        with unfinished.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(file)
        _sync(file.parent)
        _sync(self._folder)  # the month may be new in it

    def _sweep(self) -> None:
        for suffix in SUFFIXES.values():
            for begun in self._folder.glob(f"{MONTH_FOLDERS}/*{suffix}{UNFINISHED}"):
                begun.unlink()

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            raise Unavailable(f"The archive {self._folder} can't be written: {error.strerror}") from error


def _sync(folder: Path) -> None:
    """What was put into it is there after a power cut, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _json_lines(rows: Sequence[TableRow]) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(json_lines(rows))


def _parquet_encoder() -> Render:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise AnnalsError("Parquet needs pyarrow: pip install 'annals[parquet]'") from None
    types = {
        "String": pa.string(),
        "LowCardinality(String)": pa.string(),
        "UInt16": pa.uint16(),
        "UInt32": pa.uint32(),
        "UInt64": pa.uint64(),
        "DateTime64(3, 'Etc/UTC')": pa.timestamp("ms", tz=str(UTC)),
    }
    schema = pa.schema(
        [(name, types[kind.removeprefix("Nullable(").removesuffix(")") if kind.startswith("Nullable") else kind])
         for name, kind in COLUMNS.items()]
    )  # fmt: skip

    def encode(rows: Sequence[TableRow]) -> bytes:
        columns = zip(*rows, strict=True)
        arrays = [array(field, column) for field, column in zip(schema, columns, strict=True)]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(arrays, schema=schema), sink, compression="zstd")
        return bytes(sink.getvalue())

    def array(field: Any, column: tuple[Any, ...]) -> Any:
        try:
            return pa.array(column, field.type)
        except UNRENDERABLE as error:
            raise ValueError(f"A value of {field.name} can't be written: {error}") from error

    return encode
