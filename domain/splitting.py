"""Cutting a task's frames into jobs, as CVAT does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import MediaError

VIDEO_OVERLAP = 5
MAX_JOBS = 5000
NO_MEDIA = "No media data found"


class Segment(NamedTuple):
    """The frames `start` to `stop`, both inclusive and numbered within the task (0 = first selected frame)."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start + 1


@dataclass(frozen=True, slots=True)
class Split:
    """How a task is cut: the effective sizes in frames, which the task reports from now on, and a segment per job.

    Segments are in frame order. Both sizes are 0 when the jobs follow a file mapping or have honeypots.
    """

    segment_size: int
    overlap: int
    segments: tuple[Segment, ...]


def split_evenly(
    size: int,
    segment_size: int,
    overlap: int | None = None,
    *,
    video: bool = False,
    replicas: int = 0,
    max_jobs: int = MAX_JOBS,
) -> Split:
    """Cut `size` frames into segments of `segment_size` (0: all in one), of which neighbours share `overlap` frames.

    An overlap that is not given is 5 for a video and 0 for images; one that is given is at most half a segment.
    Errors: MediaError without frames, or when segments x (1 + replicas) is more than `max_jobs`.
    """
    if size < 1:
        raise MediaError(NO_MEDIA)
    length = segment_size if 0 < segment_size <= size else size
    shared = effective_overlap(size, length, overlap, video=video)
    starts = range(0, size - shared, length - shared)
    _check_count(len(starts), replicas, max_jobs)
    segments = tuple(Segment(start, min(start + length, size) - 1) for start in starts)
    return Split(length, shared, segments)


def split_by_files(jobs: Sequence[Sequence[str]], *, replicas: int = 0, max_jobs: int = MAX_JOBS) -> Split:
    """A job per inner list of file names (`job_file_mapping`); frames are those files, in that order.

    Errors: MediaError for no jobs, for a job without files, and for too many jobs.
    """
    if not jobs or not all(jobs):
        raise MediaError("job_file_mapping must not be empty, and each of its jobs must have a file")
    return split_by_lengths([len(files) for files in jobs], replicas=replicas, max_jobs=max_jobs)


def split_by_lengths(lengths: Sequence[int], *, replicas: int = 0, max_jobs: int = MAX_JOBS) -> Split:
    """A job per length, in frames, one behind the other. Errors: MediaError for too many jobs."""
    _check_count(len(lengths), replicas, max_jobs)
    segments, start = [], 0
    for length in lengths:
        segments.append(Segment(start, start + length - 1))
        start += length
    return Split(0, 0, tuple(segments))


def effective_overlap(size: int, segment_size: int, overlap: int | None, *, video: bool) -> int:
    """Frames that neighbouring segments share, out of what was asked for.

    CVAT does not clamp the default for a video, and fails on segments that are not longer than it; here they get what
    an overlap of 5, had it been given, would come to.
    """
    if overlap is not None:
        return min(overlap, segment_size // 2)
    if not video or size <= segment_size:
        return 0
    return VIDEO_OVERLAP if segment_size > VIDEO_OVERLAP else segment_size // 2


def _check_count(segments: int, replicas: int, max_jobs: int) -> None:
    jobs = segments * (1 + replicas)
    if jobs > max_jobs:
        copies = f" ({segments} segments with {replicas} replicas each)" if replicas else ""
        raise MediaError(f"The task would have {jobs} jobs{copies}; at most {max_jobs} are allowed")
