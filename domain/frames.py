"""Numbering: which files become frames, and which frames are in a chunk, as CVAT does.

Absolute numbers count the sorted files or the video's pictures. Relative ones, which clients use, count the selected
frames from 0. Chunks of a task and of a job are two different sequences: a job's starts at its first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Invalid, MediaError

VIDEO_CHUNK_SIZE = 36
MIN_CHUNK_SIZE, MAX_CHUNK_SIZE = 2, 72
CHUNK_PIXELS = 36 * 1920 * 1080


@dataclass(frozen=True, slots=True)
class Selection:
    """The frames of a task: every `step`-th from `start` (absolute), `size` of them."""

    start: int
    step: int
    size: int

    @property
    def stop(self) -> int:
        """Absolute number of the last frame."""
        return self.absolute(self.size - 1)

    @property
    def numbers(self) -> range:
        """The absolute numbers, in frame order."""
        return range(self.start, self.stop + 1, self.step)

    def absolute(self, frame: int) -> int:
        return self.start + frame * self.step


def select_frames(total: int, start: int = 0, stop: int | None = None, step: int = 1, *, video: bool) -> Selection:
    """Select among `total` absolute frames; `stop` is inclusive, and the last frame at most.

    A stop of 0 means "not set" for images, and "only the first frame" for a video. Errors: MediaError when nothing is
    selected.
    """
    last = total - 1
    if stop is not None and (stop > 0 or video):
        last = min(last, stop)
    size = len(range(start, last + 1, step))
    if size == 0:
        raise MediaError(f"No frames are selected: start_frame is {start}, and the last of {total} frames is {last}")
    return Selection(start, step, size)


def default_chunk_size(width: int, height: int, *, video: bool = False) -> int:
    """Frames per chunk: 36 for a video; for images so many that a chunk has the pixels of 36 Full HD frames.

    `width` and `height` in pixels are those of the first frame.
    """
    if video:
        return VIDEO_CHUNK_SIZE
    return max(MIN_CHUNK_SIZE, min(MAX_CHUNK_SIZE, CHUNK_PIXELS // (width * height)))


def chunk_count(size: int, chunk_size: int) -> int:
    """Chunks in a sequence of `size` frames."""
    return -(-size // chunk_size)


def chunk_of(frame: int, chunk_size: int, first: int = 0) -> int:
    """The number of the chunk that holds a frame, in a sequence that starts with frame `first`."""
    return (frame - first) // chunk_size


def chunk_by_index(frames: Sequence[int], chunk_size: int, index: int) -> Sequence[int]:
    """The frames of one chunk of a sequence: a task's `range(size)`, a job's frames, or a sparse list of them.

    A range gives a range. Errors: Invalid when there is no such chunk.
    """
    if not 0 <= index < chunk_count(len(frames), chunk_size):
        raise Invalid(f"Chunk {index} does not exist: there are {chunk_count(len(frames), chunk_size)}")
    return frames[index * chunk_size : (index + 1) * chunk_size]


def chunk_by_number(frames: range, chunk_size: int, number: int) -> range:
    """The part of a task's chunk that lies in a job: the `frames` (a step of 1) of the job that are in that chunk.

    Errors: Invalid when the job has none of them.
    """
    part = range(max(number * chunk_size, frames.start), min((number + 1) * chunk_size, frames.stop))
    if not part:
        raise Invalid(f"Chunk {number} of the task has no frames of this job")
    return part


def sparse_chunk_by_number(frames: Sequence[int], size: int, chunk_size: int, number: int) -> list[int | None]:
    """A chunk of a task of `size` frames, as the clients of a job expect it that has but some of them: whole, with
    None for a frame that the job leaves out. Errors: Invalid when the task has no such chunk.
    """
    picked = set(frames)
    return [frame if frame in picked else None for frame in chunk_by_index(range(size), chunk_size, number)]
