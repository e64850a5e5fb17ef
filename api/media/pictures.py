"""Frames that are pictures, each in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from api.media.prepared import Found, Ready, Unmade
from api.media.source import Chunk, Row
from api.services import Services
from domain.errors import NotFound
from infra.media.chunks import compressed_chunk, context_images, original_chunk
from infra.media.frames import compressed_frame, original_frame, preview
from infra.media.images import Frame, open_image, orientation
from projections.named_queries import queries

UPRIGHT = 1
"""EXIF's orientation of pixels that are stored as they are displayed."""


class Pictures:
    """Of a row of the queries of_task or of_job."""

    def __init__(self, row: Row, parts: Services) -> None:
        self._row, self._parts = row, parts

    def chunk(self, frames: Sequence[int | None], quality: str) -> Chunk:
        def make(out: BinaryIO) -> None:
            picked = [number for number in frames if number is not None]
            stored = {number: frame for number, (_, frame) in zip(picked, self._stored(picked), strict=True)}
            images = [stored[number] if number is not None else None for number in frames]
            if quality == "compressed":
                compressed_chunk(images, self._row["image_quality"], out)
            else:
                original_chunk(images, out)

        return Chunk("application/zip", make)

    def frame(self, number: int, quality: str) -> Found:
        [(sha256, frame)] = self._stored([number])
        return self._compressed(sha256, frame) if quality == "compressed" else _original(sha256, frame)

    def preview(self, number: int) -> Found:
        [(sha256, frame)] = self._stored([number])
        return Unmade(f"preview_{sha256}", lambda out: _write(out, preview(frame)), _jpeg)

    def context(self, number: int) -> Found:
        of = {"task_id": self._row["task_id"], "frame": number}
        rows = self._parts.database.query(queries("data")["related_images"], of)
        if not rows:
            raise NotFound(f"Frame {number} has no context images")
        images = self._pictures(rows)
        stamp = int(self._row["updated_date"].timestamp() * 1_000_000)
        key = f"context_{self._row['task_id']}_{stamp}_{number}"
        return Unmade(key, lambda out: context_images(images, out), lambda path: Ready(path, "application/zip"))

    def _compressed(self, sha256: str, frame: Frame) -> Unmade:
        quality = self._row["image_quality"]
        return Unmade(f"frame_{sha256}_{quality}", lambda out: _write(out, compressed_frame(frame, quality)), _jpeg)

    def _stored(self, frames: Sequence[int]) -> list[tuple[str, Frame]]:
        """Hash and picture of each frame."""
        of = {"task_id": self._row["task_id"], "numbers": list(frames)}
        rows = self._parts.database.query(queries("data")["frames"], of)
        return [(row["sha256"], frame) for row, frame in zip(rows, self._pictures(rows), strict=True)]

    def _pictures(self, rows: Sequence[Row]) -> list[Frame]:
        paths = self._parts.blobs.paths([row["sha256"] for row in rows])
        return [Frame(path, row["name"]) for row, path in zip(rows, paths, strict=True)]


def _original(sha256: str, frame: Frame) -> Found:
    """The stored file itself, unless EXIF says that it must be turned."""
    with open_image(frame) as image:
        stands, mime = orientation(image) == UPRIGHT, str(image.get_format_mimetype())  # type: ignore[attr-defined]
    mime = "image/jpeg" if mime == "image/mpo" else mime
    if stands:
        return Ready(frame.path, mime)

    def make(out: BinaryIO) -> None:
        out.write(original_frame(frame)[0])

    return Unmade(f"upright_{sha256}", make, lambda path: Ready(path, mime))


def _jpeg(path: Path) -> Ready:
    return Ready(path, "image/jpeg")


def _write(out: BinaryIO, content: bytes) -> None:
    out.write(content)
