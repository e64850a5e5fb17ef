"""Frames of a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from api.media.prepared import Found, Ready, Unmade
from api.media.source import Chunk, Row
from api.services import Services
from domain.data_params import DataParams
from domain.errors import NotFound
from domain.frames import Selection
from infra.media.chunks import encoded_chunk
from infra.media.frames import encode_jpeg, encode_png, placeholder_frame, thumbnail
from infra.media.images import Frame
from infra.media.video.encoding import video_chunk
from infra.media.video.index import Index
from infra.media.video.reading import Decoded, frames, upright

ORIGINAL_QUALITY = 100


class Video:
    """Of a row of the queries of_task or of_job."""

    def __init__(self, row: Row, parts: Services) -> None:
        self._row, self._parts = row, parts
        step = DataParams(frame_filter=row["frame_filter"]).frame_step
        self._selection = Selection(row["start_frame"], step, row["last"] + 1)

    def chunk(self, frames: Sequence[int | None], quality: str) -> Chunk:
        """Pictures for a job that has but some of the frames, as CVAT does."""
        compressed = quality == "compressed"
        measure = self._row["image_quality"] if compressed else ORIGINAL_QUALITY
        kind = self._row["compressed_chunk_type" if compressed else "original_chunk_type"]
        as_video = kind == "video" and self._row["included"] is None

        def encode(frame: Decoded | None) -> bytes:
            return encode_jpeg(upright(frame), measure) if frame else placeholder_frame()

        def make(out: BinaryIO) -> None:
            decoded = self._decoded([number for number in frames if number is not None])
            if as_video:
                video_chunk(decoded, measure, out)
            else:
                encoded_chunk((next(decoded) if number is not None else None for number in frames), encode, out)

        return Chunk("video/mp4" if as_video else "application/zip", make)

    def frame(self, number: int, quality: str) -> Found:
        """A JPEG; as the original a PNG, which loses nothing."""
        if quality == "compressed":
            measure = self._row["image_quality"]
            return self._picture(number, f"{measure}", "image/jpeg", lambda image: encode_jpeg(image, measure))
        return self._picture(number, "original", "image/png", encode_png)

    def preview(self, number: int) -> Found:
        return self._picture(number, "preview", "image/jpeg", thumbnail)

    def context(self, number: int) -> Found:
        raise NotFound(f"Frame {number} has no context images")

    def _picture(self, number: int, kind: str, mime: str, encode: Callable[[Image.Image], bytes]) -> Found:
        def make(out: BinaryIO) -> None:
            [frame] = self._decoded([number])
            out.write(encode(upright(frame)))

        key = f"video_{self._row['video_sha256']}_{self._selection.absolute(number)}_{kind}"
        return Unmade(key, make, lambda path: Ready(path, mime))

    def _decoded(self, numbers: Sequence[int]) -> Iterator[Decoded]:
        blobs, row = self._parts.blobs, self._row
        video = Frame(blobs.path(row["video_sha256"]), row["video"])
        return frames(video, _index(blobs.path(row["index_sha256"])), list(map(self._selection.absolute, numbers)))


@lru_cache(maxsize=8)
def _index(path: Path) -> Index:
    """A blob's path names its content, so that what is remembered is never stale."""
    return Index.load(path.read_bytes())
