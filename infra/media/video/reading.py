"""Exactly the frames that are wanted, and little more decoded than that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from infra.media.refusal import Refused
from infra.media.video.index import Index
from infra.media.video.opening import Video, open_video, quarter_turns

Decoded = VideoFrame
"""A frame as it is stored in the video: not rotated."""

_TRIES = 3
"""From so many key frames back decoding is tried: seeking in MP4 may arrive one or two key frames late."""


def frames(video: Video, index: Index, numbers: Sequence[int]) -> Iterator[Decoded]:
    """The frames with these numbers (ascending). Decoded from the last key frame before each that isn't reached by
    going on. Raises MediaError.
    """
    found = 0
    with open_video(video) as (container, stream):
        reader = _Reader(container, stream, index)
        while found < len(numbers) and (frame := reader.frame(numbers[found])) is not None:
            yield frame
            found += 1
    # Seeking has failed: frames are counted from the beginning, as they were when the index was made.
    if found < len(numbers):
        yield from _counted(video, numbers[found:])


def upright(frame: Decoded) -> Image.Image:
    """The picture as it is displayed, RGB."""
    return Image.fromarray(upright_pixels(frame))


def upright_pixels(frame: Decoded) -> NDArray[np.uint8]:
    """Of shape (height, width, 3), RGB."""
    pixels = VideoReformatter().reformat(frame, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns(frame)))


class _Reader:
    """Goes from frame to frame, beginning at key frames. Time stamps tell whether it is where it thinks to be."""

    def __init__(self, container: InputContainer, stream: VideoStream, index: Index) -> None:
        self._container, self._stream, self._index = container, stream, index
        self._coming: Iterator[Decoded] = iter(())
        self._last: Decoded | None = None
        self._number = -1  # of the last frame

    def frame(self, number: int) -> Decoded | None:
        """None when it isn't found."""
        place = self._index.key_before(number)
        if self._last is not None and (place < 0 or self._index.keys[place] <= self._number):
            return self._advance(number)
        for earlier in range(place, max(-1, place - _TRIES), -1):
            with suppress(FFmpegError):  # not every file that can be played can be entered everywhere
                self._seek(int(self._index.keys[earlier]))
                if (frame := self._advance(number)) is not None:
                    return frame
        return None

    def _seek(self, key: int) -> None:
        """To a key frame. What comes before it is passed over: it may have been decoded without what it needs."""
        time = int(self._index.times[key])
        self._container.seek(time, stream=self._stream)
        self._coming = self._container.decode(self._stream)
        self._last, self._number = None, key
        for frame in self._coming:
            if frame.pts is not None and frame.pts >= time:
                self._last = frame if frame.pts == time else None
                return

    def _advance(self, number: int) -> Decoded | None:
        while self._last is not None and self._number < number:
            self._number += 1
            coming = next(self._coming, None)
            expected = self._index.times[self._number]
            self._last = coming if coming is not None and coming.pts in (None, expected) else None
        return self._last


def _counted(video: Video, numbers: Sequence[int]) -> Iterator[Decoded]:
    wanted = iter(numbers)
    number = next(wanted)
    with open_video(video) as (container, stream):
        for count, frame in enumerate(container.decode(stream)):
            if count == number:
                yield frame
                if (number := next(wanted, -1)) < 0:
                    return
        raise Refused(f"is damaged or incomplete: frame {number} is missing")
