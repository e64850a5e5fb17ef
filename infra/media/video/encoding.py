"""A chunk of a video as a video of its own: MP4 with H.264, in the baseline profile that CVAT's web UI decodes."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from typing import BinaryIO

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from infra.media.video.opening import quarter_turns
from infra.media.video.reading import Decoded, upright_pixels

_RATE = 25  # pictures a second; clients count frames
_PIXELS = "yuv420p"


def video_chunk(frames: Iterable[Decoded], quality: int, out: BinaryIO) -> None:
    """Writes the frames, upright, scaled to even sizes: the codec knows no others. `quality`: 1 (worst) to 100."""
    coming = iter(frames)
    first = next(coming)
    with av.open(out, "w", format="mp4") as container:
        width, height = first.width + first.width % 2, first.height + first.height % 2
        stream = _stream(container, *((height, width) if quarter_turns(first) % 2 else (width, height)), quality)
        for number, frame in enumerate(chain([first], coming)):
            container.mux(stream.encode(_fitting(frame, stream, number)))
        container.mux(stream.encode(None))


def _stream(container: av.container.OutputContainer, width: int, height: int, quality: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=_RATE)
    stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS
    # CVAT's measure: 1 to 100 is x264's 51 (worst) to 0, which the baseline profile can't do.
    crf = max(1, round(51 * (100 - quality) / 99))
    stream.options = {"profile": "baseline", "preset": "ultrafast", "crf": str(crf), "bf": "0"}
    return stream


def _fitting(frame: VideoFrame, stream: VideoStream, number: int) -> VideoFrame:
    if quarter_turns(frame):
        frame = VideoFrame.from_ndarray(upright_pixels(frame), format="rgb24")
    fitting = frame.reformat(stream.width, stream.height, _PIXELS)
    fitting.pts, fitting.time_base = number, Fraction(1, _RATE)
    return fitting
