"""What frames can be made from, pictures or a video, as clients' wishes meet it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from api.media.prepared import Found

Row = dict[str, Any]
"""A task's or a job's data: of the queries of_task or of_job."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Several frames in one file, which `make` writes."""

    mime: str
    make: Callable[[BinaryIO], None]


class Media(Protocol):
    """Frames are numbered within the task. `quality`: compressed or original."""

    def chunk(self, frames: Sequence[int | None], quality: str) -> Chunk:
        """None: a frame that a job leaves out, whose place is held by a picture of one pixel."""
        ...

    def frame(self, number: int, quality: str) -> Found: ...

    def preview(self, number: int) -> Found: ...

    def context(self, number: int) -> Found:
        """A zip of the pictures that are shown beside a frame. Raises NotFound when there are none."""
        ...
