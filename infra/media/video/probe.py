"""Looking through a whole video: it is decoded once, so that what passes here can be made into frames later."""

from __future__ import annotations

import time
from dataclasses import dataclass

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from infra.media.refusal import Refused
from infra.media.video.index import Index
from infra.media.video.opening import Video, VideoLimits, open_video, quarter_turns, refusing
from infra.media.video.whole import check_length


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """Width and height are in pixels, as displayed: after rotation."""

    width: int
    height: int
    index: Index

    @property
    def frames(self) -> int:
        return len(self.index)


def probe(video: Video, limits: VideoLimits = VideoLimits()) -> VideoInfo:
    """Decodes every frame. Raises MediaError, which names the file, for anything that isn't a whole video within the
    limits.
    """
    with refusing(video.name), video.path.open("rb") as file:
        check_length(file, video.path.stat().st_size)
    with open_video(video, limits.picture.pixels) as (container, stream):
        if stream.codec_context.width:  # which not every container says
            limits.picture.check(stream.codec_context.width, stream.codec_context.height)
        look = _Look(limits)
        for packet in container.demux(stream):
            look.at_packet(packet)
            for frame in packet.decode():
                look.at_frame(frame)
        _check_count(stream, look.packets)
        return look.info()


class _Look:
    """What is learned from packets and frames as they come by."""

    def __init__(self, limits: VideoLimits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._times: list[int] = []
        self._keys: list[int] = []
        self._size: tuple[int, int] | None = None
        self._turned = False
        self.packets = 0

    def at_packet(self, packet: av.Packet[VideoStream]) -> None:
        if time.monotonic() > self._deadline:
            raise Refused(f"takes longer than {self._limits.seconds:g} seconds to decode")
        if packet.size:  # the last one, which only flushes the decoder, is empty
            self.packets += 1
            if packet.is_corrupt:
                raise Refused("is damaged or incomplete: a part of the video is missing")

    def at_frame(self, frame: VideoFrame) -> None:
        if self._size is None:
            self._size, self._turned = (frame.width, frame.height), quarter_turns(frame) % 2 == 1
            self._limits.picture.check(frame.width, frame.height)
        if (frame.width, frame.height) != self._size:
            raise Refused("changes the size of its pictures on the way")
        if len(self._times) == self._limits.frames:
            raise Refused(f"has more than {self._limits.frames:,} frames")
        if frame.key_frame:
            self._keys.append(len(self._times))
        # Without a time stamp: the one before, so that nobody takes the frame for a place of its own.
        last = self._times[-1] if self._times else 0
        self._times.append(last if frame.pts is None else frame.pts)

    def info(self) -> VideoInfo:
        if self._size is None:
            raise Refused("has no frame that can be decoded")
        width, height = reversed(self._size) if self._turned else self._size
        return VideoInfo(width, height, Index.of(self._times, self._keys))


def _check_count(stream: VideoStream, packets: int) -> None:
    """MP4 and MOV say how many pictures there are; other containers' figures are estimates."""
    if "mp4" in stream.container.format.name and packets < stream.frames:
        raise Refused(f"is incomplete: {stream.frames - packets:,} of {stream.frames:,} frames are missing")
