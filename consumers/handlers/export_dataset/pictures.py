"""The images of frames, as a dataset holds them: as uploaded, but upright."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from consumers.handlers.datasets import picture_rows
from infra.blobs import BlobStore
from infra.formats.model import VIDEO_SUFFIX, Picture, step_of
from infra.media.frames import original_frame
from infra.media.images import Frame
from infra.media.video.index import Index
from infra.media.video.reading import frames, upright
from infra.postgres.snapshot import Snapshot

FETCHED_AT_ONCE = 100


def pictures(reading: Snapshot, blobs: BlobStore, row: dict[str, Any], numbers: Sequence[int]) -> Iterator[Picture]:
    """In order. `row`: the task's. Raises MediaError."""
    if row["video"] is not None:
        yield from _of_video(blobs, row, numbers)
        return
    rows = iter(picture_rows(reading, row["id"], numbers))
    while some := list(islice(rows, FETCHED_AT_ONCE)):
        paths = blobs.paths([picture["sha256"] for picture in some])
        for picture, path in zip(some, paths, strict=True):
            content, _ = original_frame(Frame(path, picture["name"]))
            yield Picture(picture["number"], picture["name"], content)


def _of_video(blobs: BlobStore, row: dict[str, Any], numbers: Sequence[int]) -> Iterator[Picture]:
    """Each as a PNG without loss."""
    index = Index.load(blobs.path(row["index_sha256"]).read_bytes())
    step = step_of(row["frame_filter"])
    sources = [row["start_frame"] + number * step for number in numbers]
    video = Frame(blobs.path(row["video_sha256"]), row["video"])
    for number, source, frame in zip(numbers, sources, frames(video, index, sources), strict=True):
        out = io.BytesIO()
        upright(frame).save(out, "PNG", compress_level=1)
        yield Picture(number, f"frame_{source:06}{VIDEO_SUFFIX}", out.getvalue())
